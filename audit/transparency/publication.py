"""Publishing: signs the log when it has grown, and gives the checkpoint to every witness that does not have it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection
from django.db.models import Case, Value, When
from django.utils import timezone

from audit import ledger
from audit.models import Checkpoint, Entry, Witness
from audit.transparency import checkpoints, keys
from audit.transparency.witnesses import give

PUBLISHED = "checkpoint.published"
PUBLISHING_LOCK = 0x436F756E74657202


@dataclass(frozen=True, slots=True)
class Publication:
    checkpoint: Checkpoint
    reached: list[str]
    failed: list[str]


def publish(*, all_now: bool = False) -> Publication | None:
    """With `all_now`, also what is pausing after a failure is tried. None if another process is at it.

    Raises `HistoryDiffers`, `KeyUnusable`: then nothing was signed, and nothing given to anybody.
    """
    with _alone() as alone:
        if not alone:
            return None
        checkpoint = _checkpoint()
        waiting = list(_without(checkpoint))
        now = timezone.now()
        due = [one for one in waiting if all_now or one.retry_at is None or one.retry_at <= now]
        taken = {one.name for one in due if give(one, checkpoint)}
        reached = sorted(taken)
        failed = sorted({one.name for one in waiting} - taken)
        # A witness that stays away is told once; each entry for it would make the log grow, and so need the next.
        if reached or any(one.failures == 0 for one in due):
            _record(checkpoint, reached, failed)
        return Publication(checkpoint, reached, failed)


def has_grown() -> bool:
    """By anything but what publishing itself writes, which would otherwise never come to rest."""
    newest = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first()
    return newest is None or Entry.objects.filter(index__gte=newest).exclude(kind=PUBLISHED).exists()


def _checkpoint() -> Checkpoint:
    if has_grown():
        return checkpoints.latest()
    checkpoints.check_head()
    return checkpoints.latest(fresh=False)


def _without(checkpoint: Checkpoint) -> Iterator[Witness]:
    """Those that sign come first, so that those that keep get their cosignatures too."""
    rank = Case(When(kind="tlog-witness", then=Value(0)), default=Value(1))
    return Witness.objects.filter(is_active=True, size__lt=checkpoint.size).order_by(rank, "name").iterator()


def _record(checkpoint: Checkpoint, reached: list[str], failed: list[str]) -> None:
    ledger.append(
        PUBLISHED,
        size=checkpoint.size,
        root=bytes(checkpoint.root).hex(),
        witnesses=reached,
        failed=failed,
        key=keys.current_key().id,
    )


@contextmanager
def _alone() -> Iterator[bool]:
    """One process at a time, until it is done or its connection breaks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [PUBLISHING_LOCK])
        alone = bool(cursor.fetchone()[0])
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [PUBLISHING_LOCK])
