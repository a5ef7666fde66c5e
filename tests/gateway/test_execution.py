"""What people approved runs at most once, also through a crash, and only if it is still what they approved (P4)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from approvals import services as approvals
from approvals.models import Request
from approvals.states import State
from audit.models import Entry
from gateway import attempts, execution
from gateway.drivers import postgres
from gateway.models import Query, QueryState, Result
from gateway.pipeline import submit
from gateway.queries import cancel, problem_for
from gateway.release import replay
from gateway.tasks import sweep
from governance.errors import DataSourceUnavailable
from identity.credentials import authenticate, issue, revoke
from identity.models import User
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase

COUNT = "INSERT INTO runs SELECT count(*) + 1 FROM runs"


@pytest.fixture
def shop(shop: TargetDatabase) -> TargetDatabase:
    """With a table that counts how often something ran."""
    shop.admin.execute(f"CREATE TABLE runs (n integer); ALTER TABLE runs OWNER TO {shop.role}")
    return shop


def approved(cast: Cast, sql: str = COUNT, **more: Any) -> Query:
    query = submit(cast.submission(sql, **more)).query
    approvals.review(request_of(query).pk, cast.principal(cast.rita), "approve", "")
    return query


def state_of(query: Query) -> tuple[str, str]:
    query.refresh_from_db()
    request_of(query).refresh_from_db()
    return request_of(query).state, query.state


def request_of(query: Query) -> Request:
    assert query.request is not None
    return query.request


def runs(shop: TargetDatabase) -> int:
    return int(shop.fetch("SELECT count(*) FROM runs")[0][0])


class Died(BaseException):
    """Stands for the end of the process: nothing catches it."""


def die(*_: Any, **__: Any) -> Any:
    raise Died


def test_an_approved_statement_runs_and_its_result_is_kept(cast: Cast, shop: TargetDatabase) -> None:
    query = approved(cast, "DELETE FROM orders WHERE status = 'open' RETURNING id")
    assert execution.execute_request(request_of(query).pk) == State.EXECUTED
    assert state_of(query) == (State.EXECUTED, QueryState.EXECUTED)
    assert len(Result.objects.get(query=query).content["rows"]) == query.row_count == 15


def test_the_ledger_tells_the_execution(cast: Cast, shop: TargetDatabase) -> None:
    query = approved(cast)
    execution.execute_request(request_of(query).pk)
    kinds = [entry.kind for entry in Entry.objects.all() if entry.fields.get("query") == str(query.pk)]
    assert kinds == ["statement.parked", "execution.started", "statement.intent", "execution.finished"]


def test_p4_it_runs_at_most_once_however_often_it_is_published(cast: Cast, shop: TargetDatabase) -> None:
    query = approved(cast)
    for _ in range(3):
        execution.execute_request(request_of(query).pk)
    assert runs(shop) == 1


def test_p4_it_runs_at_most_once_with_many_workers(cast: Cast, shop: TargetDatabase) -> None:
    query = approved(cast)

    def work() -> None:
        try:
            execution.execute_request(request_of(query).pk)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert runs(shop) == 1


@pytest.mark.parametrize(
    "place", ["gateway.execution.record_intent", "gateway.execution.run", "gateway.attempts.finish"]
)
def test_p4_a_worker_that_dies_anywhere_leaves_it_run_exactly_once(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    query = approved(cast)
    with monkeypatch.context() as crash:
        crash.setattr(place, die)
        with pytest.raises(Died):
            execution.execute_request(request_of(query).pk)
    execution.reconcile(request_of(query).pk)
    execution.execute_request(request_of(query).pk)
    assert state_of(query) == (State.EXECUTED, QueryState.EXECUTED)
    assert runs(shop) == 1


def test_p4_a_worker_that_dies_between_the_durable_id_and_commit_leaves_it_run_exactly_once(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = approved(cast)
    with monkeypatch.context() as crash:
        crash.setattr(postgres, "_commit", die)
        with pytest.raises(Died):
            execution.execute_request(request_of(query).pk)
    request_of(query).refresh_from_db()
    assert request_of(query).xid
    assert execution.reconcile(request_of(query).pk) == State.APPROVED
    execution.execute_request(request_of(query).pk)
    assert runs(shop) == 1


def test_p4_a_worker_whose_attempt_was_taken_away_cannot_commit(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was only slow; meanwhile the sweep gave the request to another."""
    query = approved(cast)
    transaction_id: Callable[..., str] = postgres._transaction_id

    def slow(*given: Any) -> str:
        Request.objects.filter(pk=request_of(query).pk).update(attempt=99)
        return transaction_id(*given)

    monkeypatch.setattr(postgres, "_transaction_id", slow)
    assert execution.execute_request(request_of(query).pk) == "busy"
    assert runs(shop) == 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("ALTER TABLE runs ADD COLUMN note text", id="a column more"),
        pytest.param("ALTER TABLE runs ALTER COLUMN n TYPE bigint", id="another type"),
        pytest.param("ALTER TABLE runs ADD PRIMARY KEY (n)", id="another key"),
        pytest.param("DROP TABLE runs", id="gone"),
        pytest.param("ALTER TABLE runs ALTER COLUMN n SET DEFAULT 7", id="another default"),
        pytest.param("ALTER TABLE runs ADD CHECK (n > 0)", id="another check"),
    ],
)
def test_p4_a_changed_schema_voids_the_approval(cast: Cast, shop: TargetDatabase, change: str) -> None:
    query = approved(cast)
    shop.admin.execute(change)
    assert execution.execute_request(request_of(query).pk) == State.DRIFTED
    assert state_of(query) == (State.DRIFTED, QueryState.DRIFTED)


@pytest.mark.parametrize(
    ("sql", "change"),
    [
        pytest.param(
            "DELETE FROM orders WHERE status = chosen()",
            "CREATE OR REPLACE FUNCTION chosen() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'done' $$",
            id="called",
        ),
        pytest.param(
            "DELETE FROM watched",
            "CREATE OR REPLACE FUNCTION on_watched() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN DELETE FROM runs; RETURN OLD; END $$",
            id="fired",
        ),
    ],
)
def test_p4_another_body_of_a_function_voids_the_approval(
    cast: Cast, shop: TargetDatabase, sql: str, change: str
) -> None:
    shop.admin.execute(f"""
        CREATE FUNCTION chosen() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'open' $$;
        CREATE TABLE watched (id integer);
        ALTER TABLE watched OWNER TO {shop.role};
        CREATE FUNCTION on_watched() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN INSERT INTO runs VALUES (1); RETURN OLD; END $$;
        CREATE TRIGGER watch BEFORE DELETE ON watched FOR EACH ROW EXECUTE FUNCTION on_watched();
    """)
    query = approved(cast, sql)
    shop.admin.execute(change)
    assert execution.execute_request(request_of(query).pk) == State.DRIFTED


def test_p4_one_changed_byte_voids_the_approval(cast: Cast, shop: TargetDatabase) -> None:
    query = approved(cast)
    Query.objects.filter(pk=query.pk).update(sql=COUNT.replace("1", "2"))
    assert execution.execute_request(request_of(query).pk) == State.DRIFTED
    assert runs(shop) == 0


def test_p4_a_changed_parameter_voids_the_approval(cast: Cast, shop: TargetDatabase) -> None:
    query = approved(cast, "INSERT INTO runs SELECT $1 FROM orders", params=(1,))
    Query.objects.filter(pk=query.pk).update(params=[2])
    assert execution.execute_request(request_of(query).pk) == State.DRIFTED
    assert runs(shop) == 0


def test_p8_a_revoked_credential_voids_what_it_asked(cast: Cast, shop: TargetDatabase) -> None:
    issued = issue(cast.bot, issued_by="test")
    submission = cast.submission(COUNT)
    object.__setattr__(submission, "principal", authenticate(issued.token))
    query = submit(submission).query
    approvals.review(request_of(query).pk, cast.principal(cast.rita), "approve", "")
    revoke(issued.credential, actor="test")
    assert execution.execute_request(request_of(query).pk) == State.DRIFTED
    assert runs(shop) == 0


def test_an_error_of_the_database_fails_it_with_the_reason(cast: Cast, shop: TargetDatabase) -> None:
    query = approved(cast, "INSERT INTO orders SELECT id, 1, 1, 'x' FROM orders")
    assert execution.execute_request(request_of(query).pk) == State.FAILED
    query.refresh_from_db()
    assert (query.problem or {})["sqlstate"] == "23505"


def test_an_error_names_no_value_of_the_data(cast: Cast, shop: TargetDatabase) -> None:
    """DETAIL would quote the row; only the first message leaves."""
    query = approved(
        cast, "INSERT INTO customers SELECT id + 100, 'x', email FROM customers WHERE id > $1", params=(0,)
    )
    shop.admin.execute("ALTER TABLE customers ADD CHECK (length(name) > 3) NOT VALID")
    execution.execute_request(request_of(query).pk)
    query.refresh_from_db()
    assert "@example.com" not in str(query.problem)


def test_the_sweep_finishes_what_a_dead_worker_committed(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = approved(cast)
    with monkeypatch.context() as crash:
        crash.setattr(attempts, "finish", die)
        with pytest.raises(Died):
            execution.execute_request(request_of(query).pk)
    sweep()
    assert state_of(query) == (State.EXECUTED, QueryState.EXECUTED)
    assert runs(shop) == 1


def test_the_catalogue_is_read_again_after_a_definition(cast: Cast, shop: TargetDatabase) -> None:
    query = approved(cast, "CREATE TABLE notes (id integer PRIMARY KEY, body text)")
    assert execution.execute_request(request_of(query).pk) == State.EXECUTED
    assert submit(cast.submission("SELECT * FROM notes")).content == {
        "columns": [
            {"name": "id", "type": "int4", "masked": False},
            {"name": "body", "type": "text", "masked": False},
        ],
        "rows": [],
        "truncated": False,
    }


# --- What is no longer so when it would run -----------------------------------------------------------------------


def leave_the_group(cast: Cast) -> None:
    cast.rita.groups.clear()


def be_deactivated(cast: Cast) -> None:
    User.objects.filter(pk=cast.rita.pk).update(is_active=False)


@pytest.mark.parametrize("change", [leave_the_group, be_deactivated])
def test_p5_an_approval_of_somebody_who_may_no_longer_approve_is_void(
    cast: Cast, shop: TargetDatabase, change: Callable[[Cast], None]
) -> None:
    query = approved(cast)
    change(cast)
    assert execution.execute_request(request_of(query).pk) == State.DRIFTED
    assert runs(shop) == 0


def test_p4_a_request_that_was_marked_approved_past_the_reviews_does_not_run(cast: Cast, shop: TargetDatabase) -> None:
    query = submit(cast.submission(COUNT)).query
    Request.objects.filter(pk=request_of(query).pk).update(state=State.APPROVED)
    assert execution.execute_request(request_of(query).pk) == State.DRIFTED
    assert runs(shop) == 0


# --- After a crash ------------------------------------------------------------------------------------------------


def crashed(cast: Cast, monkeypatch: pytest.MonkeyPatch, place: str) -> Query:
    query = approved(cast)
    with monkeypatch.context() as crash:
        crash.setattr(place, die)
        with pytest.raises(Died):
            execution.execute_request(request_of(query).pk)
    return query


def test_what_a_crash_put_back_in_line_can_be_cancelled(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = crashed(cast, monkeypatch, "gateway.execution.run")
    assert execution.reconcile(request_of(query).pk) == State.APPROVED
    query.refresh_from_db()
    cancel(cast.principal(cast.bot), query)
    assert execution.execute_request(request_of(query).pk) == State.WITHDRAWN
    assert runs(shop) == 0


def test_the_sweep_settles_others_while_one_data_source_is_away(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (
        crashed(cast, monkeypatch, "gateway.attempts.finish"),
        crashed(cast, monkeypatch, "gateway.attempts.finish"),
    )
    newest = Request.objects.filter(state=State.EXECUTING).first()
    assert newest is not None
    fate_of = postgres.PostgresDriver.fate_of

    def away(driver: Any, source: Any, transaction_id: str) -> Any:
        if transaction_id == newest.xid:
            raise DataSourceUnavailable("away")
        return fate_of(driver, source, transaction_id)

    monkeypatch.setattr(postgres.PostgresDriver, "fate_of", away)
    sweep()
    states = sorted(state_of(query)[0] for query in (first, second))
    assert states == [State.EXECUTED, State.EXECUTING]


def test_p4_a_worker_that_lost_its_attempt_after_the_commit_changes_nothing_more(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = approved(cast)
    finished = attempts.finish

    def late(*given: Any) -> str:
        Request.objects.filter(pk=request_of(query).pk).update(attempt=99)
        return finished(*given)

    monkeypatch.setattr(attempts, "finish", late)
    assert execution.execute_request(request_of(query).pk) == "busy"
    assert runs(shop) == 1


# --- Who is told what the database said ---------------------------------------------------------------------------


def test_p2_an_approved_write_on_sensitive_columns_tells_no_raw_value_by_its_error(
    cast: Cast, shop: TargetDatabase
) -> None:
    query = approved(cast, "UPDATE customers SET plan = (email::integer)::text WHERE id = 1")
    assert execution.execute_request(request_of(query).pk) == State.FAILED
    query.refresh_from_db()
    assert "person1@" not in str(query.problem)
    assert (query.problem or {})["sqlstate"] == "22P02"


def test_p2_what_the_database_said_is_for_whoever_may_have_the_rows(cast: Cast, shop: TargetDatabase) -> None:
    query = approved(cast, "UPDATE orders SET total = status::integer")
    execution.execute_request(request_of(query).pk)
    query.refresh_from_db()
    assert "done" in (problem_for(cast.principal(cast.bot), query) or {})["detail"]
    for other in (cast.rita, cast.olaf):
        assert "done" not in str(problem_for(cast.principal(other), query))
    assert "done" not in str(Request.objects.get(pk=request_of(query).pk).outcome)


def test_a_result_is_not_given_out_after_its_time(cast: Cast) -> None:
    query = submit(cast.submission("SELECT 1")).query
    Result.objects.update(expires_at=timezone.now())
    assert replay(cast.principal(cast.bot), query, "rest") is None
