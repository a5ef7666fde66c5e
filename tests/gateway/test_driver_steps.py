"""Texts of several steps, and COPY: in one transaction, within the limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.drivers.base import Limits, Rows, Source, Step, Work
from gateway.drivers.postgres import PostgresDriver
from governance.errors import DriverFailed
from tests.fixtures.databases import MakeTarget, TargetDatabase

LIMITS = Limits(max_rows=1000, max_bytes=1_000_000, statement_timeout_ms=5000, lock_timeout_ms=500)


@pytest.fixture(scope="module")
def target(target_database: MakeTarget) -> TargetDatabase:
    return target_database(
        "CREATE TABLE items (id integer PRIMARY KEY, name text);"
        "INSERT INTO items SELECT n, 'é' || n FROM generate_series(1, 500) n"
    )


@pytest.fixture
def driver() -> Iterator[PostgresDriver]:
    driver = PostgresDriver()
    yield driver
    driver.close()


@pytest.fixture
def source(target: TargetDatabase) -> Source:
    return Source("steps", "items", target.dsn, ("public",), concurrency=1)


def work(*steps: Step | str, read_only: bool = True, **limits: Any) -> Work:
    taken = tuple(step if isinstance(step, Step) else Step(step) for step in steps)

    def nothing(*_: Any) -> None:
        return None

    return Work(taken, (), replace(LIMITS, **limits), read_only, nothing, nothing, nothing)


def test_the_last_step_that_returns_rows_gives_them(driver: PostgresDriver, source: Source) -> None:
    rows = driver.run(source, work("SELECT 1 AS a", "SELECT 2 AS b", "SET LOCAL extra_float_digits = 0"))
    assert ([c.name for c in rows.columns], rows.rows, rows.step, rows.count) == (["b"], [[2]], 1, 1)


def test_steps_share_one_transaction(driver: PostgresDriver, source: Source, target: TargetDatabase) -> None:
    with pytest.raises(DriverFailed):
        driver.run(source, work("INSERT INTO items VALUES (900, 'x')", "SELECT 1/0", read_only=False))
    assert target.fetch("SELECT count(*) FROM items WHERE id = 900") == [(0,)]


@pytest.mark.parametrize("level", ["serializable", "repeatable read", "read committed"])
def test_a_transaction_has_the_level_that_was_asked_for(driver: PostgresDriver, source: Source, level: str) -> None:
    asked = work("SELECT current_setting('transaction_isolation')")
    assert driver.run(source, replace(asked, isolation=level)).rows == [[level]]
    assert driver.run(source, asked).rows == [["read committed"]]


def test_changes_of_all_steps_are_counted(driver: PostgresDriver, source: Source) -> None:
    rows = driver.run(
        source, work("INSERT INTO items VALUES (901, 'x')", "DELETE FROM items WHERE id = 901", read_only=False)
    )
    assert rows.count == 2


def test_what_a_write_reads_beside_is_not_counted_as_changed(driver: PostgresDriver, source: Source) -> None:
    steps = Step("DELETE FROM items WHERE id = 500"), Step("SELECT * FROM items", only_reads=True)
    assert driver.run(source, work(*steps, read_only=False)).count == 1


def test_a_step_cannot_lift_the_time_limit_for_the_next(driver: PostgresDriver, source: Source) -> None:
    with pytest.raises(DriverFailed, match="statement timeout"):
        driver.run(source, work("SET statement_timeout = 0", "SELECT pg_sleep(3)", statement_timeout_ms=200))


def test_the_time_limit_is_for_all_steps_together(driver: PostgresDriver, source: Source) -> None:
    steps = ["SELECT pg_sleep(0.2)"] * 4
    with pytest.raises(DriverFailed, match="statement timeout"):
        driver.run(source, work(*steps, statement_timeout_ms=500))


def copied(driver: PostgresDriver, source: Source, sql: str, **limits: Any) -> Rows:
    return driver.run(source, work(Step(sql, is_copy=True), **limits))


def test_the_lines_of_a_copy_are_its_rows(driver: PostgresDriver, source: Source) -> None:
    rows = copied(driver, source, "COPY (SELECT id, name FROM items WHERE id < 3) TO STDOUT (FORMAT csv, HEADER)")
    assert [c.name for c in rows.columns] == ["copy"]
    assert rows.rows == [["id,name"], ["1,é1"], ["2,é2"]]


def test_a_copy_ends_at_the_limit_and_leaves_the_connection_usable(driver: PostgresDriver, source: Source) -> None:
    rows = copied(driver, source, "COPY items TO STDOUT", max_rows=10)
    assert (len(rows.rows), rows.truncated) == (10, True)
    assert driver.run(source, work("SELECT 1 AS a")).rows == [[1]]


def test_a_copy_beyond_the_limit_does_not_undo_what_is_written_beside_it(
    driver: PostgresDriver, source: Source, target: TargetDatabase
) -> None:
    steps = Step("INSERT INTO items VALUES (910, 'x')"), Step("COPY items TO STDOUT", is_copy=True)
    rows = driver.run(source, work(*steps, read_only=False, max_rows=10))
    assert (len(rows.rows), rows.truncated) == (10, True)
    assert target.fetch("SELECT count(*) FROM items WHERE id = 910") == [(1,)]


def test_a_copy_that_is_not_text_is_refused(driver: PostgresDriver, source: Source) -> None:
    with pytest.raises(DriverFailed, match="not text"):
        copied(driver, source, "COPY (SELECT '\\xff'::bytea) TO STDOUT (FORMAT binary)")
