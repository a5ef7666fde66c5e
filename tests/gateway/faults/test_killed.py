"""`kill -9` of the worker at each step of an execution, and worse: the end state is the true one, on a real server (P4)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import redis

from approvals.models import Request
from approvals.states import State
from audit.intents import open_intents
from gateway import execution
from gateway.claims import NAME
from gateway.models import Query
from gateway.tasks import sweep
from governance.catalogue.store import _LOCK as READING
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase, control_url
from tests.fixtures.servers import Server
from tests.gateway.faults.conftest import (
    COUNT,
    DONE,
    approve,
    ask,
    at_the_commit,
    attempts,
    eventually,
    kill,
    queue,
    runs,
    settled,
    signal_all,
    states,
    waits_for,
    while_it_runs,
)  # fmt: skip
from tests.gateway.faults.gate import Gate

Control = psycopg.Connection[Any]


# --- A broker that lost everything --------------------------------------------------------------------------------


def test_what_an_emptied_broker_lost_is_published_again(
    cast: Cast, shop: TargetDatabase, redis_url: str, request: pytest.FixtureRequest
) -> None:
    """First in this file: the worker starts only after the broker has lost what it was to do."""
    asked = _parked(cast)
    approve(cast, asked)
    with redis.Redis.from_url(redis_url) as broker:
        assert broker.delete(queue("execute")) == 1
        broker.delete(queue("parked"))
    request.getfixturevalue("worker")
    eventually(lambda: settled(asked), "the execution")
    assert runs(shop) == 1


def _parked(cast: Cast) -> Request:
    from gateway.pipeline import submit

    found = submit(cast.submission(COUNT)).query.request
    assert found is not None
    return found


# --- kill -9 ------------------------------------------------------------------------------------------------------


@contextmanager
def before_the_claim(cast: Cast, asked: Request, control: Control) -> Iterator[None]:
    """It waits for its turn to read the catalogue."""
    control.execute("SELECT pg_advisory_lock(%s, %s)", [READING, cast.datasource.pk])
    approve(cast, asked)
    eventually(lambda: waits_for(control, "locktype = 'advisory' AND classid = %s", READING), "its turn")
    yield
    control.execute("SELECT pg_advisory_unlock_all()")


@contextmanager
def after_the_claim(cast: Cast, asked: Request, control: Control) -> Iterator[None]:
    """It has begun, and looks its credential up once more before it says what it is about to do."""
    with psycopg.connect(control_url()) as other:
        with before_the_claim(cast, asked, control):
            other.execute("LOCK TABLE identity_credential")
        eventually(
            lambda: waits_for(control, "relation = 'identity_credential'::regclass"), "the look at its credential"
        )
        yield
        other.rollback()


@contextmanager
def after_the_commit(cast: Cast, asked: Request, gate: Gate, control: Control) -> Iterator[None]:
    """It knows that it has committed, and is about to say so: its row is locked since the COMMIT was held back."""
    with psycopg.connect(control_url()) as other:
        with at_the_commit(cast, asked, gate, "commit"):
            other.execute("SELECT 1 FROM approvals_request WHERE id = %s FOR UPDATE", [asked.pk])
        eventually(lambda: waits_for(control, "locktype = 'transactionid'"), "its recording")
        yield
        other.rollback()


AGAIN = ["started", "not_executed", "started", "executed"]
ONCE = ["started", "executed"]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("before the claim", ONCE),
        ("after the claim", AGAIN),
        ("after the intent", AGAIN),
        ("before COMMIT", AGAIN),
        ("COMMIT without an answer", ONCE),
        ("after COMMIT", ONCE),
    ],
)
def test_p4_a_worker_killed_at_any_step_leaves_it_run_exactly_once(
    cast: Cast, shop: TargetDatabase, gate: Gate, control: Control, worker: Server, step: str, told: list[str]
) -> None:
    asked = ask(cast)
    paused = {
        "before the claim": lambda: before_the_claim(cast, asked, control),
        "after the claim": lambda: after_the_claim(cast, asked, control),
        "after the intent": lambda: while_it_runs(cast, asked, shop),
        "before COMMIT": lambda: at_the_commit(cast, asked, gate, "commit"),
        "COMMIT without an answer": lambda: at_the_commit(cast, asked, gate, "answer"),
        "after COMMIT": lambda: after_the_commit(cast, asked, gate, control),
    }[step]
    with paused():
        asked.refresh_from_db()
        assert asked.state == (State.APPROVED if step == "before the claim" else State.EXECUTING)
        assert bool(asked.xid) == ("COMMIT" in step)
        kill(worker)
    eventually(lambda: settled(asked), "the end")
    assert runs(shop) == 1
    assert attempts(asked) == told
    assert list(open_intents(0, 100_000)) == []


def test_p4_the_number_of_rows_survives_who_counted_them(
    cast: Cast, shop: TargetDatabase, gate: Gate, worker: Server
) -> None:
    asked = ask(cast)
    with at_the_commit(cast, asked, gate, "answer"):
        kill(worker)
    eventually(lambda: settled(asked), "the end")
    assert Query.objects.get(request=asked).row_count == 1


def test_p4_a_worker_that_is_stopped_and_wakes_up_again_is_fenced(
    cast: Cast, shop: TargetDatabase, control: Control, worker: Server
) -> None:
    asked = ask(cast)
    with while_it_runs(cast, asked, shop):
        signal_all(worker, signal.SIGSTOP)
    try:
        # What the control database does by itself to a session that has been silent for long.
        control.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [NAME])
        eventually(lambda: execution.reconcile(asked.pk) == State.APPROVED, "that it is given up")
        # The stopped one's transaction holds what it inserted; the next waits for its end, which comes with its waking.
        signal_all(worker, signal.SIGCONT)
        eventually(lambda: settled(asked), "the execution by another")
    finally:
        signal_all(worker, signal.SIGCONT)
    idle = "SELECT 1 FROM pg_stat_activity WHERE usename = %s AND state = 'idle in transaction'"
    eventually(lambda: not shop.admin.execute(idle, [shop.role]).fetchall(), "the end of the stopped one")
    assert runs(shop) == 1
    assert attempts(asked) == AGAIN


# --- What runs outside transactions -------------------------------------------------------------------------------


def test_p4_what_runs_outside_transactions_ends_unknown_and_is_never_run_again(
    cast: Cast, shop: TargetDatabase, worker: Server
) -> None:
    asked = ask(cast, "CREATE INDEX CONCURRENTLY by_n ON runs (n)")
    assert asked.outside_transaction
    with psycopg.connect(shop.admin_dsn) as other:
        other.execute("INSERT INTO runs VALUES (0)")
        approve(cast, asked)
        eventually(lambda: waits_for(shop.admin, "locktype = 'virtualxid'"), "the build")
        kill(worker)
        eventually(lambda: sweep() or states(asked)[0] == State.UNKNOWN, "the end")
        other.rollback()
    assert "INVALID" in (Query.objects.get(request=asked).problem or {})["detail"]
    sweep()
    assert execution.execute_request(asked.pk) == State.UNKNOWN
    shop.admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%'")
    shop.admin.execute("DROP INDEX IF EXISTS by_n")


def test_what_runs_outside_transactions_runs(cast: Cast, shop: TargetDatabase, worker: Server) -> None:
    asked = ask(cast, "CREATE INDEX CONCURRENTLY by_n ON runs (n)")
    approve(cast, asked)
    eventually(lambda: states(asked) == DONE, "the execution")
    assert shop.fetch("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_n'::regclass") == [(True,)]
    shop.admin.execute("DROP INDEX by_n")


# --- Many at once -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["worker", "session"])
def test_p4_fifty_redemptions_at_once_run_once(cast: Cast, shop: TargetDatabase, how: str, worker: Server) -> None:
    asked = ask(cast)
    carrier = Request.Carrier.CALLER if how == "session" else Request.Carrier.WORKER
    Request.objects.update(carrier=Request.Carrier.CALLER)
    approve(cast, asked)
    Request.objects.update(carrier=carrier)
    environment = {**os.environ, "DATABASE_URL": control_url(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-m", "tests.gateway.faults.redeemers", how, str(asked.pk), "5", "10"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, timeout=120)
    ends = json.loads(done.stdout)
    assert len(ends) == 50
    assert ends.count("executed") == 1, ends
    assert runs(shop) == 1
    assert attempts(asked) == ONCE
