"""Reads a catalogue from PostgreSQL: one connection, one snapshot, one query for each sort of object.

The search path is empty while it reads, so PostgreSQL writes every name in types and view definitions with its schema.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

from governance.catalogue import queries
from governance.catalogue.model import (
    Catalogue,
    Column,
    ForeignKey,
    Function,
    Relation,
    RelationKind,
    RelationName,
    Volatility,
)

STATEMENT_TIMEOUT_MS = 60_000


def read_catalogue(connection: psycopg.Connection[Any], search_path: Sequence[str]) -> Catalogue:
    """`version` is 0: the store numbers it. The connection must not be inside a transaction."""
    with connection.transaction(), connection.cursor(row_factory=namedtuple_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL search_path = ''")
        cursor.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(sql.Literal(STATEMENT_TIMEOUT_MS)))
        reading = _Reading(cursor)
        return Catalogue(
            version=0,
            search_path=tuple(search_path),
            relations=reading.relations(),
            functions=reading.functions(),
            types=frozenset((row.schema, row.name) for row in reading.rows(queries.TYPES)),
            operators=frozenset(row.name for row in reading.rows(queries.OPERATORS)),
            schemas=frozenset(row.name for row in reading.rows(queries.SCHEMAS)),
        )


class _Reading:
    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self.cursor = cursor

    def rows(self, query: str) -> list[Any]:
        return self.cursor.execute(query.encode()).fetchall()

    def by_relation(self, query: str) -> defaultdict[int, list[Any]]:
        grouped: defaultdict[int, list[Any]] = defaultdict(list)
        for row in self.rows(query):
            grouped[row.oid].append(row)
        return grouped

    def relations(self) -> dict[RelationName, Relation]:
        rows = self.rows(queries.RELATIONS)
        names: dict[int, RelationName] = {row.oid: (row.schema, row.name) for row in rows}
        columns, keys = self.by_relation(queries.COLUMNS), self.by_relation(queries.KEYS)
        parents, triggers = self.by_relation(queries.PARENTS), self.by_relation(queries.TRIGGERS)
        foreign_keys = self.by_relation(queries.FOREIGN_KEYS)
        relations = (
            Relation(
                schema=row.schema,
                name=row.name,
                kind=RelationKind(row.kind),
                columns=_columns(columns[row.oid]),
                keys=tuple(frozenset(key.columns) for key in keys[row.oid]),
                definition=row.definition,
                parents=tuple(names[link.parent] for link in parents[row.oid] if link.parent in names),
                foreign_keys=_foreign_keys(foreign_keys[row.oid], names),
                triggers=tuple(trigger.name for trigger in triggers[row.oid]),
                has_rules=row.has_rules,
                row_security=row.row_security,
                estimated_rows=row.estimated_rows,
                size_bytes=row.size_bytes,
            )
            for row in rows
        )
        return {(relation.schema, relation.name): relation for relation in relations}

    def functions(self) -> dict[str, tuple[Function, ...]]:
        functions: defaultdict[str, list[Function]] = defaultdict(list)
        for row in self.rows(queries.FUNCTIONS):
            functions[row.name].append(
                Function(row.schema, row.name, row.kind, Volatility(row.volatility), row.language, row.security_definer)
            )
        return {name: tuple(overloads) for name, overloads in functions.items()}


def _columns(rows: Iterable[Any]) -> tuple[Column, ...]:
    return tuple(
        Column(row.name, row.type, row.base_type, row.not_null, row.generated, tuple(row.computed_from or ()))
        for row in rows
    )


def _foreign_keys(rows: Iterable[Any], names: dict[int, RelationName]) -> tuple[ForeignKey, ...]:
    return tuple(
        ForeignKey(tuple(row.columns), names[row.target], tuple(row.target_columns), row.on_delete, row.on_update)
        for row in rows
        if row.target in names
    )
