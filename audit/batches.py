"""What the ledger says to PostgreSQL: read the head, and write one batch of entries in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson

from audit.entries import QUERY_COLUMNS, Draft, Placed, place_entry
from audit.merkle import Frontier


class NotDurable(Exception):
    """The database would lose what it has acknowledged, or has no head. The message says what to change."""


class Cursor(Protocol):
    """What psycopg's cursor and Django's have in common."""

    def execute(self, query: Any, params: Any = ...) -> Any: ...

    def fetchone(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class HeadState:
    frontier: Frontier
    epoch: int
    time: datetime

    @property
    def size(self) -> int:
        return self.frontier.size


_SAFE = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
}
_SETTINGS = ", ".join(f"current_setting('{name}')" for name in _SAFE)
_READ_HEAD = f"SELECT size, frontier, epoch, time, {_SETTINGS} FROM audit_head WHERE id = 1"  # noqa: S608  constants

_TYPES = {"risk": "smallint", "query": "uuid", "request": "uuid", "relations": "text[]"}
_COLUMNS = ", ".join(QUERY_COLUMNS)
_TYPED = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in QUERY_COLUMNS)

# One statement, so one commit. Only the writer that knows the head exactly gets a row from `moved`, and without that
# row nothing is inserted: two writers cannot give out the same index, nor can one extend a tree that it does not know.
_WRITE = f"""
WITH batch AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS row (
        index bigint, "time" timestamptz, kind text, {_TYPED},
        header text, leaf text, nonce text, ciphertext text)
), moved AS (
    UPDATE audit_head SET size = %(new_size)s, frontier = %(new_frontier)s, "time" = %(time)s
    WHERE id = 1 AND size = %(size)s AND epoch = %(epoch)s AND frontier = %(frontier)s
    RETURNING size
), written AS (
    INSERT INTO audit_entry (index, "time", kind, {_COLUMNS}, header, leaf)
    SELECT index, "time", kind, {_COLUMNS}, convert_to(header, 'UTF8'), decode(leaf, 'hex')
    FROM batch, moved ORDER BY index
    RETURNING 1
), sealed AS (
    INSERT INTO audit_payload (index, nonce, ciphertext)
    SELECT index, decode(nonce, 'hex'), decode(ciphertext, 'hex')
    FROM batch, moved WHERE ciphertext IS NOT NULL
)
SELECT count(*) FROM written
"""  # noqa: S608  put together from constants of this package


def read_head(cursor: Cursor, *, lock: bool = False) -> HeadState:
    """Raises `NotDurable` unless the database keeps what it acknowledges, also through a power cut."""
    cursor.execute(f"{_READ_HEAD} FOR UPDATE" if lock else _READ_HEAD)
    row = cursor.fetchone()
    if row is None:
        raise NotDurable("the ledger has no head: run `manage.py migrate`")
    for (name, safe), value in zip(_SAFE.items(), row[4:], strict=True):
        if value not in safe:
            raise NotDurable(f"PostgreSQL runs with {name} = {value}; the ledger needs {name} = {safe[0]}")
    return HeadState(Frontier.from_bytes(row[0], bytes(row[1])), row[2], row[3])


def raise_epoch(cursor: Cursor) -> None:
    """Waits for any batch that still holds the head, and makes every batch that was built before it fail."""
    cursor.execute("UPDATE audit_head SET epoch = epoch + 1 WHERE id = 1")


def write_batch(cursor: Cursor, head: HeadState, drafts: Sequence[Draft]) -> tuple[HeadState, list[Placed]] | None:
    """The new head and the entries, or None (and nothing written) if the head was no longer `head`."""
    time = max(datetime.now(UTC), head.time)
    frontier = head.frontier.copy()
    placed = []
    for draft in drafts:
        entry = place_entry(draft, frontier.size, time)
        frontier.append(entry.leaf)
        placed.append(entry)
    parameters = {
        "rows": orjson.dumps([entry.row for entry in placed]).decode(),
        "size": head.size,
        "epoch": head.epoch,
        "frontier": head.frontier.to_bytes(),
        "new_size": frontier.size,
        "new_frontier": frontier.to_bytes(),
        "time": time,
    }
    cursor.execute(_WRITE, parameters)
    if cursor.fetchone()[0] != len(placed):
        return None
    return HeadState(frontier, head.epoch, time), placed
