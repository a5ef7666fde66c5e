"""Encryption at rest: AES-256-GCM with a key from the settings, bound to a purpose.

A sealed value is `version(1) ‖ key id(4) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`; the purpose is authenticated with it, so
a sealed DSN cannot be moved into a column that is shown to people.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

VERSION = b"\x01"


class UnsealError(Exception):
    """The value was not sealed for this purpose, was changed, or its key is no longer configured."""


@lru_cache(maxsize=32)
def _cipher(key: str) -> tuple[bytes, AESGCM]:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"countersign sealing v1").derive(key.encode())
    return hashlib.sha256(b"key id" + derived).digest()[:4], AESGCM(derived)


def seal(value: bytes, purpose: str) -> bytes:
    key_id, cipher = _cipher(settings.COUNTERSIGN_ENCRYPTION_KEYS[0])
    nonce = os.urandom(12)
    return VERSION + key_id + nonce + cipher.encrypt(nonce, value, purpose.encode())


def unseal(sealed: bytes, purpose: str) -> bytes:
    """Raises `UnsealError`; never returns something unauthenticated."""
    if sealed[:1] != VERSION or len(sealed) < 33:
        raise UnsealError(f"not a sealed value ({purpose})")
    for key in settings.COUNTERSIGN_ENCRYPTION_KEYS:
        key_id, cipher = _cipher(key)
        if key_id == sealed[1:5]:
            try:
                return cipher.decrypt(sealed[5:17], sealed[17:], purpose.encode())
            except InvalidTag:
                raise UnsealError(f"the sealed value was changed or belongs elsewhere ({purpose})") from None
    raise UnsealError(f"no configured key opens the sealed value ({purpose}); see COUNTERSIGN_ENCRYPTION_KEYS")
