"""A governed shop that is reached through a gate, and a real worker whose processes can be killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psutil
import psycopg
import pytest
from django.conf import settings
from django.utils import timezone

from approvals import services as approvals
from approvals.models import Impact, Request
from approvals.states import State
from audit.models import Entry
from gateway.drivers import DRIVERS
from gateway.models import Query
from gateway.pipeline import submit
from gateway.tasks import sweep
from governance import assessment
from identity.credentials import authenticate, issue
from tests.factories import ACTOR, Cast, make_cast
from tests.fixtures.databases import MakeTarget, TargetDatabase, control_url
from tests.fixtures.servers import Server, _worker
from tests.gateway.faults.gate import Gate

COUNT = "INSERT INTO runs SELECT count(*) + 1 FROM runs"
TABLES = "CREATE TABLE runs (n integer PRIMARY KEY);"
PATIENCE = 40
DONE = (State.EXECUTED, "executed")


def eventually(happened: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"did not happen in {PATIENCE} s: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def shop(target_database: MakeTarget) -> TargetDatabase:
    return target_database(TABLES)


@pytest.fixture
def gate(shop: TargetDatabase) -> Iterator[Gate]:
    shop.admin.execute("DELETE FROM runs")
    gate = Gate(shop.dsn)
    yield gate
    gate.close()


@pytest.fixture
def cast(control_db: str, gate: Gate) -> Iterator[Cast]:
    assessment.forget()
    cast = make_cast(gate.url, classes={})
    # A test decides when a statement goes on that waits for a lock.
    cast.datasource.lock_timeout_ms = 30_000
    cast.datasource.save()
    yield cast
    for driver in DRIVERS.values():
        driver.close()


@pytest.fixture
def control() -> Iterator[psycopg.Connection[Any]]:
    """A session that looks at locks, and takes some."""
    with psycopg.connect(control_url(), autocommit=True) as session:
        yield session


@pytest.fixture(scope="module")
def worker(server_environment: dict[str, str]) -> Iterator[Server]:
    """Its processes are killed, and it starts others in their place: the same as a worker that is started again."""
    with _worker(server_environment) as server:
        yield server


def processes(worker: Server) -> list[psutil.Process]:
    return list(psutil.Process(worker.process.pid).children(recursive=True))


def kill(worker: Server) -> None:
    """Returns once they are dead, and the kernel has closed what they had open."""
    dead = processes(worker)
    for process in dead:
        process.kill()
    psutil.wait_procs(dead, 10)


def signal_all(worker: Server, number: signal.Signals) -> None:
    for process in processes(worker):
        os.kill(process.pid, number)


def ask(cast: Cast, sql: str = COUNT) -> Request:
    """By a token of its own, so that it is looked up again before it runs. Returns once its impact was measured."""
    submission = cast.submission(sql)
    object.__setattr__(submission, "principal", authenticate(issue(cast.bot, issued_by=ACTOR).token))
    request = submit(submission).query.request
    assert request is not None
    under_way = (Impact.State.WAITING, Impact.State.MEASURING)
    eventually(lambda: not Impact.objects.filter(request=request, state__in=under_way).exists(), "the impact")
    return request


def approve(cast: Cast, request: Request) -> None:
    approvals.review(request.pk, cast.principal(cast.rita), "approve", "")


def states(request: Request) -> tuple[str, str]:
    request.refresh_from_db()
    return request.state, Query.objects.get(request=request).state


def runs(shop: TargetDatabase) -> int:
    return int(shop.fetch("SELECT count(*) FROM runs")[0][0])


def queue(name: str) -> str:
    return f"{settings.REDIS_PREFIX}:celery:{name}"


# --- What became of it, and moments in between ----------------------------------------------------------------------


def settled(request: Request) -> bool:
    """As the scheduler would have it every few seconds."""
    Request.objects.filter(pk=request.pk).update(decided_at=timezone.now() - timedelta(minutes=1))
    sweep()
    return states(request) == DONE


def attempts(request: Request) -> list[str]:
    kinds = ("execution.started", "execution.finished")
    found = Entry.objects.filter(kind__in=kinds).order_by("index")
    mine = [entry.fields for entry in found if entry.fields["request"] == str(request.pk)]
    return [fields.get("status", "started") for fields in mine]


def waits_for(session: psycopg.Connection[Any], condition: str, *values: Any) -> bool:
    found = session.execute(f"SELECT 1 FROM pg_locks WHERE NOT granted AND {condition}", values).fetchone()
    return found is not None


@contextmanager
def while_it_runs(cast: Cast, asked: Request, shop: TargetDatabase) -> Iterator[None]:
    with psycopg.connect(shop.admin_dsn) as other:
        other.execute("LOCK TABLE runs IN SHARE MODE")
        approve(cast, asked)
        eventually(lambda: waits_for(shop.admin, "relation = 'runs'::regclass"), "the statement")
        yield
        other.rollback()


@contextmanager
def at_the_commit(cast: Cast, asked: Request, gate: Gate, what: str) -> Iterator[None]:
    gate.hold(what)
    approve(cast, asked)
    eventually(gate.reached.is_set, what)
    yield
    gate.open()
