"""The key of a data source's pseudonyms, as the database needs it.

It is derived from the last of `COUNTERSIGN_ENCRYPTION_KEYS`: a new key is put before the others, so pseudonyms stay the
same as long as the oldest key does, and change, all at once, when it is taken out. Each data source has a key of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from governance.masking.masks.pseudonym import INNER, OUTER
from governance.models import DataSource
from governance.policy.decision import MaskedColumn

MASK = "pseudonym"
BLOCK = 64
Settings = tuple[tuple[str, str], ...]


def settings_for(datasource: DataSource, masks: Iterable[MaskedColumn]) -> Settings:
    """What the driver sets for the one transaction: nothing, unless some column is put under pseudonyms in it."""
    if not any(mask.mask == MASK for mask in masks):
        return ()
    return _blocks(settings.COUNTERSIGN_ENCRYPTION_KEYS[-1], datasource.pk)


@lru_cache(maxsize=256)
def _blocks(root: str, datasource: int) -> Settings:
    info = f"countersign pseudonyms v1 {datasource}".encode()
    key = HKDF(algorithm=SHA256(), length=hashlib.sha256().digest_size, salt=None, info=info).derive(root.encode())
    padded = key.ljust(BLOCK, b"\0")
    return tuple((name, bytes(byte ^ pad for byte in padded).hex()) for name, pad in ((INNER, 0x36), (OUTER, 0x5C)))
