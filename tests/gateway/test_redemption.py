"""What people approved for a session runs once, by that session or by whoever asked sending it again (P4)."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from approvals import services as approvals
from approvals.models import Request
from approvals.states import State
from audit.intents import open_intents
from audit.models import Entry
from gateway.admission import receive
from gateway.drivers import postgres
from gateway.holding import NotApproved
from gateway.models import Query, QueryState
from gateway.parking import park
from gateway.pipeline import decide, submit
from gateway.redemption import redeem, waiting
from gateway.tasks import sweep
from governance.errors import DriverFailed, GatewayError
from identity.credentials import authenticate, issue, revoke
from tests.factories import ACTOR, Cast
from tests.fixtures.databases import TargetDatabase

COUNT = "INSERT INTO runs SELECT count(*) + 1 FROM runs"


@pytest.fixture
def shop(shop: TargetDatabase) -> TargetDatabase:
    """With a table that counts how often something ran."""
    shop.admin.execute(f"CREATE TABLE runs (n integer); ALTER TABLE runs OWNER TO {shop.role}")
    return shop


def parked(cast: Cast, sql: str = COUNT, principal: Any = None, **more: Any) -> Query:
    submission = cast.submission(sql, door="wire", **more)
    if principal is not None:
        object.__setattr__(submission, "principal", principal)
    query = receive(submission.principal, submission).query
    return park(submission.principal, query, decide(submission.principal, query), carrier=Request.Carrier.CALLER)


def approved(cast: Cast, sql: str = COUNT, **more: Any) -> Query:
    query = parked(cast, sql, **more)
    assert query.request_id is not None
    approvals.review(query.request_id, cast.principal(cast.rita), "approve", "")
    return query


def runs(shop: TargetDatabase) -> int:
    return int(shop.fetch("SELECT count(*) FROM runs")[0][0])


def request() -> Request:
    return Request.objects.order_by("created_at").first()  # type: ignore[return-value]


def test_p4_sent_again_it_runs_once(cast: Cast, shop: TargetDatabase) -> None:
    approved(cast)
    again = submit(cast.submission(COUNT))
    assert (again.content is not None, again.query.state, runs(shop)) == (True, QueryState.EXECUTED, 1)
    assert request().state == State.EXECUTED
    assert submit(cast.submission(COUNT)).query.state == QueryState.PARKED
    assert runs(shop) == 1


def test_the_query_that_was_sent_again_takes_the_place_of_the_first(cast: Cast, shop: TargetDatabase) -> None:
    first = approved(cast)
    again = submit(cast.submission(COUNT)).query
    first.refresh_from_db()
    assert (first.state, first.request_id) == (QueryState.WITHDRAWN, None)
    assert (first.problem or {})["successor"]["query"] == str(again.pk)
    assert request().query == again


def test_the_ledger_tells_the_run(cast: Cast, shop: TargetDatabase) -> None:
    approved(cast)
    again = submit(cast.submission(COUNT)).query
    kinds = [entry.kind for entry in Entry.objects.order_by("index") if entry.fields.get("query") == str(again.pk)]
    assert kinds == ["execution.started", "statement.intent", "execution.finished"]
    assert list(open_intents(0, 10_000)) == []


@pytest.mark.parametrize(
    "other",
    [
        {"sql": COUNT + " "},
        {"sql": "INSERT INTO runs SELECT count(*) + 2 FROM runs"},
        {"on_behalf_of": "somebody else"},
    ],
    ids=["a byte more", "another number", "for somebody else"],
)
def test_p4_nothing_else_is_covered(cast: Cast, shop: TargetDatabase, other: dict[str, Any]) -> None:
    approved(cast)
    asked = {"sql": COUNT, **other}
    assert submit(cast.submission(asked.pop("sql"), **asked)).query.state == QueryState.PARKED
    assert runs(shop) == 0


def test_p4_nobody_else_is_covered(cast: Cast, shop: TargetDatabase) -> None:
    approved(cast)
    assert submit(cast.submission(COUNT, cast.alice)).query.state == QueryState.PARKED


def test_p8_what_a_revoked_credential_asked_for_is_void(cast: Cast, shop: TargetDatabase) -> None:
    issued = issue(cast.bot, issued_by=ACTOR)
    approved(cast, principal=authenticate(issued.token))
    revoke(issued.credential, actor=ACTOR)
    with pytest.raises(NotApproved, match="has been revoked"):
        submit(cast.submission(COUNT))
    assert runs(shop) == 0


def test_p4_what_drifted_is_told_and_goes_back_to_people(cast: Cast, shop: TargetDatabase) -> None:
    query = approved(cast)
    shop.admin.execute("ALTER TABLE runs ADD COLUMN note text")
    with pytest.raises(NotApproved, match="the column note is new"):
        take(cast, query)
    assert request().state == State.DRIFTED
    assert Request.objects.get(follows=request()).carrier == Request.Carrier.CALLER


def take(cast: Cast, query: Query) -> None:
    bot = cast.principal(cast.bot)
    with redeem(bot, query, decide(bot, query)) as claim:
        assert claim is not None
        assert request().state == State.EXECUTING
        raise Died


def test_p4_sent_again_after_a_change_it_is_told_too(cast: Cast, shop: TargetDatabase) -> None:
    approved(cast)
    shop.admin.execute("ALTER TABLE runs ADD COLUMN note text")
    with pytest.raises(NotApproved, match="the column note is new") as told:
        submit(cast.submission(COUNT))
    assert told.value.query.state == QueryState.DENIED
    assert runs(shop) == 0


def test_p4_more_rows_than_approved_are_rolled_back(cast: Cast, shop: TargetDatabase) -> None:
    sql = "DELETE FROM orders WHERE status = 'open'"
    approved(cast, sql)
    Request.objects.update(row_bound=3)
    with pytest.raises(NotApproved, match="15 rows; 3 were approved"):
        submit(cast.submission(sql))
    assert shop.fetch("SELECT count(*) FROM orders") == [(60,)]
    assert Request.objects.get(follows=request()).state == State.PENDING


def test_an_error_of_the_database_ends_it(cast: Cast, shop: TargetDatabase) -> None:
    sql = "INSERT INTO orders SELECT id, 1, 1, 'x' FROM orders"
    approved(cast, sql)
    with pytest.raises(DriverFailed) as told:
        submit(cast.submission(sql))
    assert request().state == State.FAILED
    ended = Query.objects.get(request=request())
    assert (ended.pk, ended.state) == (told.value.query.pk, QueryState.FAILED)


def test_p4_many_at_once_run_it_once(cast: Cast, shop: TargetDatabase) -> None:
    approved(cast)
    ends: list[str] = []

    def work() -> None:
        try:
            ends.append(submit(cast.submission(COUNT)).query.state)
        except GatewayError as error:
            ends.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(shop) == 1
    assert ends.count(QueryState.EXECUTED) == 1


class Died(BaseException):
    pass


@pytest.mark.parametrize(("place", "state", "count"), [("before", State.APPROVED, 0), ("after", State.EXECUTED, 1)])
def test_p4_a_session_that_breaks_off_at_commit_is_settled_by_what_the_database_says(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch, place: str, state: State, count: int
) -> None:
    approved(cast)
    commit = postgres._commit

    def dies(session: Any) -> None:
        if place == "after":
            commit(session)
        session.close()
        raise Died

    with monkeypatch.context() as crash:
        crash.setattr(postgres, "_commit", dies)
        with pytest.raises(Died):
            submit(cast.submission(COUNT))
    sweep()
    assert (request().state, runs(shop)) == (state, count)


def test_a_session_that_ends_in_the_middle_leaves_it_to_be_redeemed_again(cast: Cast, shop: TargetDatabase) -> None:
    query = approved(cast)
    with pytest.raises(Died):
        take(cast, query)
    assert request().state == State.APPROVED
    assert submit(cast.submission(COUNT)).content is not None
    assert runs(shop) == 1


def test_a_session_that_comes_back_finds_what_still_waits(cast: Cast, shop: TargetDatabase) -> None:
    first = parked(cast)
    submission = cast.submission(COUNT, door="wire")
    again = receive(submission.principal, submission).query
    found = waiting(submission.principal, again, decide(submission.principal, again))
    assert found is not None
    assert found.pk == first.request_id
