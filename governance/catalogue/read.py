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
    Cast,
    Catalogue,
    Column,
    ForeignKey,
    Function,
    Operator,
    Relation,
    RelationKind,
    RelationName,
    Rule,
    Trigger,
    Type,
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
            types={(row.schema, row.name): _type(row) for row in reading.rows(queries.TYPES)},
            operators=reading.operators(),
            casts=tuple(
                Cast(row.source, row.target, (row.function_schema, row.function_name), row.context)
                for row in reading.rows(queries.CASTS)
            ),
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
        foreign_keys, rules = self.by_relation(queries.FOREIGN_KEYS), self.by_relation(queries.RULES)
        used, indexed = self.by_relation(queries.DEPENDENCIES), self.by_relation(queries.INDEXED)
        checks, computed = self.by_relation(queries.CHECKS), self.by_relation(queries.COMPUTED)
        particulars = self.by_relation(queries.PARTICULARS)
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
                triggers=tuple(map(_trigger, triggers[row.oid])),
                rules=tuple(Rule(rule.name, rule.event) for rule in rules[row.oid]),
                row_security=row.row_security,
                estimated_rows=row.estimated_rows,
                size_bytes=row.size_bytes,
                depends_on=tuple((names[u.used], tuple(u.columns)) for u in used[row.oid] if u.used in names),
                indexed=frozenset(column for index in indexed[row.oid] for column in index.columns),
                checks=tuple(check.expression for check in checks[row.oid]),
                computed=tuple(index.expression for index in computed[row.oid]),
                particulars="".join(found.mark for found in particulars[row.oid]),
            )
            for row in rows
        )
        return {(relation.schema, relation.name): relation for relation in relations}

    def functions(self) -> dict[str, tuple[Function, ...]]:
        functions: defaultdict[str, list[Function]] = defaultdict(list)
        for row in self.rows(queries.SYSTEM_FUNCTIONS):
            functions[row.name].append(
                Function(row.schema, row.name, row.kind, Volatility(row.volatility), row.language, row.security_definer)
            )
        for row in self.rows(queries.USER_FUNCTIONS):
            functions[row.name].append(_function(row))
        return {name: tuple(overloads) for name, overloads in functions.items()}

    def operators(self) -> dict[str, tuple[Operator, ...]]:
        operators: defaultdict[str, list[Operator]] = defaultdict(list)
        for row in self.rows(queries.OPERATORS):
            function = (row.function_schema, row.function_name)
            operators[row.name].append(Operator(row.schema, row.name, row.left, row.right, function))
        return {name: tuple(overloads) for name, overloads in operators.items()}


def _columns(rows: Iterable[Any]) -> tuple[Column, ...]:
    return tuple(
        Column(
            row.name,
            row.type,
            row.base_type,
            row.not_null,
            row.generated,
            tuple(row.computed_from or ()),
            row.expression,
        )
        for row in rows
    )


def _foreign_keys(rows: Iterable[Any], names: dict[int, RelationName]) -> tuple[ForeignKey, ...]:
    return tuple(
        ForeignKey(tuple(row.columns), names[row.target], tuple(row.target_columns), row.on_delete, row.on_update)
        for row in rows
        if row.target in names
    )


# Bits of `pg_trigger.tgtype` (src/include/catalog/pg_trigger.h).
PER_ROW, BEFORE, INSTEAD = 1, 2, 64
EVENTS = {4: "insert", 8: "delete", 16: "update", 32: "truncate"}


def _trigger(row: Any) -> Trigger:
    return Trigger(
        name=row.name,
        timing="before" if row.type & BEFORE else "instead" if row.type & INSTEAD else "after",
        events=tuple(event for bit, event in EVENTS.items() if row.type & bit),
        per_row=bool(row.type & PER_ROW),
        function=(row.function_schema, row.function_name),
        columns=tuple(row.columns),
        definition=row.definition,
    )


def _function(row: Any) -> Function:
    return Function(
        schema=row.schema,
        name=row.name,
        kind=row.kind,
        volatility=Volatility(row.volatility),
        language=row.language,
        security_definer=row.security_definer,
        arguments=tuple(row.arguments),
        modes=tuple(row.modes),
        result=row.result,
        strict=row.strict,
        body=row.source if row.standard_body is None else _statements_of(row.standard_body),
        is_bound=row.standard_body is not None,
        settings=tuple(row.settings),
        extension=row.extension,
    )


def _statements_of(standard_body: str) -> str:
    """`RETURN a` as a query, `BEGIN ATOMIC … END` as its statements."""
    text = standard_body.strip()
    if text.startswith("RETURN "):
        return f"SELECT {text.removeprefix('RETURN ')}"
    return text.removeprefix("BEGIN ATOMIC").removesuffix("END").strip()


def _type(row: Any) -> Type:
    attributes = tuple((name, type_) for name, type_ in row.attributes)
    return Type(row.kind, row.base or "", tuple(row.labels), attributes, tuple(row.checks))
