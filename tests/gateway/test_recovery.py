"""What a process left open when it died is closed, and the log says what is known."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from approvals.models import Request
from approvals.states import State
from audit import ledger
from audit.intents import open_intents
from audit.models import Entry
from gateway import pipeline, recovery
from gateway.drivers import postgres
from gateway.drivers.base import CommitUnknown
from gateway.models import Query, QueryState
from gateway.pipeline import submit
from gateway.recovery import close_open_intents, close_open_queries
from gateway.work import CommitInDoubt
from governance.errors import Cancelled, DataSourceUnavailable, GatewayError, ServiceUnavailable
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase

LONG_AGO = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "GRACE", timedelta(0))


class Killed(BaseException):
    """What a process that is killed does: nothing more, not even what `except Exception` would do."""


def die(*_: object, **__: object) -> None:
    raise Killed


def left_open(cast: Cast, monkeypatch: pytest.MonkeyPatch, sql: str, step: str) -> Query:
    """The process is gone once it has come to `step`."""
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, step, die)
        with pytest.raises(Killed):
            submit(cast.submission(sql))
    query = Query.objects.latest("created_at")
    Query.objects.filter(pk=query.pk).update(created_at=timezone.now() - LONG_AGO)
    query.refresh_from_db()
    return query


def outcomes() -> list[dict[str, Any]]:
    return [entry.fields for entry in Entry.objects.filter(kind="statement.outcome").order_by("index")]


@pytest.mark.parametrize(
    ("sql", "step", "status", "state"),
    [
        ("SELECT 1", "record_intent", "not_executed", QueryState.FAILED),
        ("SELECT 1", "run", "not_executed", QueryState.FAILED),
        ("UPDATE orders SET status = 'x' WHERE id = 1", "record_intent", "not_executed", QueryState.FAILED),
        ("UPDATE orders SET status = 'x' WHERE id = 1", "run", "not_executed", QueryState.FAILED),
        ("UPDATE orders SET status = 'x' WHERE id = 1", "record_outcome", "committed", QueryState.EXECUTED),
    ],
)
def test_a_query_whose_process_died_is_closed_with_what_is_known(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, sql: str, step: str, status: str, state: QueryState
) -> None:
    query = left_open(cast, monkeypatch, sql, step)
    assert close_open_queries() == 1
    query.refresh_from_db()
    assert query.state == state
    assert [entry["status"] for entry in outcomes()] == [status]
    assert list(open_intents(0, 1000)) == []


UPDATE = "UPDATE orders SET status = 'x' WHERE id = 1"


def test_p4_a_write_that_died_during_commit_is_what_the_database_says(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(postgres, "_commit", die)
        with pytest.raises(Killed):
            submit(cast.submission(UPDATE))
    query = Query.objects.get()
    assert query.xid
    Query.objects.update(created_at=timezone.now() - LONG_AGO)
    close_open_queries()
    query.refresh_from_db()
    assert (query.state, query.row_count, [one["status"] for one in outcomes()]) == (
        QueryState.FAILED,
        None,
        ["aborted"],
    )
    assert shop.fetch("SELECT count(*) FROM orders WHERE status = 'x'") == [(0,)]


def test_a_committed_write_tells_how_many_rows_it_changed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    query = left_open(cast, monkeypatch, UPDATE, "record_outcome")
    close_open_queries()
    query.refresh_from_db()
    assert query.row_count == 1
    assert outcomes()[0]["rows"] == 1


def test_p4_a_process_that_was_given_up_cannot_commit(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was only slow: by the time that it would commit, the log says that nothing was changed."""
    transaction_id = postgres._transaction_id

    def slow(*given: Any) -> str:
        Query.objects.update(created_at=timezone.now() - LONG_AGO)
        assert close_open_queries() == 1
        return transaction_id(*given)

    monkeypatch.setattr(postgres, "_transaction_id", slow)
    with pytest.raises(Cancelled):
        submit(cast.submission(UPDATE))
    assert shop.fetch("SELECT count(*) FROM orders WHERE status = 'x'") == [(0,)]


def test_a_write_of_a_release_without_transaction_ids_stays_unknown(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = left_open(cast, monkeypatch, UPDATE, "run")
    older = {name: value for name, value in (query.facts or {}).items() if name != "outside_transaction"}
    Query.objects.update(facts=older)
    close_open_queries()
    assert Query.objects.get().state == QueryState.UNKNOWN


def test_one_whose_data_source_is_away_keeps_no_other_open(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    away = left_open(cast, monkeypatch, UPDATE, "record_outcome")
    other = left_open(cast, monkeypatch, UPDATE, "record_outcome")
    fate_of = postgres.PostgresDriver.fate_of

    def fails(driver: Any, source: Any, transaction_id: str) -> Any:
        if transaction_id == away.xid:
            raise DataSourceUnavailable("away")
        return fate_of(driver, source, transaction_id)

    monkeypatch.setattr(postgres.PostgresDriver, "fate_of", fails)
    assert close_open_queries() == 1
    states = {query.pk: query.state for query in Query.objects.all()}
    assert states == {away.pk: QueryState.RUNNING, other.pk: QueryState.EXECUTED}


@pytest.mark.parametrize(
    ("happens", "state", "word"),
    [("after", QueryState.EXECUTED, "Do not send it again"), ("before", QueryState.FAILED, "nothing was changed")],
)
def test_p4_a_connection_that_breaks_during_commit_is_settled_at_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, happens: str, state: QueryState, word: str
) -> None:
    commit = postgres._commit

    def breaks(connection: Any) -> None:
        if happens == "after":
            commit(connection)
        connection.close()
        raise CommitUnknown

    monkeypatch.setattr(postgres, "_commit", breaks)
    with pytest.raises(CommitInDoubt) as told:
        submit(cast.submission(UPDATE))
    assert word in told.value.remedy
    assert Query.objects.get().state == state
    assert list(open_intents(0, 1000)) == []


def test_a_query_that_may_still_run_is_left_alone(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    query = left_open(cast, monkeypatch, "SELECT 1", "run")
    Query.objects.filter(pk=query.pk).update(created_at=timezone.now())
    assert close_open_queries() == 0
    assert close_open_intents() == 0


def test_a_row_follows_what_the_ledger_says_of_its_end(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    query = left_open(cast, monkeypatch, "SELECT 1", "release")
    Query.objects.filter(pk=query.pk).update(state=QueryState.RUNNING)
    before = len(outcomes())
    close_open_queries()
    query.refresh_from_db()
    assert query.state == QueryState.EXECUTED
    assert len(outcomes()) == before


def test_a_denial_whose_answer_was_lost_is_a_denial(cast: Cast) -> None:
    with pytest.raises(GatewayError):
        submit(cast.submission("DROP TABLE orders"))
    Query.objects.update(state=QueryState.RECEIVED, created_at=timezone.now() - LONG_AGO)
    close_open_queries()
    assert Query.objects.get().state == QueryState.DENIED
    assert outcomes() == []


def test_an_intent_whose_append_was_ambiguous_is_closed_with_its_query(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = ledger.append

    def lose_the_answer(kind: str, /, **fields: Any) -> ledger.Receipt:
        append(kind, **fields)
        raise ledger.LedgerUnavailable("went away", ambiguous=True)

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "append", lose_the_answer)
        with pytest.raises(ServiceUnavailable):
            submit(cast.submission("UPDATE orders SET status = 'x' WHERE id = 1"))
    Query.objects.update(created_at=timezone.now() - LONG_AGO)
    assert len(list(open_intents(0, 1000))) == 1
    close_open_queries()
    assert [entry["status"] for entry in outcomes()] == ["not_executed"]
    assert list(open_intents(0, 1000)) == []


# --- Intents that no row answers for --------------------------------------------------------------------------------


def intend(kinds: list[str], query: str | None = None, request: str | None = None) -> int:
    fields: dict[str, Any] = {"principal": "agent:gone", "datasource": "shop", "kinds": kinds, "request": request}
    return ledger.append("statement.intent", query=query or str(uuid.uuid4()), **fields).index


@pytest.mark.usefixtures("control_db")
@pytest.mark.parametrize(("kinds", "status"), [(["read"], "not_executed"), (["read", "write"], "unknown")])
def test_an_intent_without_a_row_is_closed_from_the_ledger(kinds: list[str], status: str) -> None:
    index = intend(kinds)
    assert close_open_intents() == 1
    (closed,) = outcomes()
    assert (closed["intent"], closed["status"], closed["error"]) == (index, status, "process-ended")
    assert list(open_intents(0, 1000)) == []


@pytest.mark.usefixtures("control_db")
def test_what_was_looked_at_is_not_looked_at_again() -> None:
    intend(["read"])
    assert (close_open_intents(), close_open_intents()) == (1, 0)
    intend(["read"])
    assert close_open_intents() == 1
    assert len(outcomes()) == 2


@pytest.mark.usefixtures("control_db")
def test_many_are_closed_in_several_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "MOST_CLOSED", 2)
    for _ in range(5):
        intend(["read"])
    assert [close_open_intents() for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.usefixtures("control_db")
def test_intents_of_living_processes_are_left_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "GRACE", timedelta(minutes=2))
    intend(["read"])
    assert close_open_intents() == 0
    monkeypatch.setattr(recovery, "GRACE", timedelta(0))
    assert close_open_intents() == 1


def test_an_intent_of_a_request_that_executes_is_left_to_its_reconciler(cast: Cast) -> None:
    query = submit(cast.submission("DELETE FROM orders")).query
    intend(["write"], str(query.pk), str(query.request_id))
    Request.objects.update(state=State.EXECUTING)
    assert close_open_intents() == 0


def test_an_intent_of_a_request_that_has_ended_is_closed(cast: Cast) -> None:
    query = submit(cast.submission("DELETE FROM orders")).query
    intend(["write"], str(query.pk), str(query.request_id))
    Request.objects.update(state=State.FAILED)
    assert close_open_intents() == 1


@pytest.mark.usefixtures("control_db")
def test_what_cannot_be_recorded_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    intend(["read"])

    def fail(*_: object, **__: object) -> None:
        raise ledger.LedgerUnavailable("down")

    with monkeypatch.context() as outage:
        outage.setattr(ledger, "append_within", fail)
        with pytest.raises(ledger.LedgerUnavailable):
            close_open_intents()
    assert not connection.in_atomic_block
    assert close_open_intents() == 1
