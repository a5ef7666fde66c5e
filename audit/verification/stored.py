"""Reads what is to be verified: one snapshot, in pieces that fit into memory whatever somebody put into the tables.

Values that are longer than the ledger writes come back cut or left out, so that they differ from the header without
being held. Times come as text, since a database can hold some that Python cannot.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from audit.entries import LARGEST_HEADER
from audit.events import LONGEST_TEXT
from audit.following import COLUMNS, FOLLOWER
from audit.merkle import HASH_SIZE, Frontier
from audit.verification.findings import Fault
from audit.verification.rows import COMPARED, Found, Payload, Row

Session = psycopg.Connection[Any]
ROWS_AT_ONCE = 1024
MOST_TERMS = 2000
# Hashes of texts that are kept, because many entries share few.
MOST_HASHES = 20_000


def _time_of(table: str) -> str:
    return f"""to_char({table}."time" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def _column_of(name: str, kind: str) -> str:
    return (
        f"search.{name}::text"
        if kind == "uuid"
        else f"left(search.{name}, {LONGEST_TEXT + 1})"
        if kind == "text"
        else f"search.{name}"
    )


_SEARCHED = ", ".join(_column_of(name, kind) for name, kind in COLUMNS.items())
_ROWS = f"""
SELECT entry.index, {_time_of("entry")}, left(entry.kind, {LONGEST_TEXT + 1}),
       CASE WHEN octet_length(entry.header) <= {LARGEST_HEADER} THEN entry.header END, octet_length(entry.header),
       substring(entry.leaf FOR {HASH_SIZE + 1}),
       payload.index, payload.key::text, encode(sha256(payload.nonce || payload.ciphertext), 'hex'),
       search.index, search.text, left(texts.text, {LARGEST_HEADER + 1}),
       {_time_of("search")}, left(search.kind, {LONGEST_TEXT + 1}), {_SEARCHED}
FROM audit_entry AS entry
LEFT JOIN audit_payload AS payload
    ON payload.index = entry.index AND payload.index >= %(first)s AND payload.index < %(end)s
LEFT JOIN audit_searchentry AS search
    ON search.index = entry.index AND search.index >= %(first)s AND search.index < %(end)s
LEFT JOIN audit_searchtext AS texts ON texts.id = search.text
WHERE entry.index >= %(first)s AND entry.index < %(end)s
ORDER BY entry.index
"""  # noqa: S608  put together from constants
_TERMS = f"""
SELECT index, (array_agg(term))[:{MOST_TERMS}] FROM audit_searchterm
WHERE index >= %(first)s AND index < %(end)s GROUP BY index
"""  # noqa: S608
_HASHES = "SELECT text, hashtextextended(text, 0) FROM unnest(%s::text[]) AS text"


class Unreadable(Exception):
    """The database cannot give an entry out. The fault says which and why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@contextmanager
def snapshot(parameters: dict[str, Any], of: str | None = None) -> Iterator[tuple[Session, str]]:
    """A connection that sees one moment only, and the name by which others see the same one; `of` is such a name."""
    with psycopg.connect(**parameters, autocommit=True) as session:
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        if of:
            session.execute(psycopg.sql.SQL("SET TRANSACTION SNAPSHOT {}").format(of))
            yield session, of
        else:
            row = session.execute("SELECT pg_export_snapshot()").fetchone()
            yield session, row[0] if row else ""
        session.execute("ROLLBACK")


# --- The head -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Head:
    """`first`: entries below were moved to archives. `taken`: search knows the entries below."""

    frontier: Frontier
    first: int
    taken: int

    @property
    def size(self) -> int:
        return self.frontier.size


def read_head(session: Session) -> Head | Fault:
    row = session.execute(
        "SELECT head.size, head.frontier, head.first, greatest(head.first, follower.next) FROM audit_head AS head"
        " LEFT JOIN audit_follower AS follower ON follower.name = %s WHERE head.id = 1",
        [FOLLOWER],
    ).fetchone()
    if row is None:
        return Fault(0, "the ledger has no head")
    size, frontier, first, taken = row
    try:
        head = Frontier.from_bytes(size, bytes(frontier or b""))
    except (ValueError, TypeError) as error:
        return Fault(0, f"the head was changed: {error}")
    if first is None or not 0 <= first <= size:
        return Fault(0, f"the head was changed: a log of {size} entries cannot begin at {first}")
    if taken > size:
        return Fault(size, f"is missing: search has taken {taken} entries, the head says {size}")
    return Head(head, first, taken)


# --- Entries --------------------------------------------------------------------------------------------------------


def rows_between(session: Session, first: int, end: int, taken: int) -> Iterator[list[Row]]:
    """What is there of those entries, in order. Raises `Unreadable`."""
    for start in range(first, end, ROWS_AT_ONCE):
        yield from _rows(session, start, min(start + ROWS_AT_ONCE, end), taken)


def _rows(session: Session, first: int, end: int, taken: int) -> Iterator[list[Row]]:
    """A value that the database cannot give out fails the whole piece: halved until the entry is found."""
    span = {"first": first, "end": end}
    try:
        with session.transaction():
            values = session.execute(_ROWS, span, binary=True).fetchall()
            terms = dict(session.execute(_TERMS, span, binary=True).fetchall())
    except (psycopg.OperationalError, psycopg.ProgrammingError):
        raise
    except (psycopg.Error, UnicodeError) as error:
        if end - first == 1:
            raise Unreadable(Fault(first, f"the database cannot give it out: {_brief(error)}")) from error
        middle = (first + end) // 2
        yield from _rows(session, first, middle, taken)
        yield from _rows(session, middle, end, taken)
        return
    yield [_row(each, terms.get(each[0], ()), taken) for each in values]


def _row(values: tuple[Any, ...], terms: Iterable[int], taken: int) -> Row:
    index, time, kind, header, size, leaf, payload, key, digest, searched, text_id, text = values[:12]
    found = None
    if searched is not None:
        columns = dict(zip((*COMPARED, *COLUMNS), values[12:], strict=True))
        found = Found(columns, frozenset(terms), text_id, text)
    return Row(
        index,
        {"time": time, "kind": kind},
        header,
        size,
        leaf,
        None if payload is None else Payload(key, digest),
        found,
        is_taken=index < taken,
    )


@dataclass(slots=True)
class Hashes:
    """The database's own hash of texts, kept for those that come again."""

    session: Session
    known: dict[str, int] = field(default_factory=dict)

    def learn(self, texts: Collection[str]) -> dict[str, int]:
        lacking = [text for text in texts if text not in self.known and "\x00" not in text]
        if len(self.known) > MOST_HASHES:
            self.known.clear()
            lacking = [text for text in texts if "\x00" not in text]
        if lacking:
            self.known.update(self.session.execute(_HASHES, [lacking], binary=True).fetchall())
        return self.known


# --- Hashes of the tree ---------------------------------------------------------------------------------------------


def full_tiles(session: Session, level: int, first: int, end: int) -> dict[int, tuple[bytes, bytes]]:
    """Hashes and root of the tiles `first` to before `end` that are stored."""
    found = session.execute(
        "SELECT number, substring(hashes FOR 8193), substring(root FOR 33) FROM audit_tile"
        " WHERE level = %s AND number >= %s AND number < %s",
        [level, first, end],
        binary=True,
    )
    return {number: (hashes or b"", root or b"") for number, hashes, root in found}


def tile_roots(session: Session, first: int, end: int) -> dict[int, bytes]:
    found = session.execute(
        "SELECT number, substring(root FOR 33) FROM audit_tile WHERE level = 0 AND number >= %s AND number < %s",
        [first, end],
        binary=True,
    )
    return {number: root for number, root in found if root is not None}


def stored_leaves(session: Session, first: int, end: int) -> list[bytes]:
    """The leaf hashes as entries have them, without reading headers. Raises `Unreadable` if one is missing."""
    found = session.execute(
        "SELECT index, leaf FROM audit_entry WHERE index >= %s AND index < %s AND octet_length(leaf) = 32 ORDER BY index",
        [first, end],
        binary=True,
    ).fetchall()
    for place, (index, _) in zip(range(first, end), found, strict=False):
        if index != place:
            raise Unreadable(Fault(place, "is missing, and so is the tile that would have its hash"))
    if len(found) < end - first:
        raise Unreadable(Fault(first + len(found), "is missing, and so is the tile that would have its hash"))
    return [leaf for _, leaf in found]


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
