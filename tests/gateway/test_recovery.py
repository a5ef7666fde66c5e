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
from gateway.models import Query, QueryState
from gateway.pipeline import submit
from gateway.recovery import close_open_intents, close_open_queries
from governance.errors import GatewayError, ServiceUnavailable
from tests.factories import Cast

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
        ("UPDATE orders SET status = 'x' WHERE id = 1", "run", "unknown", QueryState.UNKNOWN),
        ("UPDATE orders SET status = 'x' WHERE id = 1", "record_outcome", "unknown", QueryState.UNKNOWN),
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
