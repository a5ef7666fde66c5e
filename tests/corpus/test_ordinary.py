"""What agents send all day passes unparked and gives what the database gives. A false positive is an outage."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.drivers import DRIVERS
from gateway.drivers.base import Limits, Work
from gateway.work import source_of
from tests.corpus.attempts import Attempt, Shop, load

STATEMENTS = load("ordinary")
UNTOUCHED = [one for one in STATEMENTS if one.name.startswith(("reads", "catalogue"))]
OTHERS = [one for one in STATEMENTS if one not in UNTOUCHED]


def rows_direct(shop: Shop, attempt: Attempt) -> tuple[list[Any], list[list[Any]]]:
    limits = Limits(max_rows=1000, max_bytes=10**7, statement_timeout_ms=5000, lock_timeout_ms=1000)
    work = Work(attempt.steps[0], attempt.params, limits, read_only=True, started=lambda cancel: None)
    rows = DRIVERS["postgres"].run(source_of(shop.cast.datasource), work)
    return [(column.name, column.type) for column in rows.columns], rows.rows


def test_there_are_many_statements_with_names_of_their_own() -> None:
    names = [attempt.name for attempt in STATEMENTS]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("statement", UNTOUCHED, ids=str)
def test_a_statement_without_masked_columns_gives_what_the_database_gives(statement: Attempt, shop: Shop) -> None:
    told = shop.submit(statement.steps[0], statement.params)
    assert told["state"] == "executed", told
    content = told["content"]
    columns, rows = rows_direct(shop, statement)
    assert ([(column["name"], column["type"]) for column in content["columns"]], content["rows"]) == (columns, rows)
    assert not any(column["masked"] for column in content["columns"])


@pytest.mark.parametrize("statement", OTHERS, ids=str)
def test_an_ordinary_statement_passes(statement: Attempt, shop: Shop) -> None:
    told = shop.submit(statement.steps[0], statement.params)
    assert told["state"] == "executed", told
    assert told["row_count"] > 0
    assert shop.seen_in(told) == []
