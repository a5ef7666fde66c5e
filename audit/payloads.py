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
from identity.sealing import UnsealError, seal, unseal

PURPOSE = "audit.payload"
LARGEST_PAYLOAD = 16 * 1024 * 1024


class PayloadTooLarge(ValueError):
    """More than one entry may carry."""


def seal_payload(payload: Mapping[str, object], subject: str) -> SealedPayload:
    """`subject` is whose content it is: the principal's label, or whoever it acts on behalf of."""
    plain = _spell(payload)
    if len(plain) > LARGEST_PAYLOAD:
        raise PayloadTooLarge(f"the payload has {len(plain)} bytes, at most {LARGEST_PAYLOAD} are kept with an entry")
    nonce, ciphertext = os.urandom(16), seal(plain, PURPOSE)
    return SealedPayload(None, nonce, ciphertext, payload_digest(nonce, ciphertext))


def unseal_payload(key: uuid.UUID | None, ciphertext: bytes) -> dict[str, object]:
    """`key` is the payload's `SubjectKey`. Raises `identity.sealing.UnsealError`."""
    if key is not None:
        raise UnsealError(f"there is no key {key}")
    plain: dict[str, object] = json.loads(unseal(ciphertext, PURPOSE))
    return plain


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
