"""The PostgreSQL driver: what bounds a statement, what holds between two, and what became of a transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from gateway.drivers.base import Ending, Fate, Limits, Rows, Source, Step, Work
from gateway.drivers.postgres import PostgresDriver, break_off
from governance.errors import Cancelled, DataSourceUnavailable, DriverFailed, Overloaded
from tests.fixtures.databases import MakeTarget, TargetDatabase

TABLES = """
CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO items SELECT n, 'item ' || n FROM generate_series(1, 500) n;
CREATE SEQUENCE numbers;
CREATE TYPE mood AS ENUM ('glad', 'sad');
"""
LIMITS = Limits(max_rows=1000, max_bytes=1_000_000, statement_timeout_ms=5000, lock_timeout_ms=500)


def nothing(*_: Any) -> None:
    return None


@dataclass
class Bench:
    """One driver on one data source. `run(sql)` reads, unless `read_only=False`."""

    source: Source
    driver: PostgresDriver = field(default_factory=PostgresDriver)

    def run(self, sql: str, *params: Any, limits: Limits = LIMITS, read_only: bool = True, **more: Any) -> Rows:
        hooks: dict[str, Any] = {"started": nothing, "ended": nothing, "still_wanted": nothing, **more}
        return self.driver.run(self.source, Work((Step(sql),), params, limits, read_only, **hooks))

    def write(self, sql: str, *params: Any, **more: Any) -> Rows:
        return self.run(sql, *params, read_only=False, **more)


@pytest.fixture(scope="module")
def target(target_database: MakeTarget) -> TargetDatabase:
    return target_database(TABLES)


@pytest.fixture
def bench(target: TargetDatabase) -> Iterator[Bench]:
    bench = Bench(Source("key", "items", target.dsn, ("public",), concurrency=1))
    yield bench
    bench.driver.close()


def refused(call: Callable[[], Any]) -> DriverFailed:
    with pytest.raises(DriverFailed) as caught:
        call()
    return caught.value


# --- Reads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO items VALUES (1000, 'x')",
        "WITH gone AS (DELETE FROM items RETURNING *) SELECT * FROM gone",
        "SELECT nextval('numbers')",
        "CREATE TABLE more (id integer)",
    ],
)
def test_the_database_refuses_a_write_inside_a_read(bench: Bench, target: TargetDatabase, sql: str) -> None:
    assert refused(lambda: bench.run(sql)).sqlstate == "25006"
    assert target.fetch("SELECT count(*) FROM items") == [(500,)]


@pytest.mark.parametrize("name", ["transaction_read_only", "default_transaction_read_only"])
def test_a_read_cannot_make_itself_a_write(bench: Bench, target: TargetDatabase, name: str) -> None:
    sql = f"SELECT set_config('{name}', 'off', true), nextval('numbers')"
    assert refused(lambda: bench.run(sql)).sqlstate == "25006" or name == "transaction_read_only"
    assert target.fetch("SELECT is_called FROM numbers") == [(False,)]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_second_statement_cannot_ride_along(bench: Bench, target: TargetDatabase, read_only: bool) -> None:
    assert refused(lambda: bench.run("SELECT 1; DELETE FROM items", read_only=read_only)).sqlstate == "42601"
    assert target.fetch("SELECT count(*) FROM items") == [(500,)]


def test_a_result_without_rows_has_its_columns(bench: Bench) -> None:
    rows = bench.run("SELECT id, name, 'sad'::mood AS mood, $1 + $2 AS sum FROM items WHERE false", 1, 2)
    assert [(column.name, column.type) for column in rows.columns] == [
        ("id", "int4"),
        ("name", "text"),
        ("mood", "mood"),
        ("sum", "int2"),
    ]


def test_a_read_stops_at_the_row_limit_and_says_so(bench: Bench) -> None:
    rows = bench.run("SELECT id FROM items ORDER BY id", limits=replace(LIMITS, max_rows=3))
    assert (rows.rows, rows.count, rows.truncated) == ([[1], [2], [3]], 3, True)


def test_a_result_of_exactly_the_row_limit_is_whole(bench: Bench) -> None:
    rows = bench.run("SELECT id FROM items", limits=replace(LIMITS, max_rows=500))
    assert (rows.count, rows.truncated) == (500, False)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("repeat('x', 1000)", id="text"),
        pytest.param("repeat('é', 500)", id="text of two bytes a character"),
        pytest.param("to_jsonb(repeat('x', 1000))", id="JSON text"),
        pytest.param("jsonb_build_array(repeat('x', 1000))", id="a JSON array"),
        pytest.param("array_fill(1000000, ARRAY[125])", id="an array"),
    ],
)
def test_a_read_stops_at_the_byte_limit_whatever_holds_the_bytes(bench: Bench, value: str) -> None:
    rows = bench.run(f"SELECT {value} FROM items", limits=replace(LIMITS, max_bytes=10_000))
    assert rows.truncated
    assert 8 <= rows.count <= 11
    assert rows.bytes <= 10_000


def test_a_connection_whose_read_was_broken_off_serves_the_next(bench: Bench) -> None:
    bench.run("SELECT id FROM items, generate_series(1, 10000)", limits=replace(LIMITS, max_rows=1))
    assert bench.run("SELECT 1").rows == [[1]]


def test_json_that_nests_too_deeply_to_be_written_again_comes_as_text(bench: Bench) -> None:
    deep = "[" * 300 + "]" * 300
    assert bench.run("SELECT $1::json", deep).rows == [[deep]]


def test_values_that_json_cannot_say_come_as_text(bench: Bench) -> None:
    sql = "SELECT 'NaN'::float8, 'infinity'::date, '{1,Infinity}'::float8[], 12345678901234567890::numeric"
    assert bench.run(sql).rows == [["NaN", "infinity", [1.0, "Infinity"], "12345678901234567890"]]


# --- Writes ---------------------------------------------------------------------------------------------------------


def test_a_write_tells_how_many_rows_it_changed(bench: Bench) -> None:
    rows = bench.write("UPDATE items SET name = name WHERE id <= 7")
    assert (rows.columns, rows.rows, rows.count) == ((), [], 7)


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 250, 500])
def test_a_write_that_returns_rows_tells_how_many_it_changed(bench: Bench, number: int) -> None:
    rows = bench.write("UPDATE items SET name = name WHERE id <= $1 RETURNING id", number)
    assert (len(rows.rows), rows.count, rows.truncated) == (number, number, False)
    assert [column.name for column in rows.columns] == ["id"]


@pytest.mark.parametrize("limit", [{"max_rows": 3}, {"max_bytes": 20}])
def test_what_a_write_returns_is_bounded_and_the_write_is_whole(
    bench: Bench, target: TargetDatabase, limit: dict[str, int]
) -> None:
    limits = replace(LIMITS, **limit)
    sql = "INSERT INTO items SELECT n, 'more ' || n FROM generate_series(1001, 1400) n RETURNING id"
    rows = bench.write(sql, limits=limits)
    assert (len(rows.rows), rows.count, rows.truncated) == (3, 400, True)
    assert target.fetch("DELETE FROM items WHERE id > 1000 RETURNING 1") == [(1,)] * 400


def test_a_write_whose_commit_is_refused_leaves_nothing(bench: Bench, target: TargetDatabase) -> None:
    def refuse(_ending: Ending) -> None:
        raise LookupError("the ledger is away")

    with pytest.raises(LookupError):
        bench.write("DELETE FROM items", before_commit=refuse)
    assert target.fetch("SELECT count(*) FROM items") == [(500,)]


def test_a_write_that_is_no_longer_wanted_is_not_committed(bench: Bench, target: TargetDatabase) -> None:
    def unwanted() -> None:
        raise Cancelled("revoked")

    with pytest.raises(Cancelled):
        bench.write("DELETE FROM items", still_wanted=unwanted)
    assert target.fetch("SELECT count(*) FROM items") == [(500,)]


# --- Time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read_only", [True, False])
def test_a_statement_ends_at_its_time_limit(bench: Bench, read_only: bool) -> None:
    limits = replace(LIMITS, statement_timeout_ms=100)
    error = refused(lambda: bench.run("SELECT pg_sleep(30)", limits=limits, read_only=read_only))
    assert (error.sqlstate, "time limit" in error.remedy) == ("57014", True)


def test_a_statement_cannot_lift_its_own_time_limit(bench: Bench) -> None:
    sql = "SELECT set_config('statement_timeout', '0', false), pg_sleep(30)"
    assert refused(lambda: bench.run(sql, limits=replace(LIMITS, statement_timeout_ms=100))).sqlstate == "57014"


def test_waiting_for_a_lock_ends_at_its_limit(bench: Bench, target: TargetDatabase) -> None:
    with psycopg.connect(target.admin_dsn) as other:
        other.execute("SELECT FROM items WHERE id = 1 FOR UPDATE")
        error = refused(
            lambda: bench.write("UPDATE items SET name = 'x' WHERE id = 1", limits=replace(LIMITS, lock_timeout_ms=50))
        )
    assert error.sqlstate == "55P03"


@pytest.mark.parametrize("read_only", [True, False])
def test_a_cancelled_statement_ends_at_the_database(bench: Bench, read_only: bool) -> None:
    ready = threading.Event()
    handle: list[Callable[[], None]] = []
    outcome: list[BaseException] = []

    def started(cancel: Callable[[], None]) -> None:
        handle.append(cancel)
        ready.set()

    def work() -> None:
        try:
            bench.run("SELECT pg_sleep(30)", read_only=read_only, started=started)
        except BaseException as error:  # noqa: BLE001 handed to the test
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(5)
    while thread.is_alive():  # a cancel request that comes between two commands is lost
        break_off(handle[0])
        thread.join(0.05)
    assert isinstance(outcome[0], Cancelled)


def test_the_way_to_cancel_is_given_back_before_the_connection_is(bench: Bench) -> None:
    """Otherwise a late cancel would hit whoever has the connection next."""
    told: list[str] = []

    def ended() -> None:
        pool = next(iter(bench.driver._pools.values()))
        told.append(f"{pool.get_stats()['pool_available']} free")

    bench.run("SELECT 1", ended=ended)
    with pytest.raises(DriverFailed):
        bench.run("SELECT 1 / 0", ended=ended)
    assert told == ["0 free", "0 free"]


# --- Between two statements -----------------------------------------------------------------------------------------


def backend(bench: Bench) -> Any:
    return bench.run("SELECT pg_backend_pid()").rows[0][0]


@pytest.mark.parametrize(
    ("leave", "look"),
    [
        pytest.param(
            "SELECT set_config('work_mem', '77MB', false)",
            "SELECT current_setting('work_mem') = '77MB'",
            id="a setting",
        ),
        pytest.param(
            "SELECT set_config('countersign.secret', 'x', false)",
            "SELECT coalesce(current_setting('countersign.secret', true), '') <> ''",
            id="a setting of its own",
        ),
        pytest.param(
            "SELECT set_config('search_path', 'elsewhere', false)",
            "SELECT current_setting('search_path') LIKE '%elsewhere%'",
            id="the search path",
        ),
        pytest.param(
            "CREATE TEMPORARY TABLE left_behind AS SELECT 1 AS n",
            "SELECT to_regclass('pg_temp.left_behind') IS NOT NULL",
            id="a temporary table",
        ),
        pytest.param(
            "SELECT pg_advisory_lock(4711)",
            "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711",
            id="an advisory lock",
        ),
        pytest.param("LISTEN left_behind", "SELECT count(*) > 0 FROM pg_listening_channels()", id="a LISTEN"),
        pytest.param(
            "PREPARE kept AS SELECT 1", "SELECT count(*) > 0 FROM pg_prepared_statements", id="a prepared one"
        ),
        pytest.param(
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "SELECT count(*) > 0 FROM pg_cursors WHERE name = 'c'",
            id="a cursor",
        ),
    ],
)
def test_nothing_of_a_statement_stays_for_the_next_principal(bench: Bench, leave: str, look: str) -> None:
    before = backend(bench)
    bench.write(leave)
    assert bench.run(look).rows == [[False]]
    assert backend(bench) == before, "the same session must have served both"


def test_the_last_value_of_somebody_elses_sequence_is_not_told(bench: Bench, target: TargetDatabase) -> None:
    bench.write("SELECT nextval('numbers')")
    assert refused(lambda: bench.run("SELECT lastval()")).sqlstate == "55000"
    target.fetch("SELECT setval('numbers', 1, false)")


def test_an_isolated_statement_has_a_session_of_its_own(bench: Bench) -> None:
    shared = backend(bench)
    assert bench.run("SELECT pg_backend_pid()", isolated=True).rows[0][0] != shared


def test_a_read_that_fails_leaves_the_connection_usable(bench: Bench) -> None:
    refused(lambda: bench.run("SELECT 1 / 0"))
    assert bench.run("SELECT 1").rows == [[1]]


def test_the_session_reads_text_as_the_parser_does(target: TargetDatabase) -> None:
    """Also where the data source's address says otherwise."""
    dsn = make_conninfo(target.dsn, options="-c standard_conforming_strings=off -c transform_null_equals=on")
    bench = Bench(Source("other", "items", dsn, ("public",), 1))
    try:
        assert bench.run(r"SELECT 'a\'").rows == [["a\\"]]
        assert bench.run("SELECT count(*) FROM items WHERE name = NULL").rows == [[0]]
    finally:
        bench.driver.close()


# --- What goes wrong ------------------------------------------------------------------------------------------------


def test_an_error_says_what_and_where_and_no_detail(bench: Bench) -> None:
    error = refused(lambda: bench.write("INSERT INTO items VALUES (1001, 'item 7')"))
    assert error.sqlstate == "23505"
    assert "item 7" not in f"{error.message} {error.remedy}"


def test_an_error_points_at_its_place(bench: Bench) -> None:
    assert refused(lambda: bench.run("SELECT 1 + nowhere")).place == 11


@pytest.mark.parametrize("values", [[True, 1], [1, "a"], [{"a": 1}, 2], [[1], 2]])
def test_a_list_of_several_types_is_refused_by_its_number(bench: Bench, values: list[Any]) -> None:
    error = refused(lambda: bench.run("SELECT $1::text", values))
    assert error.sqlstate == "22P02"
    assert "$1" in error.message


def test_a_list_of_whole_numbers_and_fractions_is_one_of_fractions(bench: Bench) -> None:
    assert bench.run("SELECT count(*) FROM items WHERE id::numeric = ANY($1)", [1, 2.5, None, 3]).rows == [[2]]


def test_a_server_that_is_away_is_told_without_its_address(target: TargetDatabase) -> None:
    bench = Bench(Source("away", "items", "host=127.0.0.1 port=1 dbname=x user=u password=secret", ("public",), 1))
    try:
        for isolated in (False, True):
            with pytest.raises(DataSourceUnavailable) as away:
                bench.run("SELECT 1", isolated=isolated)
            assert "127.0.0.1" not in away.value.message
            assert "secret" not in away.value.message
    finally:
        bench.driver.close()


def test_a_full_pool_is_told_apart_from_a_server_that_is_away(bench: Bench) -> None:
    ready, done = threading.Event(), threading.Event()

    def hold(_ending: Ending) -> None:
        ready.set()
        done.wait(10)

    thread = threading.Thread(target=lambda: bench.write("SELECT 1", before_commit=hold))
    thread.start()
    ready.wait(5)
    try:
        with pytest.raises(Overloaded):
            bench.run("SELECT 1")
    finally:
        done.set()
        thread.join()


def test_a_session_that_the_server_ended_is_told(bench: Bench, target: TargetDatabase) -> None:
    def end(_cancel: Callable[[], None]) -> None:
        target.fetch(f"SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = '{target.role}'")

    with pytest.raises(DataSourceUnavailable):
        bench.run("SELECT 1", started=end)
    assert bench.run("SELECT 1").rows == [[1]]


# --- The fate of a transaction --------------------------------------------------------------------------------------


def test_the_fate_of_a_committed_transaction(bench: Bench) -> None:
    ids: list[str] = []
    bench.write(
        "UPDATE items SET name = name WHERE id = 1", before_commit=lambda ending: ids.append(ending.transaction_id)
    )
    assert bench.driver.fate_of(bench.source, ids[0]) is Fate.COMMITTED


def test_the_fate_of_an_aborted_transaction(bench: Bench) -> None:
    ids: list[str] = []

    def refuse(ending: Ending) -> None:
        ids.append(ending.transaction_id)
        raise LookupError

    with pytest.raises(LookupError):
        bench.write("UPDATE items SET name = name WHERE id = 1", before_commit=refuse)
    assert bench.driver.fate_of(bench.source, ids[0]) is Fate.ABORTED


def test_the_fate_of_a_transaction_in_progress(bench: Bench) -> None:
    fates: list[Fate] = []
    bench.write(
        "UPDATE items SET name = name WHERE id = 1",
        before_commit=lambda ending: fates.append(bench.driver.fate_of(bench.source, ending.transaction_id)),
    )
    assert fates == [Fate.IN_PROGRESS]


@pytest.mark.parametrize("transaction_id", ["999999999999", "not an id", ""])
def test_the_fate_of_an_id_that_the_server_never_gave_out_is_unknown(bench: Bench, transaction_id: str) -> None:
    assert bench.driver.fate_of(bench.source, transaction_id) is Fate.UNKNOWN


def test_the_fate_is_not_guessed_where_the_server_is_away(bench: Bench) -> None:
    away = replace(bench.source, dsn="host=127.0.0.1 port=1 dbname=x user=u")
    with pytest.raises(DataSourceUnavailable):
        bench.driver.fate_of(away, "1")
