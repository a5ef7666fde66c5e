"""The ledger's only door for writers. If either function raises, the thing that was to be recorded must not happen (P3).

    receipt = append("statement.intent", principal="agent:analyst-bot", …)      # on its own: durable when it returns
    with transaction.atomic():
        …
        append_within("request.approved", request=…, actor=…)                   # with the change that it records

Kinds and fields are registered in `audit/events.py`; `payload` is the sensitive or large part, kept encrypted.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import DatabaseError, InterfaceError, connection, connections, transaction
from psycopg.pq import TransactionStatus

from audit.announcements import announce
from audit.batches import NotDurable, Receipt, read_head, write_batch
from audit.entries import Draft, draft_entry
from audit.payloads import seal_payload
from audit.sequencer import LedgerUnavailable, Sequencer

__all__ = ["LedgerUnavailable", "Receipt", "append", "append_async", "append_within", "check", "close"]

# Shorter than a caller's patience (sequencer.LONGEST_WAIT), so that a stuck database is a certain answer.
STATEMENT_TIMEOUT = "4000"
LOCK_TIMEOUT = "3000"
# A writer that is stopped while it holds the head loses it, and everybody else goes on.
IDLE_TIMEOUT = "2000"
# The same for a change that carries its entry: longer, since the rest of the change may still be under way.
IDLE_WITHIN_TIMEOUT = "10000"
# A server that is stopped does not keep its own time-outs.
ANSWER_TIMEOUT = 4.5

_lock = threading.Lock()
_sequencer: Sequencer | None = None


def append(kind: str, /, *, payload: Mapping[str, object] | None = None, **fields: object) -> Receipt:
    """Durable when it returns. Raises `LedgerUnavailable`; `ValueError` for an event that the registry does not know.

    Refused inside a transaction: the entry would stay although the transaction might roll back.
    """
    if connection.in_atomic_block:
        raise RuntimeError("ledger.append must be called outside transactions; inside one, use append_within")
    draft = _draft(kind, payload, fields)
    return _running_sequencer().append(draft)


async def append_async(kind: str, /, *, payload: Mapping[str, object] | None = None, **fields: object) -> Receipt:
    """`append` for a task. Its event loop goes on while the entry is written, also while `payload` is sealed.

    Cancelling the task does not take the entry back: it may be recorded all the same.
    """
    sealed = None
    if payload is not None:
        sealed = await asyncio.to_thread(seal_payload, payload, subject_of(fields))
    return await _running_sequencer().append_async(draft_entry(kind, fields, sealed))


def append_within(kind: str, /, *, payload: Mapping[str, object] | None = None, **fields: object) -> Receipt:
    """Part of the caller's transaction: durable, and visible, with it.

    All other writers wait from here until the transaction ends: call it last, and do nothing slow afterwards. Waiting
    for locks is bounded from here to the end of the transaction, and so is doing nothing in it: then the database ends
    the session, and nothing of the transaction happened.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("ledger.append_within must be called inside transaction.atomic()")
    draft = _draft(kind, payload, fields)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, true), set_config('idle_in_transaction_session_timeout', %s, true)",
                [LOCK_TIMEOUT, IDLE_WITHIN_TIMEOUT],
            )
            written = write_batch(cursor, read_head(cursor, lock=True), [draft])
    except (DatabaseError, InterfaceError, NotDurable) as error:
        raise LedgerUnavailable(f"the ledger cannot write: {' '.join(str(error).split())}") from error
    if written is None:
        raise LedgerUnavailable("the ledger's head changed although it was locked: not recorded")
    transaction.on_commit(lambda: announce(written.head.size))
    return written.receipts[0]


def _draft(kind: str, payload: Mapping[str, object] | None, fields: Mapping[str, object]) -> Draft:
    return draft_entry(kind, fields, None if payload is None else seal_payload(payload, subject_of(fields)))


def subject_of(fields: Mapping[str, object]) -> str:
    """Whose content an entry's payload is; erasing that subject's key erases it (audit/retention)."""
    return next((str(fields[name]) for name in ("on_behalf_of", "principal", "actor") if fields.get(name)), "system")


def check() -> None:
    """Raises `LedgerUnavailable` unless an append could succeed now. Writes nothing; for health checks."""
    try:
        with _connect() as session, session.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_read_only')")
            if cursor.fetchone() != ("off",):
                raise NotDurable("the ledger's database is read-only (a standby, or default_transaction_read_only)")
            read_head(cursor)
    except (psycopg.Error, NotDurable) as error:
        raise LedgerUnavailable(f"the ledger cannot write: {' '.join(str(error).split())}") from error


def close() -> None:
    """Ends this process's sequencer and its connection; the next append starts another."""
    global _sequencer
    with _lock:
        sequencer, _sequencer = _sequencer, None
    if sequencer is not None:
        sequencer.close()


def _running_sequencer() -> Sequencer:
    global _sequencer
    sequencer = _sequencer
    if sequencer is None or not sequencer.alive:
        with _lock:
            if _sequencer is None or not _sequencer.alive:
                _sequencer = Sequencer(_connect)
            sequencer = _sequencer
    return sequencer


class BoundedConnection(psycopg.Connection[Any]):
    """Waits for an answer for a bounded time; after that it is closed, since what is under way is not known."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, timeout or ANSWER_TIMEOUT)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def _connect() -> psycopg.Connection[Any]:
    """A connection of its own, to the database that Django uses; never from the pool, whose users come and go."""
    parameters = connections["default"].get_connection_params()
    for name in ("context", "cursor_factory", "prepare_threshold"):
        parameters.pop(name, None)
    bounds = {
        "statement_timeout": STATEMENT_TIMEOUT,
        "lock_timeout": LOCK_TIMEOUT,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT,
    }
    options = " ".join([parameters.pop("options", ""), *(f"-c {name}={value}" for name, value in bounds.items())])
    parameters |= {
        "options": options.strip(),
        "application_name": "countersign-ledger",
        "tcp_user_timeout": 5000,
        "keepalives_idle": 5,
    }
    return BoundedConnection.connect(**parameters, autocommit=True, prepare_threshold=2)


def _forget_parent() -> None:
    """A forked child leaves the parent's thread, connection and lock alone and starts its own."""
    global _sequencer, _lock
    _sequencer, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_parent)
atexit.register(close)
