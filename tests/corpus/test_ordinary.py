"""What agents send all day passes unparked and gives what the database gives. A false positive is an outage."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from gateway.drivers.postgres_values import parameters, prepare_session
from tests.corpus.attempts import Attempt, Shop, load

STATEMENTS = load("ordinary")
UNTOUCHED = [one for one in STATEMENTS if one.name.startswith(("reads", "catalogue"))]
OTHERS = [one for one in STATEMENTS if one not in UNTOUCHED]


def rows_direct(shop: Shop, attempt: Attempt) -> tuple[list[str], list[list[Any]]]:
    """Without the gateway: no analysis, no masks, no limits."""
    options = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c search_path=public"
    with psycopg.connect(shop.database.dsn, options=options) as session:
        prepare_session(session)
        cursor = psycopg.RawCursor(session)
        cursor.execute(attempt.steps[0].encode(), parameters(attempt.params))
        return [column.name for column in cursor.description or ()], [list(row) for row in cursor.fetchall()]


def test_there_are_many_statements_with_names_of_their_own() -> None:
    names = [attempt.name for attempt in STATEMENTS]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("statement", UNTOUCHED, ids=str)
def test_a_statement_without_masked_columns_gives_what_the_database_gives(statement: Attempt, shop: Shop) -> None:
    told = shop.submit(statement.steps[0], statement.params)
    assert told["state"] == "executed", told
    content = told["content"]
    assert ([column["name"] for column in content["columns"]], content["rows"]) == rows_direct(shop, statement)
    assert not any(column["masked"] for column in content["columns"])


@pytest.mark.parametrize("statement", OTHERS, ids=str)
def test_an_ordinary_statement_passes(statement: Attempt, shop: Shop) -> None:
    told = shop.submit(statement.steps[0], statement.params)
    assert told["state"] == "executed", told
    assert told["row_count"] > 0
    assert shop.seen_in(told) == []
