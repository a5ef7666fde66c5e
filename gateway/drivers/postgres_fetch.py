"""Fetches what one step returns, within the limits: rows of a query, or the lines of a COPY."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import orjson
import psycopg
from psycopg import pq

from gateway.drivers.base import ResultColumn, Rows, Step, Work
from gateway.drivers.postgres_images import Taking
from gateway.drivers.postgres_stream import StreamingCursor
from gateway.drivers.postgres_values import parameters
from governance.errors import DriverFailed

# Rows that libpq holds at a time: few, since each may be large, and the limits only see them afterwards.
CHUNK = 100
COPY_COLUMN = ResultColumn("copy", "text")
NO_ROWS = Rows((), [], 0, 0, truncated=False, duration_ms=0.0)
Connection = psycopg.Connection[Any]


def fetch(connection: Connection, step: Step, work: Work) -> Rows:
    """At the limit a read is broken off; a write, which must not be, goes on, and what else it returns is dropped."""
    return _fetch_copy(connection, step, work) if step.is_copy else _fetch_rows(connection, step, work)


class _Kept:
    """Rows up to the limits of rows and bytes, as JSON counts them."""

    def __init__(self, work: Work) -> None:
        self._limits = work.limits
        self.rows: list[list[Any]] = []
        self.size = 0
        self.truncated = False

    def keep(self, rows: list[list[Any]]) -> None:
        if self.truncated:
            return
        size = _size_of(rows)
        if len(self.rows) + len(rows) <= self._limits.max_rows and self.size + size <= self._limits.max_bytes:
            self.rows += rows
            self.size += size
            return
        self.truncated = True
        for row in rows:  # The last chunk, up to the very row at which a limit is reached.
            size = _size_of(row)
            if len(self.rows) >= self._limits.max_rows or self.size + size > self._limits.max_bytes:
                return
            self.rows.append(row)
            self.size += size


def _size_of(values: list[Any]) -> int:
    return len(orjson.dumps(values))


def _fetch_rows(connection: Connection, step: Step, work: Work) -> Rows:
    """In chunks, so that a large result is never held whole."""
    kept = _Kept(work)
    taking = Taking(step.images) if step.images else None
    width = taking.width if taking else 0
    if taking:
        taking.look_first(connection)
    with (
        StreamingCursor(connection) as cursor,
        closing(cursor.chunks(step.sql.encode(), parameters(work.params), CHUNK, as_text=width)) as chunks,
    ):
        for rows in _readable(taking.own(chunks) if taking else chunks):
            kept.keep(rows)
            if kept.truncated and work.read_only:
                break
        described = _described(cursor)
        changed = cursor.changed
    columns = _columns(connection, described[: len(described) - width])
    return Rows(columns, kept.rows, changed, kept.size, kept.truncated, 0.0, taken=taking.taken if taking else None)


def _fetch_copy(connection: Connection, step: Step, work: Work) -> Rows:
    """PostgreSQL sends each row in a message of its own (documentation, 54.2.6). This goes by the simple protocol, which
    psycopg uses for COPY; that the text is one statement is what the analysis cut it into."""
    kept = _Kept(work)
    with psycopg.RawCursor(connection) as cursor:
        try:
            with cursor.copy(step.sql.encode()) as copy:
                for line in copy:
                    kept.keep([[_line(line)]])
                    if kept.truncated and work.read_only:
                        raise _EnoughLines
        except _EnoughLines:
            pass
    return Rows((COPY_COLUMN,), kept.rows, len(kept.rows), kept.size, kept.truncated, 0.0)


class _EnoughLines(Exception):
    """Leaves the COPY in a way that makes psycopg cancel it; the transaction is of no more use then."""


def _line(line: Any) -> str:
    try:
        return bytes(line).decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise DriverFailed(
            "COPY returned what is not text.", remedy="Use FORMAT text or csv, not binary.", sqlstate="22021"
        ) from error


def _readable(stream: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from stream
    except (ValueError, RecursionError) as error:
        raise DriverFailed(
            "The result holds a value that cannot be read, such as text that is not valid UTF-8.",
            remedy="Leave the column out, or convert it in the statement.",
            sqlstate="22021",
        ) from error


# Name, type OID, psycopg's name of the type.
Described = tuple[str, int, str]


def _described(cursor: StreamingCursor) -> list[Described]:
    return [(column.name, column.type_code, column.type_display) for column in cursor.description or ()]


def _columns(connection: Connection, described: list[Described]) -> tuple[ResultColumn, ...]:
    """A type that psycopg does not know (an enum, for one) is asked of the database."""
    unknown = sorted({oid for _, oid, _ in described if connection.adapters.types.get(oid) is None})
    named = {}
    if unknown and connection.info.transaction_status == pq.TransactionStatus.INTRANS:
        found = connection.execute(
            "SELECT t.oid::int8, t.oid::regtype::text FROM pg_type t WHERE t.oid = ANY(%s)", [unknown]
        )
        named = dict(found.fetchall())
    return tuple(ResultColumn(name, named.get(oid) or shown) for name, oid, shown in described)
