"""What PostgreSQL runs only outside transactions, through the driver: bounded, broken off, and honest about its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from gateway.drivers.base import CommitUnknown, Ending, Limits, Rows, Source, Step, Work
from gateway.drivers.postgres import PostgresDriver, break_off
from governance.errors import Cancelled, DriverFailed
from tests.fixtures.databases import MakeTarget, TargetDatabase

TABLES = """
CREATE TABLE items (id integer PRIMARY KEY, name text);
CREATE TABLE parted (id integer) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (1000);
INSERT INTO items SELECT n, 'item ' || n FROM generate_series(1, 500) n;
INSERT INTO parted SELECT n FROM generate_series(1, 300) n;
"""
LIMITS = Limits(max_rows=1000, max_bytes=1_000_000, statement_timeout_ms=5000, lock_timeout_ms=5000)
BUILD = "CREATE INDEX CONCURRENTLY by_name ON items (name)"


class Wanted:
    """What the gateway keeps of a statement that runs."""

    def __init__(self) -> None:
        self.cancel: Any = None
        self.ended_early = False

    def started(self, cancel: Any) -> None:
        self.cancel = cancel

    def ended(self) -> None:
        self.cancel = None

    def still_wanted(self) -> None:
        if self.ended_early:
            raise Cancelled("ended")


@pytest.fixture(scope="module")
def shared(target_database: MakeTarget) -> TargetDatabase:
    return target_database(TABLES)


@pytest.fixture
def target(shared: TargetDatabase) -> Iterator[TargetDatabase]:
    yield shared
    shared.admin.execute("DROP INDEX IF EXISTS by_name")


@pytest.fixture
def driver() -> Iterator[PostgresDriver]:
    driver = PostgresDriver()
    yield driver
    driver.close()


def source(target: TargetDatabase) -> Source:
    return Source("key", "items", target.dsn, ("public",), concurrency=2)


def run(
    driver: PostgresDriver, target: TargetDatabase, sql: str, wanted: Wanted, limits: Limits = LIMITS, **more: Any
) -> Rows:
    work = Work(
        (Step(sql),), (), limits, False, wanted.started, wanted.ended, wanted.still_wanted, outside_transaction=True,
        **more,
    )  # fmt: skip
    return driver.run(source(target), work)


def indexes(target: TargetDatabase) -> list[tuple[str, bool]]:
    return target.fetch(
        "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = 'by_name'"
    )


@pytest.mark.parametrize("sql", [BUILD, "VACUUM items", "REINDEX TABLE CONCURRENTLY items", "REINDEX TABLE parted"])
def test_it_runs(driver: PostgresDriver, target: TargetDatabase, sql: str) -> None:
    assert run(driver, target, sql, Wanted()).count == 0


def test_its_limits_hold_in_the_session(driver: PostgresDriver, target: TargetDatabase) -> None:
    short = Limits(max_rows=1, max_bytes=1, statement_timeout_ms=5000, lock_timeout_ms=50)
    with psycopg.connect(target.admin_dsn) as other:
        other.execute("LOCK TABLE items IN ROW EXCLUSIVE MODE")
        with pytest.raises(DriverFailed) as refused:
            run(driver, target, "VACUUM FULL items", Wanted(), short)
    assert refused.value.sqlstate == "55P03"


def test_it_is_told_before_it_is_sent(driver: PostgresDriver, target: TargetDatabase) -> None:
    seen: list[Ending] = []
    run(driver, target, BUILD, Wanted(), before_commit=seen.append)
    assert [(ending.transaction_id, ending.changed) for ending in seen] == [("", 0)]


def test_p4_nothing_is_sent_once_it_may_not(driver: PostgresDriver, target: TargetDatabase) -> None:
    def taken_away(_: Ending) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        run(driver, target, BUILD, Wanted(), before_commit=taken_away)
    assert indexes(target) == []


def waiting(target: TargetDatabase) -> bool:
    return bool(target.fetch("SELECT 1 FROM pg_locks WHERE NOT granted"))


def hold_and(driver: PostgresDriver, target: TargetDatabase, act: Any) -> BaseException:
    """Builds the index while another transaction makes it wait, and calls `act` meanwhile."""
    wanted, ends = Wanted(), []

    def work() -> None:
        try:
            run(driver, target, BUILD, wanted)
        except BaseException as error:  # noqa: BLE001 handed to the test
            ends.append(error)

    with psycopg.connect(target.admin_dsn) as other:
        other.execute("INSERT INTO items VALUES (0, 'open')")
        thread = threading.Thread(target=work)
        thread.start()
        while not waiting(target):
            assert thread.is_alive()
        act(wanted)
        thread.join(10)
        other.rollback()
    return ends[0]


def test_p8_it_is_broken_off_at_the_database(driver: PostgresDriver, target: TargetDatabase) -> None:
    def end(wanted: Wanted) -> None:
        wanted.ended_early = True
        break_off(wanted.cancel)

    assert isinstance(hold_and(driver, target, end), Cancelled)
    assert indexes(target) == [("by_name", False)]


def test_a_connection_that_breaks_leaves_its_end_open(driver: PostgresDriver, target: TargetDatabase) -> None:
    def cut(_: Wanted) -> None:
        target.admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%%' AND usename = %s",
            [target.role],
        )

    assert isinstance(hold_and(driver, target, cut), CommitUnknown)


def test_sizes_are_the_planner_s(driver: PostgresDriver, target: TargetDatabase) -> None:
    target.admin.execute("ANALYZE")
    found = driver.sizes_of(source(target), [("public", "items"), ("public", "parted"), ("public", "gone")])
    assert found == {"public.items": 500, "public.parted": 300}
