"""Signed notes (C2SP signed-note) and the cosignatures of witnesses (C2SP tlog-cosignature), both Ed25519. Pure.

text, each line ended          example.com/log
                               17
                               CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
an empty line
signature lines                — name base64(key id ‖ signature)

key id = SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key)[:4]
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
COSIGNATURE = 0x04
ALGORITHMS = (ED25519, COSIGNATURE)
LONGEST_NOTE = 1_000_000
MOST_SIGNATURES = 100
LATEST_TIME = datetime.max.replace(tzinfo=UTC).timestamp()

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_LINE = re.compile(r"— (\S+) ([A-Za-z0-9+/]+={0,2})")
_VERIFIER_KEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


class NoteError(ValueError):
    """It is not a note, not a key, or not signed as it must be. The message says which."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line; `value` is what follows the key id."""

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"— {self.name} {base64.b64encode(self.key_id + self.value).decode()}"


@dataclass(frozen=True, slots=True)
class Note:
    """`text` ends with a line break. Nothing in it is to be believed before `verify`."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return "\n".join([self.text, *map(str, self.signatures), ""])


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key as notes name it; its text form is `name+hash+base64`."""

    name: str
    algorithm: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        match = _VERIFIER_KEY.fullmatch(text)
        if match is None:
            raise NoteError(f"{text[:80]!r} is not a verifier key: it must look like name+0123abcd+base64")
        name, hashed, encoded = match.groups()
        material = from_base64(encoded, "the verifier key")
        if len(material) != 33 or material[0] not in ALGORITHMS:
            raise NoteError(f"the verifier key of {name} is neither an Ed25519 key (1) nor one that cosigns (4)")
        key = cls(check_name(name), material[0], material[1:])
        if key.id.hex() != hashed:
            raise NoteError(f"the verifier key of {name} says that its id is {hashed}, but it is {key.id.hex()}")
        return key

    @property
    def id(self) -> bytes:
        return key_id(self.name, self.algorithm, self.public)

    @property
    def cosigns(self) -> bool:
        return self.algorithm == COSIGNATURE

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.algorithm]) + self.public).decode()}"

    def made(self, signature: Signature) -> bool:
        """Whether the signature names this key; that it is right is what `check` tells."""
        return signature.name == self.name and signature.key_id == self.id

    def check(self, text: str, signature: Signature) -> datetime | None:
        """When a cosignature was made, None for other signatures. Raises `NoteError` if it is not this key's on `text`."""
        time, value = None, signature.value
        if self.cosigns:
            seconds, value = int.from_bytes(value[:8], "big"), value[8:]
            if seconds > LATEST_TIME:
                raise NoteError(f"the cosignature of {self.name} carries no time that there is")
            time, text = datetime.fromtimestamp(seconds, UTC), cosigned_text(text, seconds)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(value, text.encode())
        except InvalidSignature:
            raise NoteError(f"the signature by {self.name} ({self.id.hex()}) is not right") from None
        return time


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that is right. `time` is when a witness made it."""

    key: VerifierKey
    signature: Signature
    time: datetime | None


class Signs(Protocol):
    def sign(self, text: str) -> Signature: ...


@dataclass(frozen=True, slots=True)
class Signer:
    """An Ed25519 key that signs notes."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier_key(self) -> VerifierKey:
        return VerifierKey(self.name, ED25519, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        return Signature(self.name, self.verifier_key.id, self.private.sign(text.encode()))


def key_id(name: str, algorithm: int, public: bytes) -> bytes:
    return sha256(check_name(name).encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


def check_name(name: str) -> str:
    """The name, fit for a key. Raises `NoteError`."""
    if not name or "+" in name or any(character.isspace() for character in name) or _CONTROL.search(name):
        raise NoteError(f"{name[:80]!r} cannot be the name of a key: no spaces, no plus, and not empty")
    return name


def cosigned_text(text: str, seconds: int) -> str:
    """What a witness signs: that it saw this checkpoint, and when."""
    return f"cosignature/v1\ntime {seconds}\n{text}"


def sign(text: str, signers: Iterable[Signs]) -> str:
    return str(Note(_check_text(text), tuple(signer.sign(text) for signer in signers)))


def parse(note: str) -> Note:
    if len(note) > LONGEST_NOTE:
        raise NoteError(f"the note is longer than {LONGEST_NOTE} characters")
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise NoteError("it is not a signed note: text, an empty line and signature lines, each with a line break")
    return Note(_check_text(text + "\n"), parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    found = lines.removesuffix("\n").split("\n")
    if len(found) > MOST_SIGNATURES:
        raise NoteError(f"the note has more than {MOST_SIGNATURES} signatures")
    return tuple(map(_parse_signature, found))


def verify(note: str | Note, keys: Sequence[VerifierKey]) -> list[Verified]:
    """The signatures by these keys, which must all be right, at least one of them. Other keys' are passed over."""
    parsed = parse(note) if isinstance(note, str) else note
    verified: dict[VerifierKey, Verified] = {}
    for signature in parsed.signatures:
        for key in keys:
            if key.made(signature) and key not in verified:
                verified[key] = Verified(key, signature, key.check(parsed.text, signature))
    if not verified:
        signed_by = ", ".join(f"{one.name}+{one.key_id.hex()}" for one in parsed.signatures)
        raise NoteError(f"the note is not signed by a key that is known here; it is signed by {signed_by}")
    return list(verified.values())


def from_base64(text: str, what: str) -> bytes:
    """Standard base64 in its one canonical form."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if not value or base64.b64encode(value).decode() != text:
        raise NoteError(f"{what} is not base64")
    return value


def _check_text(text: str) -> str:
    if not text.endswith("\n"):
        raise NoteError("the text of a note must end with a line break")
    if _CONTROL.search(text):
        raise NoteError("a note holds no control characters but line breaks")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NoteError("a note must be valid Unicode") from None
    return text


def _parse_signature(line: str) -> Signature:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise NoteError(f"{line[:80]!r} is not a signature line: — name base64")
    value = from_base64(match.group(2), f"the signature by {match.group(1)[:80]}")
    if len(value) < 5:
        raise NoteError(f"the signature by {match.group(1)[:80]} is too short")
    return Signature(check_name(match.group(1)), value[:4], value[4:])
