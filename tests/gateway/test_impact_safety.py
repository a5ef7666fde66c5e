"""Measuring leaves nothing behind, holds nobody up, can be broken off, and tells nobody what is masked for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from approvals import services as approvals
from approvals.grants import holding
from approvals.grants.services import revoke
from approvals.impact import service, showing
from approvals.impact.content import Content
from approvals.impact.service import Measurement
from approvals.models import Grant, Impact, Request
from audit import ledger
from audit.ledger import LedgerUnavailable
from audit.models import Entry
from audit.search import entry_with_payload
from gateway import impact, tasks
from identity.agents import deactivate
from identity.models import User
from tests.factories import ACTOR, Cast, make_user
from tests.fixtures.databases import TargetDatabase
from tests.gateway.impact_ground import Measure, Park, content, impact_of
from tests.gateway.impact_ground import measure as measure
from tests.gateway.impact_ground import park as park

LONG = "DELETE FROM orders WHERE (SELECT count(*) FROM generate_series(1, 2000000000)) > 0"
STEERED = "DELETE FROM customers WHERE id > 0 AND email LIKE 'person1%'"

# --- Nothing stays ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM orders",
        "UPDATE orders SET status = 'gone'",
        "INSERT INTO orders SELECT id + 100, 1, 1, 'new' FROM orders",
        "ALTER TABLE orders ALTER COLUMN total TYPE text",
        "CREATE TABLE made (id integer)",
        "INSERT INTO orders SELECT id, 1, 1, 'twice' FROM orders",
    ],
)
def test_nothing_of_a_trial_run_stays(measure: Measure, shop: TargetDatabase, sql: str) -> None:
    everything = (
        "SELECT (SELECT string_agg(o::text, '|' ORDER BY id) FROM orders o),"
        " (SELECT string_agg(c::text, '|' ORDER BY 1) FROM (SELECT attrelid::regclass, attname, atttypid FROM pg_attribute a"
        " JOIN pg_class r ON r.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND attnum > 0) c)"
    )
    before = shop.fetch(everything)
    measure(sql)
    assert shop.fetch(everything) == before
    assert shop.fetch(f"SELECT count(*) FROM pg_prepared_xacts UNION ALL {_sessions_of(shop, 'in a transaction')}") == [
        (0,), (0,),
    ]  # fmt: skip


def _sessions_of(shop: TargetDatabase, what: str) -> str:
    states = {"in a transaction": "state LIKE '%transaction%'", "busy": "state = 'active'"}
    return f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{shop.role}' AND {states[what]}"


# --- Others go on -----------------------------------------------------------------------------------------------------


@pytest.fixture
def neighbour(shop: TargetDatabase) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(shop.dsn) as session:
        yield session


def test_a_trial_run_that_does_not_get_its_locks_gives_up_and_lets_others_on(
    measure: Measure, shop: TargetDatabase, neighbour: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DRY_RUN_LOCK_MS", 100)
    neighbour.execute("SELECT count(*) FROM orders")
    found = measure("ALTER TABLE orders ADD COLUMN note text")
    assert (found.state, found.rows) == (Impact.State.UNMEASURED, None)
    assert "did not get its locks within 100 ms: another session holds locks" in found.problem
    assert shop.fetch("SELECT count(*) FROM orders") == [(60,)]


def test_p4_what_could_not_be_measured_for_a_reason_that_passes_is_measured_before_it_runs(
    measure: Measure, neighbour: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DRY_RUN_LOCK_MS", 100)
    neighbour.execute("SELECT * FROM orders FOR UPDATE")
    request = measure("DELETE FROM orders").request
    assert request.row_bound is None
    neighbour.rollback()
    impact.ensure_measured(request)
    assert request.row_bound == 66


def test_a_trial_run_ends_at_its_time_limit(measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DRY_RUN_MS", 200)
    found = measure(LONG)
    assert (found.state, content(found).passing) == (Impact.State.UNMEASURED, True)
    assert "longer than the 200 ms" in found.problem


def test_a_session_that_waits_behind_it_is_counted(
    park: Park, shop: TargetDatabase, neighbour: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody wants a row that the trial run has changed, while it is looked at."""
    from gateway.drivers.postgres_measure import _Measuring

    request = park("UPDATE orders SET status = 'x' WHERE id < 10")
    looked = _Measuring._locks
    waiting = threading.Thread(target=lambda: neighbour.execute("UPDATE orders SET status = 'y' WHERE id = 1"))

    def with_a_neighbour(measuring: Any) -> Any:
        waiting.start()
        blocked = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{shop.role}' AND wait_event_type = 'Lock'"
        while shop.fetch(blocked) != [(1,)]:
            pass
        return looked(measuring)

    monkeypatch.setattr(_Measuring, "_locks", with_a_neighbour)
    impact.measure(request.pk)
    waiting.join(10)
    assert content(impact_of(request)).waiting == 1


# --- Broken off -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda cast, request: approvals.withdraw(request.pk, cast.principal(cast.alice)), id="withdrawn"),
        pytest.param(
            lambda cast, request: approvals.review(request.pk, cast.principal(cast.rita), "reject", "no"), id="rejected"
        ),
        pytest.param(lambda cast, request: deactivate(cast.bot, actor=ACTOR), id="revoked"),
    ],
)
def test_p8_the_end_of_a_request_breaks_off_its_trial_run(
    cast: Cast,
    park: Park,
    shop: TargetDatabase,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[Cast, Request], object],
) -> None:
    monkeypatch.setattr(settings, "DRY_RUN_MS", 120_000)
    request = park(LONG)
    thread = _measuring(request)
    while shop.fetch(_sessions_of(shop, "busy")) == [(0,)]:
        assert thread.is_alive()
    end(cast, request)
    thread.join(10)
    assert not thread.is_alive()
    assert impact_of(request).problem.startswith("it was broken off")
    assert shop.fetch(_sessions_of(shop, "busy")) == [(0,)]


def test_p8_the_end_of_an_elevation_breaks_off_a_trial_run_under_it(
    cast: Cast, park: Park, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DRY_RUN_MS", 120_000)
    elevation = Grant.objects.create(
        kind=Grant.Kind.ELEVATION, principal="agent:analyst-bot", agent=cast.bot, owner=cast.alice,
        datasource=cast.datasource, group="dba", expires_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip
    holding.forget()
    thread = _measuring(park(LONG))
    while shop.fetch(_sessions_of(shop, "busy")) == [(0,)]:
        assert thread.is_alive()
    revoke(elevation.pk, cast.principal(cast.alice))
    thread.join(10)
    assert not thread.is_alive()


def test_p8_nothing_is_tried_out_for_somebody_who_may_no_longer_act(cast: Cast, park: Park) -> None:
    request = park("DELETE FROM orders", make_user("ada"))
    User.objects.filter(username="ada").update(is_active=False)
    impact.measure(request.pk)
    found = impact_of(request)
    assert (found.rows, found.problem) == (None, impact.BROKEN_OFF)


def _measuring(request: Request) -> threading.Thread:
    def measured() -> None:
        try:
            impact.measure(request.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=measured)
    thread.start()
    return thread


# --- Once, and by somebody --------------------------------------------------------------------------------------------


def _kinds(request: Request) -> list[str]:
    entries = Entry.objects.order_by("index")
    return [entry.kind for entry in entries if entry.fields.get("request") == str(request.pk)]


def test_many_at_once_measure_it_once(park: Park) -> None:
    request = park("DELETE FROM orders")
    threads = [_measuring(request) for _ in range(4)]
    for thread in threads:
        thread.join()
    assert impact_of(request).state == Impact.State.MEASURED
    assert _kinds(request).count("impact.started") == 1


def test_what_a_worker_that_died_was_measuring_is_taken_over(park: Park) -> None:
    request = park("DELETE FROM orders")
    assert service.begin(request) is not None
    assert impact.measure(request.pk) == Impact.State.MEASURED


def test_what_was_measured_of_a_text_that_has_been_edited_since_is_thrown_away(park: Park) -> None:
    request = park("DELETE FROM orders")
    begun = service.begin(request)
    assert begun is not None
    Request.objects.filter(pk=request.pk).update(revision=2)
    assert not service.finish(request, begun, Measurement(Content(tried=True), rows=60))
    assert Request.objects.get(pk=request.pk).row_bound is None


def test_a_request_that_nobody_can_approve_any_more_is_not_measured(cast: Cast, park: Park) -> None:
    request = park("DELETE FROM orders")
    approvals.withdraw(request.pk, cast.principal(cast.alice))
    assert impact.measure(request.pk) == "settled"
    assert "impact.started" not in _kinds(request)


def test_p3_nothing_runs_before_the_ledger_knows_of_it(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    request = park("DELETE FROM orders")

    def away(*_: Any, **__: Any) -> None:
        raise LedgerUnavailable("away")

    def never(_: str) -> None:
        raise AssertionError("it ran")

    with monkeypatch.context() as broken:
        broken.setattr(ledger, "append_within", away)
        broken.setattr(impact, "measure_with", never)
        assert impact.measure(request.pk) == Impact.State.WAITING
    assert impact.measure(request.pk) == Impact.State.MEASURED
    assert _kinds(request)[-2:] == ["impact.started", "impact.measured"]


def test_a_broker_that_is_away_keeps_nothing_from_being_parked_and_measured(
    park: Park, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def away(*_: Any, **__: Any) -> None:
        raise BrokerError("away")

    monkeypatch.setattr("celery.app.base.Celery.send_task", away)
    request = park("DELETE FROM orders")
    Request.objects.filter(pk=request.pk).update(created_at=timezone.now() - timedelta(seconds=30))
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda _, name, **__: sent.append(name))
    tasks.sweep()
    assert "gateway.measure_impact" in sent


# --- Who learns what --------------------------------------------------------------------------------------------------


def test_p2_whoever_asked_learns_nothing_that_depends_on_masked_values(
    cast: Cast, measure: Measure, shop: TargetDatabase
) -> None:
    def told() -> tuple[Any, ...]:
        found = measure(STEERED)
        alice = cast.principal(cast.alice)
        entry = Entry.objects.filter(kind="impact.measured").latest("index")
        header = {name: value for name, value in entry.fields.items() if name not in ("request", "index", "time")}
        seen = showing.shown(found.request, alice), showing.open_row_bound(found.request)
        return seen, {name: header[name] for name in header if not name.startswith("payload")}, found.rows

    shop.admin.execute("DELETE FROM cards; DELETE FROM orders")
    *first, rows = told()
    shop.admin.execute("UPDATE customers SET email = 'other' || id")
    *second, other_rows = told()
    assert first == second
    assert rows != other_rows


def test_p2_neither_does_a_failure_tell(cast: Cast, measure: Measure) -> None:
    found = measure("UPDATE customers SET email = 'person2@example.com' WHERE city = 'City 1'")
    assert content(found).failure is not None or found.rows is not None
    assert showing.shown(found.request, cast.principal(cast.alice)) is None
    assert showing.shown(found.request, cast.principal(cast.rita)) is not None


def test_the_numbers_of_a_sealed_entry_are_for_auditors(measure: Measure) -> None:
    found = measure(STEERED)
    entry = Entry.objects.get(kind="impact.measured")
    detail = entry_with_payload(entry.index)
    assert entry.fields["status"] == "sealed"
    assert "rows" not in entry.fields
    assert detail is not None
    assert detail.payload is not None
    assert detail.payload["rows"] == found.rows


def test_an_entry_that_tells_of_nothing_masked_holds_its_numbers(measure: Measure) -> None:
    measure("DELETE FROM orders")
    fields = Entry.objects.get(kind="impact.measured").fields
    assert (fields["status"], fields["rows"], fields["table_rows"]) == ("measured", 60, 60)
