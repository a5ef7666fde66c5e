"""When something dies: nothing is lost, nothing runs twice, and it recovers by itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from approvals import services as approvals
from approvals.models import Request
from approvals.states import State
from audit.models import Entry
from gateway.models import Query
from gateway.pipeline import submit
from gateway.tasks import sweep
from identity.credentials import issue, revoke
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase, control_url
from tests.fixtures.servers import Server, Start
from tests.story.conftest import Agent

PATIENCE = 30


def eventually(happened: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"did not happen in {seconds} s: {what}"
        time.sleep(0.1)


def approved(cast: Cast, sql: str = "DELETE FROM orders") -> Request:
    request = submit(cast.submission(sql)).query.request
    assert request is not None
    return approvals.review(request.pk, cast.principal(cast.rita), "approve", "")


def state_of(request: Request) -> str:
    return str(Request.objects.values_list("state", flat=True).get(pk=request.pk))


def patient(cast: Cast) -> None:
    """Statements wait long for a lock, so that a test decides when they go on."""
    cast.datasource.lock_timeout_ms = 30_000
    cast.datasource.save()


def waiting(shop: TargetDatabase) -> bool:
    """Whether a statement waits for a lock. pg_locks is always current; pg_stat_activity is not inside a transaction."""
    return bool(shop.fetch("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass"))


# --- The worker ---------------------------------------------------------------------------------------------------


def test_what_was_approved_while_no_worker_lived_runs_when_one_starts(
    cast: Cast, shop: TargetDatabase, start_worker: Start
) -> None:
    request = approved(cast)
    assert state_of(request) == State.APPROVED
    start_worker()
    eventually(lambda: state_of(request) == State.EXECUTED, "the execution")


def test_p4_a_worker_killed_while_it_runs_the_statement_leaves_it_run_exactly_once(
    cast: Cast, shop: TargetDatabase, start_worker: Start
) -> None:
    """A lock holds the statement until the worker is dead; its transaction goes with it, and another worker runs it."""
    patient(cast)
    first = start_worker()
    with shop.admin.transaction():
        shop.admin.execute("LOCK TABLE orders IN SHARE MODE")
        request = approved(cast, "INSERT INTO orders SELECT max(id) + 1, 1, 1, 'once' FROM orders")
        eventually(lambda: waiting(shop), "the worker waiting for the lock")
        first.kill()
    start_worker()
    sweep()
    eventually(lambda: sweep() or state_of(request) == State.EXECUTED, "the execution by another worker")
    assert shop.fetch("SELECT count(*) FROM orders WHERE status = 'once'") == [(1,)]


# --- Redis and the control database -------------------------------------------------------------------------------


@pytest.fixture
def token(cast: Cast) -> str:
    return cast.token(cast.bot)


def test_without_redis_the_gateway_refuses_and_recovers_by_itself(
    token: str, shop: TargetDatabase, start_web: Any, cable: Any
) -> None:
    redis = cable(os.environ["REDIS_URL"])
    agent = Agent(start_web(REDIS_URL=redis.url).url, token)
    assert agent.submit("SELECT 1").status_code == 200
    redis.pull()
    for sql in ("SELECT 1", "DELETE FROM orders", "UPDATE orders SET status = 'x' WHERE id = 1"):
        refused = agent.submit(sql)
        assert (refused.status_code, refused.json()["code"]) == (503, "service-unavailable"), sql
    assert Query.objects.count() == 1
    redis.plug()
    eventually(lambda: agent.submit("SELECT 1").status_code == 200, "the recovery")
    assert shop.fetch("SELECT count(*) FROM orders WHERE status = 'x'") == [(0,)]


def test_p3_without_the_control_database_the_gateway_refuses_and_recovers_by_itself(
    token: str, shop: TargetDatabase, start_web: Any, cable: Any
) -> None:
    database = cable(control_url())
    agent = Agent(start_web(DATABASE_URL=database.url).url, token)
    assert agent.submit("SELECT 1").status_code == 200
    before = Entry.objects.count()
    database.pull()
    refused = agent.submit("UPDATE orders SET status = 'x' WHERE id = 1")
    assert (refused.status_code, refused.json()["code"]) == (503, "service-unavailable")
    assert shop.fetch("SELECT count(*) FROM orders WHERE status = 'x'") == [(0,)]
    assert Entry.objects.count() == before
    database.plug()
    eventually(lambda: agent.submit("SELECT 1").status_code == 200, "the recovery")


# --- Revocation and cancelling ------------------------------------------------------------------------------------


def hold(agent: Agent, shop: TargetDatabase, results: list[Any]) -> Any:
    """Sends a statement that waits for a lock, from a thread; returns when it waits."""
    from threading import Thread

    thread = Thread(target=lambda: results.append(agent.submit("UPDATE orders SET status = 'x' WHERE id = 1")))
    thread.start()
    eventually(lambda: waiting(shop), "the statement waiting for the lock")
    return thread


def test_p8_revoking_a_credential_ends_its_running_statement_within_two_seconds(
    cast: Cast, shop: TargetDatabase, web_server: Server
) -> None:
    patient(cast)
    issued = issue(cast.bot, issued_by="test")
    results: list[Any] = []
    with shop.admin.transaction():
        shop.admin.execute("LOCK TABLE orders IN SHARE MODE")
        thread = hold(Agent(web_server.url, issued.token), shop, results)
        begun = time.monotonic()
        revoke(issued.credential, actor="test")
        thread.join(10)
        assert time.monotonic() - begun < 2
    assert (results[0].status_code, results[0].json()["code"]) == (409, "cancelled")
    assert shop.fetch("SELECT count(*) FROM orders WHERE status = 'x'") == [(0,)]


def test_cancelling_breaks_the_statement_off_at_the_database(
    cast: Cast, shop: TargetDatabase, web_server: Server, token: str
) -> None:
    patient(cast)
    results: list[Any] = []
    with shop.admin.transaction():
        shop.admin.execute("LOCK TABLE orders IN SHARE MODE")
        thread = hold(Agent(web_server.url, token), shop, results)
        query = Query.objects.get(state="running")
        assert Agent(web_server.url, token).client.post(f"queries/{query.pk}/cancel").json()["status"] == "cancelled"
        thread.join(10)
    assert results[0].json()["code"] == "cancelled"
