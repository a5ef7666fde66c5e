"""One thread per process that writes to the ledger, in batches.

Callers put a draft into the queue and wait. Whatever has queued while the last batch was being written is the next
batch: under load batches grow, alone a caller waits for nobody. There is no timer.

How an append ends when it does not succeed:
    certain     the database refused, was not reachable, or the caller gave up before its draft was taken: not recorded
    ambiguous   the connection broke, or the caller gave up, while the batch was under way: recorded or not
Before the next batch after an ambiguous one, the head's epoch is raised: from then on the lost batch cannot land.
"""

from __future__ import annotations

import logging
import select
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, cast

import psycopg

from audit.announcements import announce
from audit.batches import HeadState, NotDurable, Receipt, Written, raise_epoch, read_head, write_batch
from audit.entries import Draft

logger = logging.getLogger(__name__)

MOST_ENTRIES = 512
MOST_PAYLOAD_BYTES = 32 * 1024 * 1024
LONGEST_WAIT = 5.0

Connect = Callable[[], psycopg.Connection[Any]]


class LedgerUnavailable(Exception):
    """The event is not known to be recorded, so what it announces must not happen (P3).

    `ambiguous`: it may have been recorded all the same. Otherwise it certainly was not.
    """

    def __init__(self, reason: str, *, ambiguous: bool = False) -> None:
        super().__init__(reason)
        self.ambiguous = ambiguous


@dataclass(slots=True, eq=False)
class _Waiting:
    """A draft and its caller. Whoever takes `claim` first decides: the sequencer writes it, or the caller gave up."""

    draft: Draft
    claim: Any = field(default_factory=threading.Lock)
    done: Any = field(default_factory=threading.Lock)
    receipt: Receipt | None = None
    error: LedgerUnavailable | None = None

    def settle(self, receipt: Receipt | None, error: LedgerUnavailable | None = None) -> None:
        self.receipt, self.error = receipt, error
        self.done.release()


class Sequencer:
    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._connection: psycopg.Connection[Any] | None = None
        self._head: HeadState | None = None
        self._unsettled = False
        self._thread = threading.Thread(target=self._run, name="ledger-sequencer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def append(self, draft: Draft) -> Receipt:
        waiting = _Waiting(draft)
        waiting.done.acquire()
        self._queue.put(waiting)
        if not waiting.done.acquire(timeout=LONGEST_WAIT):
            if waiting.claim.acquire(blocking=False):
                raise LedgerUnavailable(f"the ledger did not take the entry within {LONGEST_WAIT:.0f} s: not recorded")
            raise LedgerUnavailable(
                f"the ledger did not confirm the entry within {LONGEST_WAIT:.0f} s: whether it is recorded is not known",
                ambiguous=True,
            )
        if waiting.error:
            raise waiting.error
        return cast("Receipt", waiting.receipt)  # settled without an error

    def close(self) -> None:
        """Writes what is queued, then ends the thread and its connection."""
        self._queue.put(None)
        self._thread.join(LONGEST_WAIT)

    # --- In the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        closing = False
        while not closing:
            batch, closing = self._take()
            if batch:
                self._serve(batch)
        self._disconnect()

    def _take(self) -> tuple[list[_Waiting], bool]:
        batch: list[_Waiting] = []
        size = 0
        item = self._queue.get()
        while item is not None:
            if item.claim.acquire(blocking=False):
                batch.append(item)
                size += len(item.draft.payload.ciphertext) if item.draft.payload else 0
            if len(batch) >= MOST_ENTRIES or size >= MOST_PAYLOAD_BYTES:
                return batch, False
            try:
                item = self._queue.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _serve(self, batch: Sequence[_Waiting]) -> None:
        """Every caller of the batch gets an answer, whatever happens."""
        try:
            self._write(batch)
        except psycopg.DataError as error:
            self._write_one_by_one(batch, error)
        except LedgerUnavailable as error:
            _refuse(batch, error)
        except Exception as error:  # a caller that is never answered would hang
            logger.exception("the ledger's sequencer failed")
            self._disconnect()
            self._unsettled = True
            _refuse(batch, LedgerUnavailable(f"the ledger failed: {error!r}", ambiguous=True))

    def _write_one_by_one(self, batch: Sequence[_Waiting], error: psycopg.DataError) -> None:
        """The database cannot store something in the batch: only the event that holds it is refused."""
        if len(batch) == 1:
            logger.error("the database refused an entry of kind %s: %s", batch[0].draft.kind, error)
            _refuse(batch, LedgerUnavailable(f"the database refused the entry: {error}"))
            return
        for waiting in batch:
            self._serve([waiting])

    def _write(self, batch: Sequence[_Waiting]) -> None:
        drafts = [waiting.draft for waiting in batch]
        connection = self._ready()
        try:
            with connection.cursor() as cursor:
                written = write_batch(cursor, self._known_head(cursor), drafts)
            if written is None:
                written = self._write_locked(connection, drafts)
        except psycopg.DataError:
            raise
        except (psycopg.Error, NotDurable) as error:
            raise self._lost(connection, error) from error
        self._head = written.head
        for waiting, receipt in zip(batch, written.receipts, strict=True):
            waiting.settle(receipt)
        announce(self._head.size)

    def _write_locked(self, connection: psycopg.Connection[Any], drafts: Sequence[Draft]) -> Written:
        """Another process moved the head: take its lock and write again. Nobody can come between, so nobody starves."""
        with connection.transaction(), connection.cursor() as cursor:
            written = write_batch(cursor, read_head(cursor, lock=True), drafts)
            if written is None:
                raise NotDurable("the ledger's head changed although it was locked")
        return written

    def _known_head(self, cursor: psycopg.Cursor[Any]) -> HeadState:
        if self._head is None:
            if self._unsettled:
                raise_epoch(cursor)
                self._unsettled = False
            self._head = read_head(cursor)
        return self._head

    def _ready(self) -> psycopg.Connection[Any]:
        if self._connection is not None and _has_ended(self._connection):
            # Nothing was under way, so nothing is ambiguous: the server went and came back between two batches.
            self._disconnect()
        if self._connection is None:
            try:
                self._connection = self._connect()
            except psycopg.Error as error:
                raise LedgerUnavailable(f"the ledger's database does not answer: {_one_line(error)}") from error
        return self._connection

    def _lost(self, connection: psycopg.Connection[Any], error: Exception) -> LedgerUnavailable:
        # As long as the connection stands, an error is the server's word that it rolled back.
        ambiguous = connection.closed
        self._disconnect()
        self._unsettled = self._unsettled or ambiguous
        if ambiguous:
            return LedgerUnavailable(
                f"the ledger's database went away while writing, whether the entry is recorded is not known:"
                f" {_one_line(error)}",
                ambiguous=True,
            )
        return LedgerUnavailable(f"the ledger cannot write: {_one_line(error)}")

    def _disconnect(self) -> None:
        connection, self._connection, self._head = self._connection, None, None
        if connection is not None:
            connection.close()


def _has_ended(connection: psycopg.Connection[Any]) -> bool:
    """An idle connection has nothing to read, unless the server has said good-bye."""
    if connection.closed:
        return True
    readable, _, _ = select.select([connection.fileno()], [], [], 0)
    return bool(readable)


def _refuse(batch: Sequence[_Waiting], error: LedgerUnavailable) -> None:
    for waiting in batch:
        if waiting.receipt is None and waiting.error is None:
            # Its own exception for each caller: they are raised in different threads.
            waiting.settle(None, LedgerUnavailable(str(error), ambiguous=error.ambiguous))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
