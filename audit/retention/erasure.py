"""Erasing a subject's content: its keys are destroyed, and the sealed payloads with them; every hash stays true.

    retire    no process begins to seal with the key any more, once a lease is over; new content gets a new key
    destroy   in one transaction: the key is gone, the parts above empty what they keep, the log says so
    delete    the payloads, which nobody can open now, go a piece at a time

It can stop anywhere. Before `destroy` nothing is lost and calling again begins there; after it calling again deletes
what is left. Archives keep the ciphertext, and copies of the database hold what they held: see docs/retention.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from audit import ledger
from audit.events import LONGEST_TEXT, clean_text
from audit.models import Head, SubjectKey
from audit.retention import keys
from audit.retention.signals import subject_erased

AT_ONCE = 20_000
# How long after an erasure something sealed before it can still arrive: nobody waits for an append for longer.
STRAGGLING = timedelta(hours=48)
EVENT = "subject.erased"


class NothingToErase(LookupError):
    """No content of that subject is kept. The message says what to look at."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """`payloads` were in the database then. `entry` is the index of the entry that says so, None if nothing was left to
    destroy, and only to delete."""

    subject: str
    keys: list[uuid.UUID]
    payloads: int
    entry: int | None


def erase(subject: str, *, actor: str, reason: str) -> Erasure:
    """Returns once no process can open the content any more. Raises `NothingToErase`, `LedgerUnavailable`."""
    if connection.in_atomic_block:
        raise RuntimeError("erase must be called outside transactions: it waits, and commits in steps")
    known = list(SubjectKey.objects.filter(subject=subject))
    if not known:
        raise NothingToErase(f"There is no key of {subject!r}. `ledger erase --list` shows the subjects.")
    retire(subject)
    keys.outlast_leases()
    erasure = destroy(subject, actor=actor, reason=reason)
    keys.outlast_leases()
    deleted = delete_payloads([key.id for key in known])
    return erasure or Erasure(subject, [], deleted, None)


def retire(subject: str) -> int:
    return SubjectKey.objects.filter(subject=subject, retired_at__isnull=True).update(retired_at=timezone.now())


def destroy(subject: str, *, actor: str, reason: str) -> Erasure | None:
    """None if all retired keys were destroyed before."""
    retired = SubjectKey.objects.filter(subject=subject, retired_at__isnull=False, erased_at__isnull=True)
    count, first, last = _count_payloads(list(retired.values_list("id", flat=True)))
    with transaction.atomic():
        # Only those: a key that was retired since has leases out.
        ending = list(retired.select_for_update().order_by("id").values_list("id", flat=True))
        if not ending:
            return None
        erased_at = timezone.now()
        SubjectKey.objects.filter(id__in=ending).update(sealed=None, erased_at=erased_at)
        subject_erased.send(SubjectKey, subject=subject, erased_at=erased_at)
        receipt = ledger.append_within(
            EVENT,
            actor=actor,
            keys=[str(one) for one in ending],
            subject=subject,
            payloads=count,
            first=first,
            last=last,
            reason=clean_text(reason, LONGEST_TEXT),
        )
    return Erasure(subject, ending, count, receipt.index)


# --- Payloads -----------------------------------------------------------------------------------------------------

_COUNT = "SELECT count(*), min(index), max(index) FROM audit_payload WHERE index >= %s AND index < %s AND key = ANY(%s)"
_DELETE = "DELETE FROM audit_payload WHERE index >= %s AND index < %s AND key = ANY(%s)"


def _count_payloads(identifiers: Sequence[uuid.UUID]) -> tuple[int, int | None, int | None]:
    total, first, last = 0, None, None
    for start, end in _spans():
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, [start, end, list(identifiers)])
            count, lowest, highest = cursor.fetchone()
        if count:
            total, first, last = total + count, lowest if first is None else first, highest
    return total, first, last


def delete_payloads(identifiers: Sequence[uuid.UUID], since: int = 0) -> int:
    """Those sealed with keys that are destroyed; the database refuses others. Returns how many."""
    destroyed = SubjectKey.objects.filter(id__in=identifiers, erased_at__isnull=False)
    gone = list(destroyed.values_list("id", flat=True))
    deleted = 0
    for start, end in _spans(since) if gone else ():
        with connection.cursor() as cursor:
            cursor.execute(_DELETE, [start, end, gone])
            deleted += cursor.rowcount
    return deleted


def _spans(since: int = 0) -> list[tuple[int, int]]:
    head = Head.objects.get(id=1)
    return [(start, start + AT_ONCE) for start in range(max(since, head.first), head.size, AT_ONCE)]


def sweep_erased() -> int:
    """Deletes what of recently erased subjects came after, or was left when the process ended. Returns how many."""
    recent = SubjectKey.objects.filter(erased_at__gt=timezone.now() - STRAGGLING)
    identifiers = list(recent.values_list("id", flat=True))
    return delete_payloads(identifiers) if identifiers else 0


# --- How it stands ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SubjectState:
    """`unfinished`: an erasure was begun and did not get to destroying the key; erase again."""

    subject: str
    keys: int
    since: datetime
    erased_at: datetime | None
    unfinished: bool


def subjects() -> list[SubjectState]:
    """Everybody of whom content is or was kept, in order of name."""
    found: dict[str, list[SubjectKey]] = {}
    for key in SubjectKey.objects.defer("sealed").order_by("subject", "created_at"):
        found.setdefault(key.subject, []).append(key)
    return [_state(subject, known) for subject, known in found.items()]


def _state(subject: str, known: list[SubjectKey]) -> SubjectState:
    erased = [key.erased_at for key in known if key.erased_at]
    unfinished = any(key.retired_at and not key.erased_at for key in known)
    return SubjectState(subject, len(known), known[0].created_at, max(erased, default=None), unfinished)
