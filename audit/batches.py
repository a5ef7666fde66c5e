"""What the ledger says to PostgreSQL: read the head, and write one batch of entries in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from audit.entries import Draft, format_time, place_entry
from audit.merkle import HASH_SIZE, Frontier


class NotDurable(Exception):
    """The database would lose what it has acknowledged, or has no head. The message says what to change."""


class Cursor(Protocol):
    """What psycopg's cursor and Django's have in common."""

    def execute(self, query: Any, params: Any = ...) -> Any: ...

    def fetchone(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """The place of an entry in the log; `leaf` in hex."""

    index: int
    leaf: str
    time: datetime


@dataclass(frozen=True, slots=True)
class HeadState:
    frontier: Frontier
    epoch: int
    time: datetime

    @property
    def size(self) -> int:
        return self.frontier.size


@dataclass(frozen=True, slots=True)
class Written:
    head: HeadState
    receipts: list[Receipt]


_SAFE = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
}
_SETTINGS = ", ".join(f"current_setting('{name}')" for name in _SAFE)
_READ_HEAD = f"SELECT size, frontier, epoch, time, {_SETTINGS} FROM audit_head WHERE id = 1"  # noqa: S608  constants

# One statement, so one commit. Only the writer that knows the head exactly gets a row from `moved`, and without that
# row nothing is inserted: two writers cannot give out the same index, nor can one extend a tree that it does not know.
_WRITE = f"""
WITH moved AS (
    UPDATE audit_head SET size = %(new_size)s, frontier = %(new_frontier)s, "time" = %(time)s
    WHERE id = 1 AND size = %(size)s AND epoch = %(epoch)s AND frontier = %(frontier)s
    RETURNING size
), written AS (
    INSERT INTO audit_entry (index, "time", kind, header, leaf)
    SELECT %(size)s + place - 1, %(time)s, kind, convert_to(header, 'UTF8'),
           substring(%(leaves)s::bytea FROM (({HASH_SIZE} * (place - 1)) + 1)::integer FOR {HASH_SIZE})
    FROM moved, ROWS FROM (
        string_to_table(%(kinds)s, E'\\n'), string_to_table(%(headers)s, E'\\n')
    ) WITH ORDINALITY AS entry(kind, header, place)
    RETURNING 1
), sealed AS (
    INSERT INTO audit_payload (index, key, nonce, ciphertext)
    SELECT payload.* FROM moved, unnest(
        %(places)s::bigint[], %(keys)s::uuid[], %(nonces)s::bytea[], %(ciphertexts)s::bytea[]
    ) AS payload
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


def write_batch(cursor: Cursor, head: HeadState, drafts: Sequence[Draft]) -> Written | None:
    """None (and nothing written) if the head is no longer `head`."""
    time = max(datetime.now(UTC), head.time)
    stamp = format_time(time)
    frontier = head.frontier.copy()
    headers, leaves = [], []
    for index, draft in enumerate(drafts, head.size):
        header, leaf = place_entry(draft, index, stamp)
        frontier.append(leaf)
        headers.append(header)
        leaves.append(leaf)
    sealed = [(head.size + place, draft.payload) for place, draft in enumerate(drafts) if draft.payload]
    parameters = {
        # Canonical JSON writes a line break as \\n, so one never stands in a header.
        "headers": b"\n".join(headers).decode(),
        "kinds": "\n".join([draft.kind for draft in drafts]),
        "leaves": b"".join(leaves),
        # NULL unnests to no row, and is cheaper to send than four empty arrays.
        "places": [place for place, _ in sealed] or None,
        "keys": [payload.key for _, payload in sealed] or None,
        "nonces": [payload.nonce for _, payload in sealed] or None,
        "ciphertexts": [payload.ciphertext for _, payload in sealed] or None,
        "size": head.size,
        "epoch": head.epoch,
        "frontier": head.frontier.to_bytes(),
        "new_size": frontier.size,
        "new_frontier": frontier.to_bytes(),
        "time": time,
    }
    cursor.execute(_WRITE, parameters)
    if cursor.fetchone()[0] != len(drafts):
        return None
    receipts = [Receipt(index, leaf.hex(), time) for index, leaf in enumerate(leaves, head.size)]
    return Written(HeadState(frontier, head.epoch, time), receipts)
