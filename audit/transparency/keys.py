"""The keys that sign checkpoints. One is in use; those before it stay published, so that old checkpoints keep verifying.

The log is named by its first key and keeps that name: it is the origin of every checkpoint, and whoever verifies knows
the log by it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit import ledger
from audit.models import LogKey
from audit.transparency.notes import ED25519, Signer, VerifierKey
from identity.sealing import UnsealError, seal, unseal

logger = logging.getLogger(__name__)

PURPOSE = "audit.logkey.sealed"
LONGEST_REASON = 300
# One number for all that signs and makes keys; the ledger's other advisory locks have others.
SIGNING_LOCK = 0x436F756E74657201
LOCK_TIMEOUT = "5000"


class KeyUnusable(Exception):
    """The key in use does not open: its encryption key is not configured any more, or its row was changed."""


@dataclass(frozen=True, slots=True)
class PublishedKey:
    name: str
    id: str
    verifier_key: str
    created_at: datetime
    retired_at: datetime | None

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey.parse(self.verifier_key)


@contextmanager
def signing_alone() -> Iterator[None]:
    """A transaction in which nobody else makes a key or signs: what it reads of both holds until its end."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SIGNING_LOCK])
        yield


def current_key() -> PublishedKey:
    """The key in use; made when there is none yet."""
    return _published(_in_use() or _make_first())


def origin() -> str:
    """The name of the log, as the first line of every checkpoint says it."""
    return current_key().name


def published_keys() -> list[PublishedKey]:
    """Every key that has ever signed, newest first."""
    return [_published(row) for row in LogKey.objects.order_by("-created_at")]


def verifier_keys() -> list[VerifierKey]:
    return [key.verifier for key in published_keys()]


def check_key() -> None:
    """Raises `KeyUnusable` where there is a key and it could not sign."""
    row = _in_use()
    if row is not None:
        _open(row)


def rotate(actor: str, reason: str = "") -> PublishedKey:
    """Another key signs from now on. The next checkpoint is signed by both, which hands trust over from old to new."""
    current_key()
    with signing_alone():
        old = LogKey.objects.get(retired_at__isnull=True)
        now = timezone.now()
        LogKey.objects.filter(pk=old.pk).update(retired_at=now)
        new = _published(_make(old.name, now))
        ledger.append_within(
            "key.rotated",
            actor=actor,
            key=new.verifier_key,
            previous=_published(old).verifier_key,
            name=new.name,
            reason=reason[:LONGEST_REASON] or None,
        )
    return new


def signers(last_signed_by: Collection[VerifierKey]) -> list[Signer]:
    """Who signs the next checkpoint: the key in use, and the one that signed the last, where that was another."""
    current = current_key()
    chosen = [_open(LogKey.objects.get(pk=current.id))]
    before = {key.id.hex() for key in last_signed_by}
    for row in () if current.id in before else LogKey.objects.filter(pk__in=before).exclude(sealed=b""):
        try:
            chosen.append(_open(row))
        except KeyUnusable as error:
            # It is being replaced; without its signature the new key has to be made known in another way.
            logger.critical("The retired key %s cannot hand over to %s: %s", row, current.id, error)
    return chosen


def destroy_retired() -> None:
    """Once the new key has signed beside them, what a thief could sign with is no longer kept."""
    LogKey.objects.filter(retired_at__isnull=False).exclude(sealed=b"").update(sealed=b"")


def _in_use() -> LogKey | None:
    return LogKey.objects.filter(retired_at__isnull=True).first()


def _make_first() -> LogKey:
    with signing_alone():
        return _in_use() or _make(settings.COUNTERSIGN_LOG_NAME, timezone.now())


def _make(name: str, now: datetime) -> LogKey:
    private = Ed25519PrivateKey.generate()
    key = Signer(name, private).verifier_key
    return LogKey.objects.create(
        id=key.id.hex(),
        name=name,
        public=key.public,
        sealed=seal(private.private_bytes_raw(), PURPOSE),
        created_at=now,
    )


def _open(row: LogKey) -> Signer:
    """Raises `KeyUnusable` unless it is the private half of what is published."""
    try:
        signer = Signer(row.name, Ed25519PrivateKey.from_private_bytes(unseal(bytes(row.sealed), PURPOSE)))
        own = signer.verifier_key
        published = (own.public, own.id.hex()) == (bytes(row.public), row.id)
    except (UnsealError, ValueError) as error:
        raise KeyUnusable(
            f"the log's key {row} cannot be opened ({error}): give the encryption key that sealed it in"
            " COUNTERSIGN_ENCRYPTION_KEYS, or rotate the log's key"
        ) from error
    if not published:
        raise KeyUnusable(f"the log's key {row} does not belong to what is published: its row was changed")
    return signer


def _published(row: LogKey) -> PublishedKey:
    key = VerifierKey(row.name, ED25519, bytes(row.public))
    return PublishedKey(row.name, row.id, str(key), row.created_at, row.retired_at)
