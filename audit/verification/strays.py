"""What is in the tables and belongs to no entry of the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from audit.merkle import Frontier
from audit.verification.findings import Fault
from audit.verification.ranges import missing_tile
from audit.verification.stored import Head, Session

_PAYLOAD = """
SELECT min(index) FROM audit_payload AS payload
WHERE index >= %(first)s AND NOT EXISTS (SELECT FROM audit_entry AS entry WHERE entry.index = payload.index)
"""
# What an interrupted move leaves behind still has its entry.
_OF_MOVED = """
SELECT min(index) FROM {table} AS stray
WHERE index >= 0 AND index < %(first)s AND NOT EXISTS (SELECT FROM audit_entry AS entry WHERE entry.index = stray.index)
"""


def check_strays(session: Session, head: Head) -> Iterator[Fault]:
    span = {"first": head.first, "size": head.size, "taken": head.taken}
    if (index := _one(session, "SELECT min(index) FROM audit_entry WHERE index < 0", span)) is not None:
        yield Fault(index, "is not part of the log: it begins at 0")
    if (index := _one(session, "SELECT min(index) FROM audit_entry WHERE index >= %(size)s", span)) is not None:
        yield Fault(index, f"is not part of the log: the head says {head.size} entries")
    if (index := _one(session, _PAYLOAD, span)) is not None:
        yield Fault(index, "there is a payload without an entry")
    for table in ("audit_searchentry", "audit_searchterm"):
        query = f"SELECT min(index) FROM {table} WHERE index >= %(taken)s OR index < 0"  # noqa: S608  constants
        if (index := _one(session, query, span)) is not None:
            yield Fault(index, "search lists it, but has not come so far: the row was put there by hand")
    for table in ("audit_payload", "audit_searchentry", "audit_searchterm"):
        query = _OF_MOVED.format(table=table)
        if (index := _one(session, query, span)) is not None:
            yield Fault(
                index, f"was moved to an archive, and there is a row of it in {table}: it was put there by hand"
            )
    yield from _stray_tiles(session, head)
    yield from _stray_checkpoints(session, head)


def _one(session: Session, query: str, parameters: dict[str, Any]) -> int | None:
    row = session.execute(query, parameters).fetchone()
    return row[0] if row else None


def _stray_tiles(session: Session, head: Head) -> Iterator[Fault]:
    found = session.execute(
        "SELECT level, min(number), max(number), count(*) FROM audit_tile GROUP BY level ORDER BY level"
    )
    for level, least, most, count in found.fetchall():
        full = head.size >> 8 * (level + 1) if 0 <= level < 8 else 0
        if least < 0 or most >= full:
            stray = least if least < 0 else most
            yield Fault(
                head.size, f"there is no such tile in a log of {head.size} entries", subject=f"tile {level}/{stray}"
            )
        elif count != most + 1:
            yield missing_tile(level, _first_missing(session, level))


def _first_missing(session: Session, level: int) -> int:
    row = session.execute(
        "SELECT min(place) FROM (SELECT number, row_number() OVER (ORDER BY number) - 1 AS place"
        " FROM audit_tile WHERE level = %s) AS tile WHERE number <> place",
        [level],
    ).fetchone()
    return row[0] if row and row[0] is not None else 0


def _stray_checkpoints(session: Session, head: Head) -> Iterator[Fault]:
    row = session.execute(
        "SELECT size, root FROM audit_checkpoint WHERE size < 0 OR size > %s OR (size = 0 AND root <> %s)"
        " ORDER BY size DESC LIMIT 1",
        [head.size, Frontier().root()],
    ).fetchone()
    if row and row[0] > head.size:
        yield Fault(head.size, f"is missing: the log had {row[0]} entries when a checkpoint of it was signed")
    elif row:
        yield Fault(0, "no log has or had this", subject=f"the checkpoint of {row[0]} entries")
