"""The sensitive part of an entry: sealed, beside the entry, tied to it by a digest in the header.

The digest covers a random nonce and the ciphertext, never the plain text: nobody can confirm a guess with it, and it
stays true when the payload is destroyed one day.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from hashlib import sha256

import orjson

from audit.entries import SealedPayload
from audit.retention.keys import ErasedError, key_in_use, key_that_opens
from identity.sealing import UnsealError, unseal

__all__ = [
    "ErasedError", "PayloadTooLarge", "open_payload", "payload_digest", "seal_payload", "unseal_payload",
]  # fmt: skip

PURPOSE = "audit.payload"
LARGEST_PAYLOAD = 16 * 1024 * 1024


class PayloadTooLarge(ValueError):
    """More than one entry may carry."""


def seal_payload(payload: Mapping[str, object], subject: str) -> SealedPayload:
    """`subject` is whose content it is: the principal's label, or whoever it acts on behalf of.

    Raises `audit.ledger.LedgerUnavailable` when the subject's key cannot be had.
    """
    plain = _spell(payload)
    if len(plain) > LARGEST_PAYLOAD:
        raise PayloadTooLarge(f"the payload has {len(plain)} bytes, at most {LARGEST_PAYLOAD} are kept with an entry")
    key = key_in_use(subject)
    nonce, ciphertext = os.urandom(16), key.seal(plain)
    return SealedPayload(key.id, nonce, ciphertext, payload_digest(nonce, ciphertext))


def unseal_payload(key: uuid.UUID | None, ciphertext: bytes) -> dict[str, object]:
    """`key` is the payload's `SubjectKey`; None: the installation's, as before there were subjects' keys.

    Raises `ErasedError` once the subject was erased, `identity.sealing.UnsealError` if it does not open.
    """
    plain = unseal(ciphertext, PURPOSE) if key is None else key_that_opens(key).unseal(ciphertext)
    content: dict[str, object] = json.loads(plain)
    return content


def open_payload(
    fields: Mapping[str, object], stored: tuple[uuid.UUID | None, bytes, bytes] | None
) -> dict[str, object] | None:
    """The payload of an entry with these fields; `stored` is its key, nonce and ciphertext, as far as they are there.

    None for an entry that never had one. One that is missing was erased, or somebody removed it: `ErasedError`,
    `identity.sealing.UnsealError`.
    """
    digest, named = fields.get("payload_digest"), fields.get("payload_key")
    if digest is None:
        return None
    if stored is None:
        if named is not None:
            key_that_opens(uuid.UUID(str(named)))
        raise UnsealError("The payload is missing, and it was not erased. Run `manage.py ledger verify`.")
    key, nonce, ciphertext = stored
    if payload_digest(nonce, ciphertext) != digest:
        raise UnsealError("The payload is not the one that was recorded. Run `manage.py ledger verify`.")
    return unseal_payload(key, ciphertext)


def payload_digest(nonce: bytes, ciphertext: bytes) -> str:
    return sha256(nonce + ciphertext).hexdigest()


def _spell(payload: Mapping[str, object]) -> bytes:
    try:
        return orjson.dumps(dict(payload), default=_spell_other, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # Slower, and takes what orjson does not: integers of any size, broken surrogates.
        return json.dumps(dict(payload), default=_spell_other).encode()


def _spell_other(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"hex": bytes(value).hex()}
    return list(value) if isinstance(value, tuple | set | frozenset) else str(value)
