"""A lineage is never too narrow: on a real database, whatever changes a result is among what it is said to be made from.

Each generated query runs on a schema and on copies of it in which one column holds other values. An output that differs must
list that column, or the query must filter, join, group or order by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.analysis.analyse import Analysis, analyse
from governance.analysis.facts import Clause
from governance.analysis.lineage import outputs_of, stored
from governance.analysis.ranges import ALL, Lineage, Source
from governance.catalogue.model import Catalogue
from governance.catalogue.read import read_catalogue
from tests.fixtures.databases import MakeTarget

# Names are shared on purpose: finding out which column is meant is what is tested.
TABLES = {"t": ("a", "b", "c"), "u": ("a", "d", "t"), "v": ("b", "d", "e")}
COLUMNS = [(table, column) for table, columns in TABLES.items() for column in columns]
ROWS = 5
EXAMPLES = 400
VIEWS = """
CREATE VIEW w AS SELECT t.a, u.d + t.c AS x FROM t JOIN u ON u.a = t.a;
CREATE VIEW ww(p, q) AS SELECT x, a FROM w UNION ALL SELECT e, b FROM v;
"""


@dataclass(frozen=True, repr=False)
class World:
    session: psycopg.Connection[Any]
    catalogue: Catalogue

    def rows(self, schema: str, sql: str) -> tuple[list[str], list[tuple[Any, ...]]] | None:
        """None where PostgreSQL refuses the query."""
        with self.session.transaction(force_rollback=True):
            self.session.execute(f"SET LOCAL search_path = {schema}")
            try:
                cursor = self.session.execute(sql)
            except psycopg.Error:
                return None
            return [column.name for column in cursor.description or ()], cursor.fetchall()


@pytest.fixture(scope="module")
def world(target_database: MakeTarget) -> Iterator[World]:
    database = target_database()
    database.admin.execute("".join(_schema(name, changed) for name, changed in _schemas()))
    with psycopg.connect(database.admin_dsn, autocommit=True) as session:
        session.execute("SET statement_timeout = '2s'")
        yield World(session, read_catalogue(session, ["plain"]))


def _schemas() -> Iterator[tuple[str, tuple[str, str]]]:
    yield "plain", ("", "")
    for table, column in COLUMNS:
        yield f"{table}_{column}", (table, column)


def _schema(schema: str, changed: tuple[str, str]) -> str:
    made = [f"CREATE SCHEMA {schema}; SET search_path = {schema};"]
    for table, columns in TABLES.items():
        made.append(f"CREATE TABLE {table} ({', '.join(f'{column} integer' for column in columns)});")
        for row in range(ROWS):
            # Small numbers that meet in joins; a changed column has others, in another order.
            values = [
                str((row * (place + 2) + len(table)) % 4 if (table, column) != changed else (row * 3 + place) % 5 + 7)
                for place, column in enumerate(columns)
            ]
            made.append(f"INSERT INTO {table} VALUES ({', '.join(values)});")
    return "".join(made) + VIEWS


# --- Queries ------------------------------------------------------------------------------------------------------

Draw = Callable[..., Any]
NAMES = ("a", "b", "c", "d", "e", "t", "x", "m", "n")
ALIASES = ("r", "s", "t", "u", "a")
# What a query can name: the alias and the columns of each item, the innermost level last.
Scope = tuple[tuple[str, tuple[str, ...]], ...]
RELATIONS = {**TABLES, "w": ("a", "x"), "ww": ("p", "q")}


def pick(draw: Draw, options: Any) -> Any:
    return draw(st.sampled_from(options))


def name(draw: Draw, scope: Scope) -> str:
    """Mostly one that is there; bare where it pleases, which PostgreSQL refuses when several have it."""
    if not scope or draw(st.integers(0, 19)) == 0:
        return str(pick(draw, NAMES))
    alias, columns = scope[-1 - min(draw(st.integers(0, 3)), len(scope) - 1)]
    column = pick(draw, columns) if columns else pick(draw, NAMES)
    return f"{alias}.{column}" if draw(st.integers(0, 2)) else str(column)


def value(draw: Draw, depth: int, scope: Scope) -> str:
    """An expression that gives an integer."""
    shapes = ["name"] * 4 + ["number", "sum", "case"]
    if depth > 0:
        shapes += ["scalar", "exists", "count", "window", "row", "filter"]
    shape = pick(draw, shapes)
    if shape == "name":
        return name(draw, scope)
    if shape == "number":
        return str(draw(st.integers(0, 3)))
    if shape == "sum":
        return f"({name(draw, scope)} + {name(draw, scope)})"
    if shape == "case":
        return f"CASE WHEN {name(draw, scope)} > 1 THEN {name(draw, scope)} END"
    if shape == "exists":
        return f"(EXISTS ({query(draw, depth - 1, scope)[0]}))::int"
    if shape == "window":
        return f"count(*) OVER (PARTITION BY {name(draw, scope)} ORDER BY {name(draw, scope)})"
    if shape == "row":
        return f"length({pick(draw, scope)[0] if scope else 'r'}::text)"
    text, inner = item(draw, depth - 1, scope)
    inside = scope + inner
    if shape == "scalar":
        condition = f"{name(draw, inside)} = {name(draw, inside)}"
        return f"(SELECT {value(draw, 0, inside)} FROM {text} WHERE {condition} LIMIT 1)"
    if shape == "filter":
        return f"(SELECT count(*) FILTER (WHERE {value(draw, 0, inside)} > 1) FROM {text})"
    return f"(SELECT count({value(draw, 0, inside)}) FROM {text})"


def item(draw: Draw, depth: int, scope: Scope) -> tuple[str, Scope]:
    """Something in FROM, and what it lets be named."""
    shapes = ["table"] * 3 + ["renamed"]
    if depth > 0:
        shapes += ["query", "query", "lateral", "using", "natural", "on", "aliased"]
    shape, alias = pick(draw, shapes), pick(draw, ALIASES)
    if shape in ("table", "renamed"):
        table = pick(draw, tuple(RELATIONS))
        columns = RELATIONS[table]
        if shape == "renamed":
            new = pick(draw, NAMES)
            return f"{table} AS {alias}({new})", ((alias, (new, *columns[1:])),)
        return (f"{table} AS {alias}", ((alias, columns),)) if draw(st.booleans()) else (table, ((table, columns),))
    if shape in ("query", "lateral"):
        text, outputs = query(draw, depth - 1, scope if shape == "lateral" else ())
        return f"{'LATERAL ' if shape == 'lateral' else ''}({text}) AS {alias}", ((alias, outputs),)
    return joined(draw, depth, scope, shape, alias)


def joined(draw: Draw, depth: int, scope: Scope, shape: str, alias: str) -> tuple[str, Scope]:
    left, of_left = item(draw, depth - 1, scope)
    right, of_right = item(draw, depth - 1, scope + of_left)
    both, kind = of_left + of_right, pick(draw, ("JOIN", "LEFT JOIN", "FULL JOIN"))
    shared = {column for _, columns in of_left for column in columns} & {c for _, columns in of_right for c in columns}
    if shape == "using" and shared:
        return f"{left} {kind} {right} USING ({pick(draw, sorted(shared))})", both
    if shape == "natural":
        return f"{left} NATURAL {kind} {right}", both
    text = f"{left} {kind} {right} ON {name(draw, both)} = {name(draw, both)}"
    if shape == "aliased":
        return f"({text}) AS {alias}", ((alias, tuple(column for _, columns in both for column in columns)),)
    return text, both


def query(draw: Draw, depth: int, scope: Scope) -> tuple[str, tuple[str, ...]]:
    """A query, and the names of its columns as far as they are known here."""
    shapes = ["select"] * 5 + (["union", "with", "recursive", "values"] if depth > 0 else [])
    shape = pick(draw, shapes)
    if shape == "union":
        operator = pick(draw, ("UNION", "UNION ALL", "EXCEPT", "INTERSECT"))
        left, right = one(draw, scope, "m", "n"), one(draw, scope, "x", "y")
        return f"{left} {operator} {right}", ("m", "n")
    if shape == "with":
        cte = pick(draw, ("t", "k"))
        renamed: tuple[str, ...] = pick(draw, ((), ("m",)))
        inner, columns = query(draw, depth - 1, ())
        named = (*renamed, *columns[len(renamed) :])
        text, outputs = select(draw, depth - 1, scope, f"{cte} AS z", (("z", named),))
        return f"WITH {cte}{'(m)' if renamed else ''} AS ({inner}) {text}", outputs
    if shape == "recursive":
        other, more = item(draw, 0, ())
        found = name(draw, (*more, ("k", ("n",))))
        again = f"SELECT m + 1, {found} FROM k, {other} WHERE m < 2"
        last, outputs = select(draw, 0, scope, "k", (("k", ("m", "n")),))
        return f"WITH RECURSIVE k(m, n) AS ({one(draw, (), 'm', 'n')} UNION {again}) {last}", outputs
    if shape == "values":
        first, second = value(draw, depth - 1, scope), value(draw, depth - 1, scope)
        return f"VALUES ({first}, 1), (2, {second})", ("column1", "column2")
    return select(draw, depth, scope)


def one(draw: Draw, scope: Scope, *named: str) -> str:
    text, inner = item(draw, 0, scope)
    outputs = ", ".join(f"{value(draw, 0, scope + inner)} AS {output}" for output in named)
    return f"SELECT {outputs} FROM {text}"


def select(draw: Draw, depth: int, scope: Scope, first: str = "", of_first: Scope = ()) -> tuple[str, tuple[str, ...]]:
    items, inner = ([first] if first else []), of_first
    for _ in range(draw(st.integers(0 if first else 1, 2))):
        written, more = item(draw, depth, scope + inner)
        items.append(written)
        inner += more
    outputs, known = [], []
    if draw(st.integers(0, 3)) == 0:
        alias, columns = pick(draw, inner)
        everything = draw(st.booleans())
        outputs.append("*" if everything else f"{alias}.*")
        known += [column for _, listed in (inner if everything else [(alias, columns)]) for column in listed]
    for _ in range(draw(st.integers(0 if outputs else 1, 2))):
        new = str(pick(draw, NAMES))
        outputs.append(value(draw, depth, scope + inner) + (f" AS {new}" if draw(st.booleans()) else ""))
        known += [new] if outputs[-1].endswith(f" AS {new}") else []
    text = f"SELECT {pick(draw, ('', '', 'DISTINCT '))}{', '.join(outputs)} FROM {', '.join(items)}"
    if draw(st.booleans()):
        text += f" WHERE {value(draw, depth, scope + inner)} > {draw(st.integers(0, 2))}"
    if draw(st.integers(0, 5)) == 0:
        text += f" GROUP BY {', '.join(str(place) for place in range(1, len(outputs) + 1))}"
    return text, tuple(known)


# --- The property -------------------------------------------------------------------------------------------------


@st.composite
def queries(draw: Draw) -> str:
    return query(draw, 2, ())[0]


def bound_by(analysis: Analysis, source: Source) -> bool:
    """Whether it filters, joins, groups or orders by it, also through views."""
    steering = frozenset(
        (use.schema, use.relation, use.column) for use in analysis.facts.columns if use.clause is not Clause.OUTPUT
    )
    below = stored(analysis, Lineage(steering, False)).sources
    return source in below or (*source[:2], ALL) in below


answered = 0


@given(sql=queries())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def _check(world: World, sql: str) -> None:
    global answered
    plain = world.rows("plain", sql)
    if plain is None:
        return
    answered += 1
    analysis = analyse(sql, world.catalogue)
    names, rows = plain
    outputs = outputs_of(analysis)
    assert [output.name for output in outputs] == names
    for table, column in COLUMNS:
        changed = world.rows(f"{table}_{column}", sql)
        source = ("plain", table, column)
        if changed is None or bound_by(analysis, source):
            continue
        for place, output in enumerate(outputs):
            if sorted(str(row[place]) for row in rows) != sorted(str(row[place]) for row in changed[1]):
                assert output.lineage.sources & {source, ("plain", table, ALL)}, f"{names[place]} depends on {source}"


def test_whatever_changes_an_output_is_in_its_lineage(world: World) -> None:
    _check(world)
    assert answered > EXAMPLES // 4
