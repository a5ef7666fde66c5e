"""How many rows are kept, on newer and on older servers, and what a statement returns besides."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.drivers.base import Ending, Images, Limits, Source, Step, Taken, Work
from gateway.drivers.postgres import PostgresDriver
from tests.fixtures.databases import MakeTarget, TargetDatabase

UPDATE = "UPDATE t SET note = note || '!'"
NEWER = f"{UPDATE} RETURNING WITH (OLD AS b, NEW AS a) a.id, b.id, b.note, a.id, a.note"
OLDER = f"{UPDATE} RETURNING t.id, t.id, t.note"
FIRST = "SELECT t.id, t.note FROM t FOR UPDATE OF t"


@pytest.fixture(scope="module")
def target(target_database: MakeTarget) -> TargetDatabase:
    return target_database(
        "CREATE TABLE t (id integer PRIMARY KEY, note text); INSERT INTO t SELECT n, 'abc' FROM generate_series(1, 1200) n"
    )


def take(target: TargetDatabase, sql: str, images: Images, max_rows: int = 10_000) -> tuple[Any, Taken]:
    """The change is rolled back."""
    endings: list[Ending] = []

    def stop(ending: Ending) -> None:
        endings.append(ending)
        raise Stopped

    driver = PostgresDriver()
    source = Source("limits", "limits", target.dsn, ("public",), 1)
    work = Work(
        (Step(sql, images=images),), (), Limits(max_rows, 2**20, 30_000, 5_000), False, lambda _: None, lambda: None,
        lambda: None, before_commit=stop, isolated=True,
    )  # fmt: skip
    with pytest.raises(Stopped):
        driver.run(source, work)
    (ending,) = endings
    assert ending.changed == 1200
    assert ending.taken is not None
    return ending, ending.taken


class Stopped(Exception):
    """Rolls back."""


@pytest.mark.parametrize(("sql", "before", "first"), [(NEWER, 2, ""), (OLDER, 0, FIRST)], ids=["newer", "older"])
def test_as_many_rows_are_kept_as_the_limit_says_and_not_one_more(
    target: TargetDatabase, sql: str, before: int, first: str
) -> None:
    _, taken = take(target, sql, Images(before, 2, 1200, 2**20, first))
    assert len(taken.after) == len(taken.before or taken.first) == 1200
    assert taken.after[0][1] == "abc!"
    assert (taken.before or taken.first)[0][1] == "abc"
    _, taken = take(target, sql, Images(before, 2, 1199, 2**20, first))
    assert taken == Taken(too_many=True)


@pytest.mark.parametrize(("sql", "before", "first"), [(NEWER, 2, ""), (OLDER, 0, FIRST)], ids=["newer", "older"])
def test_rows_that_are_too_large_are_not_kept(target: TargetDatabase, sql: str, before: int, first: str) -> None:
    _, taken = take(target, sql, Images(before, 2, 1200, 1000, first))
    assert taken == Taken(too_many=True)


def test_the_limit_on_what_is_returned_is_no_limit_on_what_is_kept(target: TargetDatabase) -> None:
    _, taken = take(target, NEWER, Images(2, 2, 1200, 2**20), max_rows=5)
    assert len(taken.after) == 1200
