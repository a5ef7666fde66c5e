#!/usr/bin/env python3
"""Checks a Countersign evidence bundle. One file; needs Python 3.9 or newer and the `cryptography` package, nothing else.

    python countersign_verify.py BUNDLE.zip --key VERIFIER_KEY

It believes nothing that the bundle says about itself: every file, every entry's place in the log's Merkle tree (RFC
6962), every signature is computed again. Exit code 0: all that was checked is right. 1: something is wrong. 2: it could
not be checked.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.stderr.write("This needs the package `cryptography`: python -m pip install cryptography\n")
    sys.exit(2)

FORMAT = "countersign-evidence/1"
REQUIRED = {
    "README.txt", "countersign_verify.py", "checkpoint.txt", "keys.json", "consistency.json", "entries.jsonl",
    "hashes.txt", "manifest.json", "manifest.note",
}  # fmt: skip
OPTIONAL = {"payloads.jsonl"}
SMALL = 16 * 1024 * 1024  # bytes that a file may have that is read as a whole
LONGEST = {"entries.jsonl": 1024 * 1024, "payloads.jsonl": 128 * 1024 * 1024, "hashes.txt": 65}  # bytes in a line
UNPACKING = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, NotImplementedError, OSError, EOFError)
SEAL = re.compile(rb"sha256:([0-9a-f]{64})")
CONTEXT = {"erasures": ("subject.erased",), "archives": ("ledger.pruned",), "open_intents": ("statement.intent",)}
CLOSING = ("statement.outcome", "execution.finished")


class Wrong(Exception):
    """The bundle is not what it claims to be. The message says where and what."""


class Unclear(Exception):
    """It cannot be checked: something was not given, or is not what it should be."""


def require(condition: object, what: str) -> None:
    if not condition:
        raise Wrong(what)


def short(text: object) -> str:
    """Text out of the bundle, made fit for a terminal."""
    return "".join(c if c.isprintable() else "?" for c in str(text)[:200])


# --- The file -------------------------------------------------------------------------------------------------------


class Bundle:
    """The zip file, read as if somebody hostile had made it."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "rb")  # noqa: PTH123, SIM115
        self._check_seal()
        try:
            self.zip = zipfile.ZipFile(self.file)
        except UNPACKING as error:
            raise Wrong(f"it is not a zip file that can be read: {error}") from None
        self._check_names()
        self._check_layout()
        self.manifest = self._object("manifest.json")
        listed: Any = self.manifest.get("files")
        require(
            self.manifest.get("format") == FORMAT, f"its format is not {FORMAT}: use the verifier that came with it"
        )
        require(isinstance(listed, dict), "manifest.json does not list the files")
        here = set(self.names) - {"manifest.json", "manifest.note"}
        require(set(listed) == here, f"the files are not those of the manifest: {sorted(set(listed) ^ here)}")
        self.listed: dict[str, Any] = listed

    def _check_seal(self) -> None:
        """The zip file's comment is the digest of all that comes before it, so that no byte can change unnoticed."""
        size = self.file.seek(0, 2)
        require(size > 93, "it is too short to be a bundle")
        self.file.seek(size - 93)
        end = self.file.read(93)
        seal: Any = SEAL.fullmatch(end[22:])
        require(
            end[:4] == b"PK\x05\x06" and end[20:22] == b"\x47\x00" and seal,
            "it does not end as a bundle does: cut, or changed",
        )
        require(
            int.from_bytes(end[10:12], "little") <= 16 and int.from_bytes(end[12:16], "little") <= 8192,
            "too many files",
        )
        digest, left = hashlib.sha256(), size - 71
        self.file.seek(0)
        while left:
            piece = self.file.read(min(left, 1 << 20))
            require(piece, "the file became shorter while it was read")
            digest.update(piece)
            left -= len(piece)
        require(
            digest.hexdigest().encode() == seal.group(1),
            "its bytes are not those that were written: it was changed on the way",
        )
        self.file.seek(0)

    def _check_names(self) -> None:
        self.names = [info.filename for info in self.zip.infolist()]
        require(len(set(self.names)) == len(self.names), "a file is in it twice")
        require(
            not set(self.names) - REQUIRED - OPTIONAL,
            f"there is a file that does not belong: {[short(n) for n in self.names]}",
        )
        require(not REQUIRED - set(self.names), f"files are missing: {sorted(REQUIRED - set(self.names))}")
        for info in self.zip.infolist():
            require(
                info.compress_type in (0, 8) and not info.flag_bits & 1, f"{info.filename} is packed in another way"
            )
            plain = info.external_attr >> 16 & 0o170000 in (0, 0o100000) and not info.external_attr & 0x10
            require(plain and info.orig_filename == info.filename, f"{info.filename} is not a plain file")

    def _check_layout(self) -> None:
        """One file after the other, then their list: no room for bytes that other programs would unpack, and we not."""
        place, listed = 0, 0
        for info in sorted(self.zip.infolist(), key=lambda info: info.header_offset):
            require(info.header_offset == place and not info.comment, "there is something between its files")
            self.file.seek(place)
            head = self.file.read(30)
            require(head[:4] == b"PK\x03\x04", f"{info.filename} is not where it should be")
            name, extra = struct.unpack("<HH", head[26:30])
            place += 30 + name + extra + info.compress_size
            if info.flag_bits & 8:  # its sizes follow it, in four bytes each or in eight
                self.file.seek(place)
                sizes = self.file.read(24)
                wide = struct.pack("<4sLQQ", b"PK\x07\x08", info.CRC, info.compress_size, info.file_size)
                narrow = wide[:8] + wide[8:12] + wide[16:20]
                require(sizes == wide or sizes[:16] == narrow, f"{info.filename} does not end as it should")
                place += 24 if sizes == wide else 16
            listed += 46 + len(info.orig_filename.encode()) + len(info.extra)
        start: int = self.zip.start_dir
        # A file of more than 4 GiB has a longer end.
        ends = (size_of(self.file) - 93, size_of(self.file) - 93 - 76)
        require(start == place and start + listed in ends, "there is something between its files")
        self.file.seek(0)

    def whole(self, name: str) -> bytes:
        try:
            with self.zip.open(name) as stream:
                content = stream.read(SMALL + 1)
        except UNPACKING as error:
            raise Wrong(f"{name} cannot be unpacked: {error}") from None
        require(len(content) <= SMALL, f"{name} is larger than {SMALL} bytes")
        return content

    def _object(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = parse_json(self.whole(name), name)
        require(isinstance(found, dict), f"{name} does not hold an object")
        return found

    def small(self, name: str) -> bytes:
        """A file that fits into memory, compared with the manifest."""
        content = self.whole(name)
        self._compare(name, len(content), hashlib.sha256(content).hexdigest())
        return content

    def _compare(self, name: str, size: int, digest: str) -> None:
        said: Any = self.listed.get(name)
        require(isinstance(said, dict), f"the manifest says nothing about {name}")
        require(said.get("sha256") == digest and said.get("bytes") == size, f"{name} is not the file of the manifest")

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a file that may be large; compared with the manifest when the last was read."""
        longest, digest, size = LONGEST[name], hashlib.sha256(), 0
        try:
            with self.zip.open(name) as stream:
                while True:
                    line = stream.readline(longest + 1)
                    if not line:
                        break
                    require(
                        line.endswith(b"\n"), f"{name} has a line that is longer than {longest} bytes, or not ended"
                    )
                    digest.update(line)
                    size += len(line)
                    yield line[:-1]
        except UNPACKING as error:
            raise Wrong(f"{name} cannot be unpacked: {error}") from None
        self._compare(name, size, digest.hexdigest())


def size_of(file: Any) -> int:
    return int(file.seek(0, 2))


def parse_json(content: bytes, what: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        require(len({key for key, _ in pairs}) == len(pairs), f"{what} says something twice")
        return dict(pairs)

    try:
        return json.loads(content, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise Wrong(f"{what} is not JSON") from None


# --- Signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature) -----------------------------------------------


class Key:
    """A verifier key, `name+id+base64`. Algorithm 1 signs; 4 is a witness and cosigns."""

    def __init__(self, text: object) -> None:
        parts = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})", str(text))
        try:
            material = base64.b64decode(parts.group(3), validate=True) if parts else b""
        except ValueError:
            material = b""
        if len(material) != 33 or material[0] not in (1, 4) or not str(text).isprintable():
            raise Unclear(f"{short(text)} is not a verifier key: it must look like name+0123abcd+base64")
        self.text, self.cosigns = str(text), material[0] == 4
        self.name, _, rest = self.text.partition("+")
        self.id = hashlib.sha256(self.name.encode() + b"\n" + material).digest()[:4]
        if self.id.hex() != rest[:8]:
            raise Unclear(f"{short(text)} is not a verifier key: its id is not that of its name and key")
        self.public = Ed25519PublicKey.from_public_bytes(material[1:])

    def check(self, text: str, value: bytes) -> int:
        """When it cosigned, 0 for other signatures. Raises Wrong."""
        when = 0
        if self.cosigns:
            seconds, value = int.from_bytes(value[:8], "big"), value[8:]
            text, when = f"cosignature/v1\ntime {seconds}\n{text}", seconds
        try:
            self.public.verify(value, text.encode())
        except InvalidSignature:
            raise Wrong(f"the signature by {self.text} is not right") from None
        return when


class Note:
    def __init__(self, content: bytes, what: str) -> None:
        try:
            text, gap, lines = content.decode().rpartition("\n\n")
        except ValueError:
            raise Wrong(f"{what} is not text") from None
        found = [re.fullmatch(r"\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})", line) for line in lines.split("\n")[:-1]]
        require(gap and lines.endswith("\n") and found and all(found), f"{what} is not a signed note")
        self.text, self.what = text + "\n", what
        signatures = [match.groups() for match in found if match]
        try:
            self.signatures = [(name, base64.b64decode(value, validate=True)) for name, value in signatures]
        except ValueError:
            raise Wrong(f"{what} is not a signed note") from None

    def signed_by(self, keys: list[Key]) -> dict[Key, int]:
        """{key: when} for those of the keys that signed; each such signature must be right."""
        return {
            key: key.check(self.text, value[4:])
            for name, value in self.signatures
            for key in keys
            if name == key.name and value[:4] == key.id
        }

    def head(self) -> tuple[str, int, bytes]:
        """Origin, size, root."""
        lines = self.text[:-1].split("\n")
        require(len(lines) >= 3 and re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]), f"{self.what} is not a checkpoint")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except ValueError:
            root = b""
        require(len(root) == 32, f"{self.what} is not a checkpoint")
        return lines[0], int(lines[1]), root


# --- The tree (RFC 6962) --------------------------------------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(start: int, end: int, entries: Entries, hashes: Iterator[bytes]) -> bytes:
    """The root over leaves `start` to before `end`: computed where there are entries, taken from `hashes` where not."""
    if entries.index is None or entries.index >= end:
        return next_hash(hashes)
    if end - start == 1:
        return entries.take()
    middle = start + (1 << (end - start - 1).bit_length() - 1)
    left = fold(start, middle, entries, hashes)
    return node(left, fold(middle, end, entries, hashes))


def next_hash(hashes: Iterator[bytes]) -> bytes:
    line = next(hashes, b"")
    require(line, "hashes.txt ends too early")
    require(re.fullmatch(rb"[0-9a-f]{64}", line), "hashes.txt holds something that is not a hash")
    return bytes.fromhex(line.decode())


def is_consistent(old: int, new: int, proof: list[bytes], old_root: bytes, new_root: bytes) -> bool:
    """RFC 9162, 2.1.4.2."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    if not path:
        return False
    was = now = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            was, now = node(sibling, was), node(sibling, now)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            now = node(now, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


class Entries:
    """The entries in order. `index` is that of the next one; `take` gives its leaf hash."""

    def __init__(self, bundle: Bundle) -> None:
        manifest = bundle.manifest
        self.lines, self.entry = bundle.lines("entries.jsonl"), dict[str, Any]()
        self.size, self.context = number(manifest, "size"), context_of(manifest)
        self.first, self.end = number(manifest.get("range"), "first"), number(manifest.get("range"), "end")
        require(self.first <= self.end <= self.size, "the range of the manifest is not within the log")
        self.complete, self.count, self.extra = manifest.get("complete") is True, 0, 0
        self.open: dict[object, int] = {}  # by query, the open intents that are here
        self.seen: set[tuple[int, str]] = set()
        self.since = self.until = ""
        self.payloads = bundle.lines("payloads.jsonl") if "payloads.jsonl" in bundle.names else iter(())
        self.index: int | None = -1
        self.payload: int | None = -1
        self.texts = 0
        self._next_payload()
        self._advance()

    def _advance(self) -> None:
        line, last = next(self.lines, None), -1 if self.index is None else self.index
        expected, missing = self.first + self.count, "is missing, although the range is said to be complete"
        if line is None:
            require(not self.complete or expected == self.end, f"entry {expected} {missing}")
            self.index = None
            return
        entry = parse_json(line, f"the line after entry {last} of entries.jsonl")
        require(
            isinstance(entry, dict) and isinstance(entry.get("header"), str), f"the line after entry {last} is no entry"
        )
        require(
            set(entry) <= {"index", "header", "context"}, f"the line after entry {last} says more than an entry does"
        )
        self.index, self.entry = number(entry, "index"), entry
        require(last < self.index < self.size, f"entry {self.index} comes after entry {last}, or is not in the log")
        if self.complete and entry.get("context") is not True:
            require(self.index == expected, f"entry {expected} {missing}")

    def take(self) -> bytes:
        text, index = self.entry["header"].encode("utf-8", "surrogatepass"), self.index
        header = parse_json(text, f"the header of entry {index}")
        require(
            isinstance(header, dict) and header.get("index") == index, f"entry {index} was written for another place"
        )
        if self.entry.get("context") is True:
            require(index in self.context, f"entry {index} is neither what was asked for nor listed as something else")
            self.extra += 1
        else:
            self._count(header)
        self._follow(header)
        self._advance()
        return hashlib.sha256(b"\x00" + text).digest()

    def _count(self, header: dict[str, Any]) -> None:
        require(self.first <= header["index"] < self.end, f"entry {header['index']} is outside of the range")
        self.until = short(header.get("time"))
        self.since = self.since or self.until
        self.count += 1

    def _follow(self, header: dict[str, Any]) -> None:
        """Context entries are what they are said to be, open intents stay open, payloads belong to entries."""
        index, query = header["index"], header.get("query")
        for name in self.context.get(index, ()):
            require(header.get("kind") in CONTEXT[name], f"entry {index} is listed under {name}, which it is not")
            self.seen.add((index, name))
            if name == "open_intents":
                self.open[query] = index
        if header.get("kind") in CLOSING and query in self.open:
            raise Wrong(f"entry {self.open[query]} is listed as an open intent, but entry {index} closes it")
        if self.payload == index:
            require("payload_digest" in header, f"there is a payload of entry {index}, which has none")
            self.texts += 1
            self._next_payload()

    def _next_payload(self) -> None:
        line, last = next(self.payloads, None), -1 if self.payload is None else self.payload
        if line is None:
            self.payload = None
            return
        self.payload = number(parse_json(line, "a line of payloads.jsonl"), "index")
        require(self.payload > last, "payloads.jsonl is not in order")

    def finish(self, manifest: dict[str, Any]) -> None:
        require(self.index is None and next(self.lines, None) is None, f"entry {self.index} is beyond the tree")
        require(self.payload is None, f"there is a payload of entry {self.payload}, which is not here")
        require(
            self.count == number(manifest, "entries"),
            f"there are {self.count} entries, not as many as the manifest says",
        )
        require(not self.complete or self.count == self.end - self.first, f"entry {self.first + self.count} is missing")
        require(len(self.seen) == sum(map(len, self.context.values())), "entries that the manifest lists are missing")


def context_of(manifest: dict[str, Any]) -> dict[int, list[str]]:
    """{index: what it is listed under}."""
    listed, found = manifest.get("context"), dict[int, list[str]]()
    require(isinstance(listed, dict) and set(listed) == set(CONTEXT), "the manifest does not say what else is in it")
    for name, indexes in (listed or {}).items():
        require(
            isinstance(indexes, list) and all(type(i) is int for i in indexes), f"the manifest's {name} are no indexes"
        )
        for index in set(indexes):
            found.setdefault(index, []).append(name)
    return found


def number(found: Any, name: str) -> int:
    value = found.get(name) if isinstance(found, dict) else None
    if type(value) is not int or not 0 <= value < 2**63:
        raise Wrong(f"{name} is not a number of the log")
    return value


# --- The verdict ----------------------------------------------------------------------------------------------------


class Verdict:
    """What was checked and what was not, in the order in which it happened."""

    def __init__(self) -> None:
        self.right: list[str] = []
        self.open: list[str] = []
        self.known: dict[int, bytes] = {}

    def check(
        self, manifest_note: Note, checkpoint: Note, bundle: Bundle, given: list[Key], witnesses: list[Key]
    ) -> tuple[str, int, bytes]:
        keys = published(bundle)
        origin, size, root = checkpoint.head()
        manifest = bundle.manifest
        same = manifest.get("log") == origin and manifest.get("size") == size and manifest.get("root") == root.hex()
        require(same, "the checkpoint is not the one of the manifest")
        self._signatures(checkpoint, manifest_note, keys, given)
        self._cosignatures(checkpoint, witnesses, published(bundle, witnesses=True))
        self._entries(bundle, size, root)
        self._history(bundle, keys + given, size, root)
        return origin, size, root

    def _signatures(self, checkpoint: Note, manifest_note: Note, keys: list[Key], given: list[Key]) -> None:
        signers = sorted(checkpoint.signed_by(keys + given), key=lambda key: key.text)
        require(signers, "the checkpoint is not signed by any key that is known")
        trusted = [key for key in signers if key.text in {one.text for one in given}] if given else signers
        require(
            trusted, "the checkpoint is not signed by a key that you gave: it is another log's, or somebody else's work"
        )
        # Anybody can add a signature of his own to a checkpoint: only a key that is trusted vouches for the manifest.
        makers = manifest_note.signed_by(trusted)
        if not makers and manifest_note.signed_by(signers):
            raise Unclear(
                "the manifest is signed with another key than you gave. That is so right after the log got another key,\n"
                "and also if somebody else wrote this manifest. Get the new key from the operator, give it with --key too"
            )
        require(makers, "the manifest is not signed with a key that signed the checkpoint")
        maker = sorted(key.text for key in makers)[0]
        if given:
            self.right.append(f"the checkpoint is signed with your key {maker}")
        else:
            self.right.append(f"the checkpoint is signed with {maker}, a key that came with it")
            self.open.append(
                "WHOSE KEY IT IS. You gave none (--key), so the key came with the bundle, and anybody can make a key and\n"
                "    a whole bundle with it. Get the key from the operator in another way, and compare."
            )
        self.right.append("the manifest (who made this, when, for which question) is signed with the same key")

    def _cosignatures(self, checkpoint: Note, witnesses: list[Key], named: list[Key]) -> None:
        """Of the witnesses that were given, all must have signed; of those that the bundle names, any may."""
        given = checkpoint.signed_by(witnesses)
        missing = sorted({key.text for key in witnesses} - {key.text for key in given})
        require(not missing, f"the checkpoint is not cosigned by {', '.join(missing)}")
        for key, seconds in given.items():
            self.right.append(f"the witness {key.name} saw this checkpoint at {moment(seconds)}")
        if witnesses:
            return
        claimed = [f"{key.name} at {moment(seconds)}" for key, seconds in checkpoint.signed_by(named).items()]
        also = f" It carries cosignatures, with keys that came with it: {', '.join(claimed)}." if claimed else ""
        self.open.append(
            "WHETHER SOMEBODY ELSE SAW THE SAME LOG. You gave no witness's key (--witness-key) and no checkpoint kept\n"
            f"    elsewhere (--checkpoint). Who holds the log's key could show you another log than others.{also}"
        )

    def _entries(self, bundle: Bundle, size: int, root: bytes) -> None:
        entries, hashes = Entries(bundle), bundle.lines("hashes.txt")
        require(entries.size == size, "the manifest is about a log of another size")
        require(
            fold(0, size, entries, hashes) == root,
            "the entries do not give the root of the checkpoint: one of them was changed",
        )
        require(next(hashes, None) is None, "hashes.txt holds more than is needed")
        entries.finish(bundle.manifest)
        until = f", from {entries.since} to {entries.until}" if entries.count else ""
        self.right.append(
            f"{entries.count} entries{until} are in the log of {size} entries, each in its place, unchanged"
        )
        if entries.extra:
            self.right.append(f"so are {entries.extra} more: erasures, archives and open intents that concern them")
        if entries.complete:
            self.right.append(
                f"they are all that the log has from entry {entries.first} to {entries.end - 1}: none is left out"
            )
        else:
            self.open.append(
                f"WHETHER ALL IS HERE THAT THE QUESTION FITS. It is a selection from the entries {entries.first} to"
                f" {entries.end - 1}:\n    what was left out cannot be seen. Ask for the whole range where that matters."
            )
        if entries.first > 0 or entries.end < size or not entries.complete:
            self.open.append(
                "WHETHER MORE OF THE LOG CONCERNS IT. Erasures, archives and what became of open intents, where they are\n"
                "    no part of the question, were looked up by who made this bundle: that none is left out cannot be seen."
            )
        if entries.texts:
            self.open.append(
                f"THE CONTENT OF {entries.texts} PAYLOADS. They were opened by who made this bundle; the log holds only\n"
                "    digests of what was encrypted, so what they say is that person's word."
            )

    def _history(self, bundle: Bundle, keys: list[Key], size: int, root: bytes) -> None:
        self.known = {size: root}
        listed = parse_json(bundle.small("consistency.json"), "consistency.json")
        require(isinstance(listed, list) and len(listed) <= 100, "consistency.json is not a list of proofs")
        for each in listed:
            note = Note(
                str(each.get("checkpoint") if isinstance(each, dict) else "").encode(),
                "a checkpoint in consistency.json",
            )
            _, old, old_root = note.head()
            require(note.signed_by(keys), f"the checkpoint of {old} entries is not signed by a key that is known")
            require(
                is_consistent(old, size, proof_of(each), old_root, root),
                f"the log does not extend its checkpoint of {old} entries",
            )
            self.known[old] = old_root
            self.right.append(f"the log extends its own checkpoint of {old} entries")

    def compare(self, note: Note, keys: list[Key], size: int, root: bytes, proofs: list[dict[str, Any]]) -> None:
        """With a checkpoint that was kept elsewhere."""
        _, kept, kept_root = note.head()
        require(note.signed_by(keys), f"{note.what} is not signed by a key of this log")
        between = sorted((kept, size))
        for proof in proofs:
            if [proof.get("from"), proof.get("to")] == between:
                roots = (kept_root, root) if kept <= size else (root, kept_root)
                require(
                    is_consistent(between[0], between[1], proof_of(proof), *roots),
                    f"the log is not the one of {note.what}",
                )
                self.known[kept] = kept_root
        if kept not in self.known:
            raise Unclear(
                f"{note.what} is of {kept} entries, and the bundle proves nothing about that size. Get the proof from"
                f" GET /api/v1/audit/proof/consistency?from={between[0]}&to={between[1]} and give it with --consistency"
            )
        require(
            self.known[kept] == kept_root,
            f"{note.what} is of another history: the log was rewritten, or it is another log",
        )
        self.right.append(f"the log extends {note.what} ({kept} entries)")


def moment(seconds: int) -> str:
    utc = timezone.utc  # noqa: UP017  Python 3.9 has no other name for it
    return f"{datetime.fromtimestamp(min(seconds, 253402300799), utc):%Y-%m-%d %H:%M:%S} UTC"


def proof_of(found: Any) -> list[bytes]:
    proof = found.get("proof") if isinstance(found, dict) else None
    hashes = [str(one) for one in proof] if isinstance(proof, list) and len(proof) <= 130 else [""]
    require(all(re.fullmatch("[0-9a-f]{64}", one) for one in hashes), "there is a proof that is not a list of hashes")
    return [bytes.fromhex(one) for one in hashes]


def published(bundle: Bundle, *, witnesses: bool = False) -> list[Key]:
    listed = parse_json(bundle.small("keys.json"), "keys.json")
    require(isinstance(listed, list) and 0 < len(listed) <= 1000, "keys.json is not a list of keys")
    try:
        found = [Key(one.get("key") if isinstance(one, dict) else one) for one in listed]
    except Unclear as error:
        raise Wrong(f"keys.json: {error}") from None
    return [key for key in found if key.cosigns is witnesses]


def read_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(SMALL)
    except OSError as error:
        raise Unclear(f"{path} cannot be read: {error}") from None


def verify(options: argparse.Namespace, verdict: Verdict) -> tuple[dict[str, Any], str]:
    given, witnesses = [Key(text) for text in options.key], [Key(text) for text in options.witness_key]
    if any(key.cosigns for key in given) or not all(key.cosigns for key in witnesses):
        raise Unclear(
            "--key takes the log's key, --witness-key that of a witness: one of them was given in the other's place"
        )
    try:
        bundle = Bundle(options.bundle)
    except OSError as error:
        raise Unclear(f"{options.bundle} cannot be read: {error}") from None
    content = bundle.whole("manifest.json")
    manifest_note = Note(bundle.whole("manifest.note"), "manifest.note")
    said = f"sha256 {hashlib.sha256(content).hexdigest()}"
    require(manifest_note.text.split("\n")[1:] == [said, ""], "manifest.json is not the one that was signed")
    checkpoint = Note(bundle.small("checkpoint.txt"), "checkpoint.txt")
    for name in ("README.txt", "countersign_verify.py"):
        bundle.small(name)
    origin, size, root = verdict.check(manifest_note, checkpoint, bundle, given, witnesses)
    require(manifest_note.text.split("\n")[0] == f"{origin} evidence", "the manifest was signed for another log")
    verdict.right.insert(
        0, f"all {len(bundle.names)} files are as the manifest says, and nothing else is in the bundle"
    )
    proofs = [parse_json(read_file(path), path) for path in options.consistency]
    require(all(isinstance(proof, dict) for proof in proofs), "what was given with --consistency is not a proof")
    for path in options.checkpoint:
        verdict.compare(Note(read_file(path), path), given or published(bundle), size, root, proofs)
    if options.checkpoint:
        verdict.open = [one for one in verdict.open if not one.startswith("WHETHER SOMEBODY")]
    return bundle.manifest, origin


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Checks a Countersign evidence bundle.", epilog="Exit code 0: right, 1: wrong, 2: unclear."
    )
    parser.add_argument("bundle")
    several: dict[str, Any] = {"action": "append", "default": []}
    parser.add_argument(
        "--key", metavar="VERIFIER_KEY", help="who must have signed: the log's key, from the operator", **several
    )
    parser.add_argument("--witness-key", metavar="VERIFIER_KEY", help="a witness who must have cosigned", **several)
    parser.add_argument(
        "--checkpoint", metavar="FILE", help="a checkpoint of this log that was kept elsewhere", **several
    )
    parser.add_argument("--consistency", metavar="FILE", help="a consistency proof for it, as REST gives it", **several)
    options, verdict, write = parser.parse_args(arguments), Verdict(), sys.stdout.write
    try:
        manifest, origin = verify(options, verdict)
    except Wrong as wrong:
        write(f"WRONG: {short(wrong)}\n\nVERDICT: this bundle proves nothing. Do not rely on it.\n")
        return 1
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, MemoryError) as error:
        write(f"WRONG: it is not built as a bundle is: {short(error)}\n\nVERDICT: this bundle proves nothing.\n")
        return 1
    except Unclear as unclear:
        write(f"UNCLEAR: {unclear}\n\nVERDICT: it could not be checked.\n")
        return 2
    write(f"Evidence from the log {short(origin)}\n")
    write(f"made by {short(manifest.get('made_by'))} at {short(manifest.get('made_at'))}\n")
    write(f"question: {short(json.dumps(manifest.get('query'), sort_keys=True))}\n\nChecked and right:\n")
    for line in verdict.right:
        write(f"  + {line}\n")
    if verdict.open:
        write("\nNot checked:\n" + "".join(f"  - {line}\n" for line in verdict.open))
    write("\nIt cannot show what went round the gateway.\n\n")
    vouched = "." if options.key else ", but no key of yours vouches for it: anybody could have made it. Give --key."
    write(f"VERDICT: everything that was checked is right{vouched}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
