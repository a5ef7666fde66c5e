"""What PostgreSQL runs only outside transactions: parked or direct, failed, broken off, or with an end that nobody saw."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from approvals import services as approvals
from approvals.models import Request
from approvals.states import State
from audit.intents import open_intents
from gateway import execution
from gateway.models import Query, QueryState
from gateway.pipeline import submit
from gateway.queries import cancel
from gateway.work import CommitInDoubt
from governance.errors import Denied
from governance.policy import store as policy_store
from tests.factories import ACTOR, Cast
from tests.fixtures.databases import TargetDatabase

pytestmark = pytest.mark.usefixtures("nobody_works")
BUILD = "CREATE INDEX CONCURRENTLY by_status ON orders (status)"
PERMITTED = """
@id("all") permit (principal, action, resource);
"""


@pytest.fixture
def patient(cast: Cast) -> Cast:
    cast.datasource.lock_timeout_ms = 30_000
    cast.datasource.save()
    return cast


def approved(cast: Cast, sql: str = BUILD) -> Request:
    request = submit(cast.submission(sql)).query.request
    assert request is not None
    return approvals.review(request.pk, cast.principal(cast.rita), "approve", "")


def indexes(shop: TargetDatabase) -> list[tuple[bool]]:
    return shop.fetch(
        "SELECT indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE relname = 'by_status'"
    )


def during(shop: TargetDatabase, run: Callable[[], Any], act: Callable[[], Any]) -> Any:
    """Runs what waits for an open transaction, and acts meanwhile."""
    ends: list[Any] = []

    def work() -> None:
        try:
            ends.append(run())
        except Exception as error:  # noqa: BLE001 handed to the test
            ends.append(error)
        finally:
            connection.close()

    with psycopg.connect(shop.admin_dsn) as other:
        other.execute("UPDATE orders SET total = 1 WHERE id = 1")
        thread = threading.Thread(target=work)
        thread.start()
        while not shop.fetch("SELECT 1 FROM pg_locks WHERE NOT granted"):
            assert thread.is_alive(), ends
        act()
        thread.join(20)
        other.rollback()
    return ends[0]


def test_it_is_marked_and_runs_once_approved(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    assert request.outside_transaction
    assert execution.execute_request(request.pk) == State.EXECUTED
    assert indexes(shop) == [(True,)]


def test_a_person_decides_about_it_by_default_and_maintenance_is_denied(cast: Cast) -> None:
    assert submit(cast.submission(BUILD)).query.state == QueryState.PARKED
    with pytest.raises(Denied):
        submit(cast.submission("VACUUM orders"))


def test_it_runs_without_a_person_where_policy_says_so(cast: Cast, shop: TargetDatabase) -> None:
    policy_store.activate(PERMITTED, author=ACTOR)
    assert submit(cast.submission("VACUUM orders")).query.state == QueryState.EXECUTED
    assert submit(cast.submission(BUILD)).query.state == QueryState.EXECUTED
    assert indexes(shop) == [(True,)]


def test_p1_it_must_be_alone_in_its_text(cast: Cast) -> None:
    with pytest.raises(Denied, match="it must be alone in its text"):
        submit(cast.submission(f"SELECT 1; {BUILD}"))


def test_what_stays_behind_after_a_failure_is_told(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast, BUILD.replace("INDEX", "INDEX", 1).replace("CREATE", "CREATE UNIQUE"))
    assert execution.execute_request(request.pk) == State.FAILED
    assert indexes(shop) == [(False,)]
    assert "marked INVALID" in (Query.objects.get(request=request).problem or {})["remedy"]


def test_p8_it_is_broken_off_at_the_database(patient: Cast, shop: TargetDatabase) -> None:
    request = approved(patient)
    query = Query.objects.get(request=request)

    def end() -> None:
        cancel(patient.principal(patient.bot), Query.objects.get(pk=query.pk))

    assert during(shop, lambda: execution.execute_request(request.pk), end) == State.FAILED
    query.refresh_from_db()
    assert (query.state, "marked INVALID" in (query.problem or {})["remedy"]) == (QueryState.CANCELLED, True)


def cut(shop: TargetDatabase) -> None:
    shop.admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%%' AND usename = %s",
        [shop.role],
    )


def test_p4_an_end_that_nobody_saw_is_unknown_and_not_tried_again(patient: Cast, shop: TargetDatabase) -> None:
    request = approved(patient)
    assert during(shop, lambda: execution.execute_request(request.pk), lambda: cut(shop)) == State.UNKNOWN
    assert execution.execute_request(request.pk) == State.UNKNOWN
    query = Query.objects.get(request=request)
    assert (query.state, "INVALID" in (query.problem or {})["detail"]) == (QueryState.UNKNOWN, True)
    assert list(open_intents(0, 10_000)) == []


def test_p4_the_same_without_a_person(patient: Cast, shop: TargetDatabase) -> None:
    policy_store.activate(PERMITTED, author=ACTOR)
    told = during(shop, lambda: submit(patient.submission(BUILD)), lambda: cut(shop))
    assert isinstance(told, CommitInDoubt)
    assert Query.objects.get().state == QueryState.UNKNOWN
    assert list(open_intents(0, 10_000)) == []


@pytest.fixture(autouse=True)
def _nothing_left(shop: TargetDatabase) -> Iterator[None]:
    yield
    shop.admin.execute("DROP INDEX IF EXISTS by_status")
