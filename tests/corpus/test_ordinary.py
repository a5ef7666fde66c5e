"""What agents and their tools send all day passes unparked and gives what the database gives. A false positive is an outage."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from gateway.drivers.postgres_values import parameters, prepare_session
from tests.corpus.attempts import Attempt, Shop, load

STATEMENTS = load("ordinary")
READS = [one for one in STATEMENTS if one.origin not in ("tpch", "masked", "writes")]
TPCH = [one for one in STATEMENTS if one.origin == "tpch"]
# Their rows are masked, or change.
OTHERS = [one for one in STATEMENTS if one.origin in ("masked", "writes")]
ORIGINS = {
    "analytics", "catalogue", "dbeaver", "django", "masked", "metabase", "pg_dump", "pgadmin", "psql", "reads", "sqlalchemy",
    "tpch", "writes",
}  # fmt: skip
OPTIONS = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c search_path=public"
Rows = list[list[Any]]


def rows_direct(shop: Shop, sql: str, params: tuple[Any, ...]) -> tuple[list[str], Rows]:
    """Without the gateway: no analysis, no masks, no limits."""
    with psycopg.connect(shop.database.dsn, options=OPTIONS) as session:
        prepare_session(session)
        cursor = psycopg.RawCursor(session)
        if sql.startswith("COPY"):
            with cursor.copy(sql.encode()) as copy:
                return ["copy"], [[bytes(line).decode().rstrip("\n")] for line in copy]
        *before, last = _statements(sql)
        for one in before:
            cursor.execute(one.encode())
        cursor.execute(last.encode(), parameters(params))
        return [column.name for column in cursor.description or ()], [list(row) for row in cursor.fetchall()]


def _statements(sql: str) -> list[str]:
    """Texts that hold several put each on lines of its own."""
    return [one for one in re.split(r";\s*\n", sql) if one.strip()]


def comparable(names: list[str], rows: Rows, masked: tuple[str, ...], ordered: bool) -> list[Any]:
    kept = [number for number, name in enumerate(names) if name not in masked]
    picked = [[row[number] for number in kept] for row in rows]
    return picked if ordered else sorted(picked, key=repr)


def check(shop: Shop, statement: Attempt) -> None:
    sql = shop.with_oids(statement.steps[0])
    told = shop.submit(sql, statement.params)
    assert told["state"] == "executed", _why(told)
    content = told["content"]
    names, rows = rows_direct(shop, sql, statement.params)
    assert [column["name"] for column in content["columns"]] == names
    masked = statement.listed("masked")
    if "*" in masked:
        assert len(content["rows"]) == len(rows)
        return
    ordered = "order by" in sql.lower() or content["truncated"]
    shown, expected = content["rows"], rows[: len(content["rows"])] if content["truncated"] else rows
    assert comparable(names, shown, masked, ordered) == comparable(names, expected, masked, ordered)
    assert not masked or shop.seen_in(told) == []


def _why(told: dict[str, Any]) -> str:
    return str(told.get("problem") or told.get("decision"))


def test_there_are_many_statements_of_every_origin_with_names_of_their_own() -> None:
    names = [attempt.name for attempt in STATEMENTS]
    assert len(names) >= 300
    assert len(set(names)) == len(names)
    assert {attempt.origin for attempt in STATEMENTS} == ORIGINS
    assert len(TPCH) == 22


@pytest.mark.parametrize("statement", READS, ids=str)
def test_an_ordinary_read_passes_and_gives_what_the_database_gives(statement: Attempt, shop: Shop) -> None:
    check(shop, statement)


@pytest.mark.parametrize("statement", TPCH, ids=str)
def test_a_query_of_tpch_passes_and_gives_what_the_database_gives(statement: Attempt, tpch: Shop) -> None:
    check(tpch, statement)


@pytest.mark.parametrize("statement", OTHERS, ids=str)
def test_an_ordinary_statement_over_masks_or_that_writes_passes(statement: Attempt, shop: Shop) -> None:
    told = shop.submit(statement.steps[0], statement.params)
    assert told["state"] == "executed", _why(told)
    assert told["row_count"] > 0
    assert shop.seen_in(told) == []
