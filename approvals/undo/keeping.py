"""The kept rows: written sealed before the change commits, read for an undo, deleted when their time is over."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import receiver
from django.utils import timezone

from approvals.models import Request, UndoChunk, UndoLog
from approvals.moving import record
from approvals.signals import request_moved
from approvals.states import State
from approvals.undo.restoring import Kept
from approvals.undo.values import Image, Row, Undoable
from audit.ledger import LedgerUnavailable
from governance.catalogue.model import RelationKind

logger = logging.getLogger(__name__)
ROWS_A_CHUNK = 500
AT_ONCE = 200
# In these states the change of the attempt is not there, so there is nothing to take back.
NOTHING_DONE = frozenset({State.APPROVED, State.FAILED, State.DRIFTED})


def keep(request: Request, undoable: Undoable, images: list[Image], *, attempt: int, xid: str) -> UndoLog:
    """In the caller's transaction, which makes the transaction id durable as well: before the change commits."""
    UndoLog.objects.filter(request=request).delete()
    relation = undoable.relation
    log = UndoLog.objects.create(
        request=request,
        attempt=attempt,
        xid=xid,
        schema=relation.schema,
        relation=relation.name,
        verb=undoable.verb.value,
        key=list(undoable.key),
        columns=[[column.name, column.type] for column in undoable.columns],
        row_count=len(images),
        bytes=sum(_size(before) + _size(after) for before, after in images),
        expires_at=timezone.now() + timedelta(days=settings.UNDO_DAYS),
    )
    chunks = range(0, len(images), ROWS_A_CHUNK)
    UndoChunk.objects.bulk_create(
        UndoChunk(log=log, number=number, content=images[start : start + ROWS_A_CHUNK])
        for number, start in enumerate(chunks)
    )
    record(
        request, "undo.kept", rows=log.row_count, relation=relation.qualified, action=log.verb, bytes=log.bytes,
        expires_at=log.expires_at.isoformat(), transaction_id=xid, attempt=attempt,
    )  # fmt: skip
    return log


def _size(row: Row | None) -> int:
    return sum(len(value) for value in row if value is not None) if row else 0


def images_of(log: UndoLog) -> Iterator[Image]:
    for chunk in log.chunks.iterator(chunk_size=10):
        yield from ((before, after) for before, after in chunk.content)


def kept_of(log: UndoLog, kind: RelationKind) -> Kept:
    columns = tuple((str(name), str(of_type)) for name, of_type in log.columns)
    return Kept(log.schema, log.relation, kind is RelationKind.TABLE, tuple(log.key), columns)


def log_of(request: Request) -> UndoLog | None:
    """The rows of a change that is there and can still be taken back."""
    log = UndoLog.objects.filter(request=request).first()
    over = log is None or log.emptied_at is not None or log.expires_at <= timezone.now()
    return None if over or request.state != State.EXECUTED else log


def standing_revert(request: Request) -> Request | None:
    """What has taken the change back already, or waits to: unless that was taken back in turn."""
    for revert in request.reverted_by.filter(state__in=[*WAITING, State.EXECUTED, State.UNKNOWN]):
        if revert.state != State.EXECUTED or not revert.reverted_by.filter(state=State.EXECUTED).exists():
            return revert
    return None


WAITING = (State.PENDING, State.APPROVED, State.EXECUTING)


# --- The end of them ----------------------------------------------------------------------------------------------


@receiver(request_moved, dispatch_uid="approvals.undo.drop")
def drop_what_was_not_done(sender: type[Request], request: Request, **_: object) -> None:
    """An attempt that was rolled back loses its rows, in the transaction that says so."""
    log = UndoLog.objects.filter(request=request).first() if request.state in NOTHING_DONE else None
    if log is not None:
        rows = log.row_count
        log.delete()
        record(request, "undo.emptied", rows=rows, reason="the change was not made")


def empty_due() -> int:
    """Deletes the rows whose time is over; how many logs. One that the ledger cannot be told of stays for the next time."""
    due = UndoLog.objects.filter(emptied_at__isnull=True, expires_at__lte=timezone.now())
    emptied = 0
    for pk in due.values_list("pk", flat=True)[:AT_ONCE]:
        try:
            emptied += _empty_one(pk)
        except LedgerUnavailable as error:
            logger.warning("Kept rows of request %s cannot be deleted yet: %s", pk, error)
            break
    return emptied


@transaction.atomic
def _empty_one(pk: uuid.UUID) -> int:
    log = UndoLog.objects.select_for_update(skip_locked=True).filter(pk=pk, emptied_at__isnull=True).first()
    if log is None:
        return 0
    empty([log], timezone.now())
    record(log.request, "undo.emptied", rows=log.row_count, reason="their time is over")
    return 1


def empty(logs: Iterable[UndoLog] | QuerySet[UndoLog], emptied_at: datetime) -> None:
    """What remains says that there were rows, and how many."""
    pks = [log.pk for log in logs]
    UndoChunk.objects.filter(log__in=pks).delete()
    UndoLog.objects.filter(pk__in=pks).update(emptied_at=emptied_at)
