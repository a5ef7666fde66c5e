"""Reads a bounded sample of a relation: read-only, under a time-out, never more than so many rows and bytes.

All columns that are looked at come in one query. What is too long is cut in the database; documents that are too large are
left out, since half a document cannot be read. The same rows come twice: a large table is sampled by block with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from governance.catalogue.model import Catalogue, Column, Relation, RelationKind
from governance.masking.types import Family, family_of

ROWS = 1_000
MOST_ROWS = 100_000
MOST_BYTES = 8 * 1024 * 1024
LONGEST_VALUE = 2_000
LARGEST_DOCUMENT = 20_000
STATEMENT_TIMEOUT_MS = 15_000
FETCHED_AT_ONCE = 200
# A block of a large table holds some dozens of rows: fewer than this many in a sample by block is bad luck.
TOO_FEW = 50

READ_AS_TEXT = frozenset(
    {Family.TEXT, Family.INTEGER, Family.NUMBER, Family.DATE, Family.TIMESTAMP, Family.TIMESTAMPTZ, Family.UUID}
)
REASONS = {
    "42501": "the data source's role may not read it",
    "57014": f"reading it took longer than {STATEMENT_TIMEOUT_MS // 1000} seconds",
    "55P03": "it is locked",
    "42P01": "it is not there any more: synchronise the data source",
    "42703": "a column of it is not there any more: synchronise the data source",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """Values by column, as text and without NULLs; `documents` are JSON. `complete` is False where the bytes ran out."""

    rows: int
    values: dict[str, list[str]] = field(repr=False)
    documents: dict[str, list[str]] = field(repr=False)
    complete: bool = True


def scan_family(column: Column) -> Family:
    """The family that its values are judged as. `citext` is text; an array is what its elements are."""
    if column.base_type.rpartition(".")[2].strip('"') == "citext":
        return Family.TEXT
    family = family_of(column)
    if family is Family.ARRAY:
        element = Column(column.name, column.base_type[:-2], column.base_type[:-2])
        return Family.ARRAY if family_of(element) is Family.TEXT else Family.OTHER
    return family


def why_not(catalogue: Catalogue, relation: Relation) -> str | None:
    """Why its rows are not read, in words; None if they are."""
    if relation.kind is RelationKind.FOREIGN:
        return "a foreign table: reading it would reach another server"
    name = (relation.schema, relation.name)
    children = (child for child in catalogue.relations.values() if name in child.parents)
    if any(child.kind is RelationKind.FOREIGN for child in children):
        return "a part of it is a foreign table: reading it would reach another server"
    return None


def holds_rows(relation: Relation) -> bool:
    """Views have no rows of their own: their columns' classes follow from what they are made of."""
    return relation.kind not in (RelationKind.VIEW, RelationKind.SEQUENCE)


def set_up(connection: psycopg.Connection[Any]) -> None:
    """Inside a transaction: it cannot write, nor run for long; no name means anything but what is written out."""
    connection.execute("SET TRANSACTION READ ONLY")
    connection.execute("SET LOCAL search_path = ''")
    connection.execute("SET LOCAL DateStyle = 'ISO, YMD'")
    connection.execute("SET LOCAL TimeZone = 'UTC'")
    connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(sql.Literal(STATEMENT_TIMEOUT_MS)))


def read_sample(
    connection: psycopg.Connection[Any], relation: Relation, columns: Sequence[Column], rows: int
) -> Sample:
    """Inside a transaction that `set_up` began. Raises what psycopg raises."""
    wanted = [column for column in columns if _expression(column) is not None]
    if not wanted:
        return Sample(0, {}, {})
    if relation.estimated_rows > rows:
        sampled = _read(connection, _query(relation, wanted, rows, by_block=True), wanted)
        if sampled.rows >= min(TOO_FEW, rows):
            return sampled
    return _read(connection, _query(relation, wanted, rows, by_block=False), wanted)


def relation_name(relation: Relation) -> sql.Identifier:
    return sql.Identifier(relation.schema, relation.name)


def _query(relation: Relation, columns: Sequence[Column], rows: int, *, by_block: bool) -> sql.Composed:
    expressions = sql.SQL(", ").join(found for column in columns if (found := _expression(column)) is not None)
    # Twice as many as needed: blocks are not equally full, and LIMIT stops in time.
    percent = min(100.0, max(0.001, 200.0 * rows / max(1, relation.estimated_rows)))
    sampling = (
        sql.SQL(" TABLESAMPLE SYSTEM ({}) REPEATABLE (1)").format(sql.Literal(percent)) if by_block else sql.SQL("")
    )
    return sql.SQL("SELECT {} FROM {}{} LIMIT {}").format(
        expressions, relation_name(relation), sampling, sql.Literal(rows)
    )


def _expression(column: Column) -> sql.Composed | None:
    name, family = sql.Identifier(column.name), scan_family(column)
    if family in READ_AS_TEXT:
        return sql.SQL("pg_catalog.left({}::pg_catalog.text, {})").format(name, sql.Literal(LONGEST_VALUE))
    if family in (Family.JSON, Family.ARRAY):
        return sql.SQL(
            "CASE WHEN pg_catalog.pg_column_size({name}) OPERATOR(pg_catalog.<=) {most} THEN"
            " pg_catalog.left(pg_catalog.to_json({name})::pg_catalog.text, {most}) END"
        ).format(name=name, most=sql.Literal(LARGEST_DOCUMENT))
    return None


def _read(connection: psycopg.Connection[Any], query: sql.Composed, columns: Sequence[Column]) -> Sample:
    read: dict[str, list[str]] = {column.name: [] for column in columns}
    rows = size = 0
    with connection.cursor(name="countersign_sample") as cursor:
        cursor.execute(query)
        while size < MOST_BYTES and (fetched := cursor.fetchmany(FETCHED_AT_ONCE)):
            rows += len(fetched)
            for row in fetched:
                for column, value in zip(columns, row, strict=True):
                    if value is not None:
                        read[column.name].append(value)
                        size += len(value)
    in_documents = {column.name for column in columns if scan_family(column) in (Family.JSON, Family.ARRAY)}
    return Sample(
        rows,
        {name: values for name, values in read.items() if name not in in_documents},
        {name: values for name, values in read.items() if name in in_documents},
        complete=size < MOST_BYTES,
    )


def reason_of(error: psycopg.Error) -> str:
    """In words of our own: PostgreSQL's may quote a value."""
    return REASONS.get(error.sqlstate or "", f"the database refused (SQLSTATE {error.sqlstate or 'unknown'})")
