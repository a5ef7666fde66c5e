"""One writer per process, in batches.

Whatever has queued while the last batch was being written is the next batch: under load batches grow, alone a caller
waits for nobody. There is no timer. Who finds nobody writing and nobody queued writes its own entry at once, in its own
thread; everybody else queues, and a thread writes what has queued. Callers of an event loop are told once per batch.

How an append ends when it does not succeed:
    certain     the database refused, was not reachable, or the caller gave up before its draft was taken: not recorded
    ambiguous   the connection broke, or the caller gave up, while the batch was under way: recorded or not
Before the next batch after an ambiguous one, the head's epoch is raised: from then on the lost batch cannot land.
"""

from __future__ import annotations

import asyncio
import logging
import select
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Protocol, cast

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


class Claim(Protocol):
    """A lock that is taken once and never given back."""

    def acquire(self, blocking: bool = ..., timeout: float = ...) -> bool: ...


class _Waiting:
    """A draft and its caller. Whoever takes `claim` first decides: the sequencer writes it, or the caller gave up.

    A caller is told by `done`, a lock, if it is a thread, and by its `future` if it is a task of `loop`.
    """

    __slots__ = ("claim", "done", "draft", "error", "future", "loop", "receipt")

    def __init__(self, draft: Draft, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.draft = draft
        self.claim: Claim = threading.Lock()
        self.done: Any = None
        self.loop = loop
        self.future: Any = None if loop is None else loop.create_future()
        self.receipt: Receipt | None = None
        self.error: LedgerUnavailable | None = None

    def gave_up(self) -> LedgerUnavailable:
        if self.claim.acquire(blocking=False):
            return LedgerUnavailable(f"the ledger did not take the entry within {LONGEST_WAIT:.0f} s: not recorded")
        return LedgerUnavailable(
            f"the ledger did not confirm the entry within {LONGEST_WAIT:.0f} s: whether it is recorded is not known",
            ambiguous=True,
        )

    def result(self) -> Receipt:
        if self.error:
            raise self.error
        return cast("Receipt", self.receipt)  # settled without an error


class Sequencer:
    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._connection: psycopg.Connection[Any] | None = None
        self._head: HeadState | None = None
        self._unsettled = False
        self._patience = _Patience()
        # Held by whoever writes: the thread as long as anything is queued, or a caller that found nothing queued.
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="ledger-sequencer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def append(self, draft: Draft) -> Receipt:
        waiting = _Waiting(draft)
        if self._queue.empty() and self._turn.acquire(blocking=False):
            try:
                waiting.claim.acquire()
                self._serve([waiting])
            finally:
                self._turn.release()
            return waiting.result()
        waiting.done = threading.Lock()
        waiting.done.acquire()
        self._queue.put(waiting)
        if not waiting.done.acquire(timeout=LONGEST_WAIT):
            raise waiting.gave_up()
        return waiting.result()

    async def append_async(self, draft: Draft) -> Receipt:
        """The same for a task: its event loop goes on meanwhile. Cancelling the task does not take the entry back."""
        waiting = _Waiting(draft, asyncio.get_running_loop())
        self._patience.watch(waiting)
        self._queue.put(waiting)
        return await waiting.future  # type: ignore[no-any-return]

    def close(self) -> None:
        """Writes what is queued, then ends the thread and its connection."""
        self._queue.put(None)
        self._thread.join(LONGEST_WAIT)

    # --- In the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        closing = False
        while not closing:
            first = self._queue.get()
            with self._turn:
                closing = self._write_queued(first)
        self._disconnect()

    def _write_queued(self, item: _Waiting | None) -> bool:
        """Batch after batch until nothing is queued any more; True if told to close."""
        while item is not None:
            batch, closing = self._take(item)
            if batch:
                self._serve(batch)
            if closing:
                return True
            try:
                item = self._queue.get_nowait()
            except Empty:
                return False
        return True

    def _take(self, item: _Waiting | None) -> tuple[list[_Waiting], bool]:
        batch: list[_Waiting] = []
        size = 0
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

    # --- In whoever has the turn ----------------------------------------------------------------------------------

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
            waiting.receipt = receipt
        _tell(batch)
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
    left = [waiting for waiting in batch if waiting.receipt is None and waiting.error is None]
    for waiting in left:
        # Its own exception for each caller: they are raised in different threads.
        waiting.error = LedgerUnavailable(str(error), ambiguous=error.ambiguous)
    _tell(left)


def _tell(batch: Sequence[_Waiting]) -> None:
    """Wakes every caller; those of one event loop together, for waking a loop costs as much as waking a thread."""
    loops: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for waiting in batch:
        if waiting.done is not None:
            waiting.done.release()
        elif waiting.loop is not None:
            loops.setdefault(waiting.loop, []).append(waiting)
    for loop, told in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, told)
        except RuntimeError:
            logger.warning("%d callers of the ledger are gone: their event loop is closed", len(told))


def _settle(batch: Sequence[_Waiting]) -> None:
    for waiting in batch:
        future = waiting.future
        if future.done():
            continue
        if waiting.error is not None:
            future.set_exception(waiting.error)
        else:
            future.set_result(waiting.receipt)


class _Patience:
    """Ends the waits of tasks that last too long. All last equally long, so one look a second at the oldest of an event
    loop does what a timer for each would, at a fraction of the cost."""

    LOOK = 1.0

    def __init__(self) -> None:
        # Of each event loop on which somebody waits.
        self._watched: dict[asyncio.AbstractEventLoop, deque[tuple[float, _Waiting]]] = {}

    def watch(self, waiting: _Waiting) -> None:
        loop = cast("asyncio.AbstractEventLoop", waiting.loop)
        watched = self._watched.get(loop)
        if watched is None:
            self._forget_closed()
            watched = self._watched[loop] = deque()
            loop.call_later(self.LOOK, self._look, loop)
        watched.append((loop.time() + LONGEST_WAIT, waiting))

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        watched, now = self._watched[loop], loop.time()
        while watched and (watched[0][1].future.done() or watched[0][0] <= now):
            _, waiting = watched.popleft()
            if not waiting.future.done():
                waiting.future.set_exception(waiting.gave_up())
        if watched:
            loop.call_later(min(self.LOOK, watched[0][0] - now), self._look, loop)
        else:
            del self._watched[loop]

    def _forget_closed(self) -> None:
        # A copy: other loops' threads come and go.
        for loop in list(self._watched):
            if loop.is_closed():
                self._watched.pop(loop, None)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
