"""What is no longer as approved does not run: it is said what changed, and it goes back to people (P4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from approvals import services as approvals
from approvals.models import Impact, Request, Review
from approvals.states import State
from audit.models import Entry
from gateway import execution, impact
from gateway.drifting import Finding
from gateway.models import Query, QueryState
from gateway.pipeline import submit
from gateway.preparing import prepare
from governance.policy import store as policy_store
from identity.models import Agent
from identity.principals import Principal
from tests.factories import ACTOR, SHOP, Cast, make_user
from tests.fixtures.databases import MakeTarget, TargetDatabase

pytestmark = pytest.mark.usefixtures("nobody_works")
DELETE = "DELETE FROM orders WHERE status = 'open'"


def approved(cast: Cast, sql: str = DELETE, **more: Any) -> Request:
    request = submit(cast.submission(sql, **more)).query.request
    assert request is not None
    return approvals.review(request.pk, cast.principal(cast.rita), "approve", "")


def run(request: Request) -> str:
    state = execution.execute_request(request.pk)
    request.refresh_from_db()
    return state


def successor(request: Request) -> Request:
    return Request.objects.get(follows=request)


def what(request: Request) -> set[str]:
    return {one["what"] for one in request.drift}


def told(request: Request) -> str:
    return " ".join(one["detail"] for one in request.drift)


def rows(shop: TargetDatabase) -> int:
    return int(shop.fetch("SELECT count(*) FROM orders")[0][0])


# --- Schema -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE orders ADD COLUMN note text", "public.orders: the column note is new."),
        ("ALTER TABLE orders ALTER total TYPE numeric(12,2)", "total was numeric(10,2) and is now numeric(12,2)"),
        ("ALTER TABLE orders ALTER status SET DEFAULT 'secret'", "the column status has another default"),
        ("ALTER TABLE orders ADD CHECK (total < 1000000)", "its CHECK conditions changed"),
        ("ALTER TABLE orders ADD UNIQUE (id, status)", "its keys changed"),
        ("CREATE TABLE lines (id integer REFERENCES orders ON DELETE CASCADE)", "It now also touches public.lines."),
    ],
)
def test_p4_a_changed_schema_is_named(cast: Cast, shop: TargetDatabase, change: str, said: str) -> None:
    request = approved(cast)
    shop.admin.execute(change)
    assert run(request) == State.DRIFTED
    assert what(request) == {"schema"}
    assert said in told(request)
    assert "secret" not in str(request.drift)
    assert rows(shop) == 60


def test_p4_the_successor_asks_for_the_same_and_waits_for_people(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast, purpose="tidy up")
    shop.admin.execute("ALTER TABLE orders ADD COLUMN note text")
    run(request)
    again = successor(request)
    assert (again.state, again.sql, again.requester, again.purpose) == (
        State.PENDING, request.sql, request.requester, "tidy up",
    )  # fmt: skip
    assert again.digest != request.digest
    approvals.review(again.pk, cast.principal(cast.rita), "approve", "Seen the new column.")
    assert run(again) == State.EXECUTED
    assert rows(shop) == 45


def test_whoever_asked_is_told_what_changed_and_where_it_goes_on(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    shop.admin.execute("ALTER TABLE orders ADD COLUMN note text")
    run(request)
    query = Query.objects.get(request=request)
    again = Query.objects.get(request=successor(request))
    problem = query.problem or {}
    assert query.state == QueryState.DRIFTED
    assert "the column note is new" in problem["detail"]
    assert problem["successor"]["query"] == str(again.pk)
    assert str(again.pk) in problem["remedy"]


def test_the_ledger_says_what_drifted(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    shop.admin.execute("ALTER TABLE orders ADD COLUMN note text")
    run(request)
    (entry,) = Entry.objects.filter(kind="request.drifted")
    assert entry.fields["drift"] == ["schema: public.orders: the column note is new."]
    kinds = [one.kind for one in Entry.objects.filter(index__gt=entry.index - 3, index__lte=entry.index)]
    assert kinds == ["request.created", "statement.parked", "request.drifted"]


def test_what_can_no_longer_run_at_all_is_not_asked_again(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast, "DELETE FROM cards")
    shop.admin.execute("DROP TABLE cards")
    assert run(request) == State.DRIFTED
    assert what(request) == {"schema", "policy"}
    assert not Request.objects.filter(follows=request).exists()


def test_p4_another_search_path_is_drift(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    shop.admin.execute("CREATE SCHEMA other")
    cast.datasource.search_path = ["public", "other"]
    cast.datasource.save()
    assert run(request) == State.DRIFTED
    assert "The search path was public and is now public, other." in told(request)


def test_p4_the_same_name_at_another_address_is_drift(
    cast: Cast, shop: TargetDatabase, target_database: MakeTarget
) -> None:
    request = approved(cast)
    moved = target_database(SHOP)
    cast.datasource.dsn = moved.dsn
    cast.datasource.save()
    assert run(request) == State.DRIFTED
    assert "The data source is at another address than it was." in told(request)
    assert (rows(shop), rows(moved)) == (60, 60)


def test_p4_another_server_is_not_asked_what_became_of_a_transaction(cast: Cast, target_database: MakeTarget) -> None:
    """It would not know the id, or know another by it, and what was committed would run once more."""
    request = approved(cast)
    Request.objects.update(state=State.EXECUTING, attempt=1, xid="3")
    cast.datasource.dsn = target_database(SHOP).dsn
    cast.datasource.save()
    assert execution.reconcile(request.pk) == State.UNKNOWN


def test_p4_another_text_is_told_apart_from_another_schema(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    Query.objects.update(sql=DELETE.replace("open", "done"))
    assert run(request) == State.DRIFTED
    assert what(request) == {"statement"}


# --- Policy and reviews -------------------------------------------------------------------------------------------


def add_policy(annotations: str, condition: str = 'context.uses.contains("delete")') -> None:
    text = policy_store.fetch_version().text
    text += f'\n@id("fresh") {annotations}\nforbid (principal, action, resource) when {{ {condition} }};\n'
    policy_store.activate(text, author=ACTOR)


def test_a_stricter_policy_is_drift(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    add_policy('@review("dba") @quorum("2")')
    assert run(request) == State.DRIFTED
    assert told(request) == "Policy now also asks for 1 of dba (fresh)."
    again = successor(request)
    assert [(one["group"], one["quorum"]) for one in again.required] == [("dba", 2)]


def test_a_demand_that_was_met_anyway_is_none(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    add_policy('@review("dba") @quorum("1") @expires("1h")')
    assert run(request) == State.EXECUTED


def test_a_demand_that_the_reviews_happen_to_meet_is_none(cast: Cast, shop: TargetDatabase) -> None:
    make_user("rita", "dba", "security")
    request = approved(cast, DELETE)
    text = policy_store.fetch_version().text.replace('@review("dba")', '@review("security")')
    policy_store.activate(text, author=ACTOR)
    assert run(request) == State.EXECUTED


def test_a_denial_is_drift_without_a_successor(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    add_policy('@message("Nobody deletes on Fridays.")')
    assert run(request) == State.DRIFTED
    assert "Nobody deletes on Fridays." in told(request)
    assert not Request.objects.filter(follows=request).exists()


def test_a_second_factor_that_policy_asks_for_since_is_drift(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    add_policy('@review("dba") @step_up("10m")')
    assert run(request) == State.DRIFTED
    assert "rita showed none" in told(request)


def test_a_second_factor_that_was_shown_anyway_is_enough(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    Review.objects.update(second_factor_at=timezone.now())
    add_policy('@review("dba") @step_up("10m")')
    assert run(request) == State.EXECUTED


def test_p5_reviews_that_no_longer_hold_are_drift_and_others_are_asked(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    cast.rita.groups.clear()
    assert run(request) == State.DRIFTED
    assert what(request) == {"reviews"}
    assert successor(request).state == State.PENDING


def test_p8_what_somebody_may_no_longer_ask_is_not_asked_again(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    Agent.objects.filter(pk=cast.bot.pk).update(is_active=False)
    assert run(request) == State.DRIFTED
    assert what(request) == {"requester"}
    assert not Request.objects.filter(follows=request).exists()


def test_what_policy_would_let_run_by_now_still_goes_to_people_once_it_drifted(
    cast: Cast, shop: TargetDatabase
) -> None:
    request = approved(cast)
    policy_store.activate(policy_store.fetch_version().text.replace("context.byKey", "true"), author=ACTOR)
    shop.admin.execute("ALTER TABLE orders ADD COLUMN note text")
    run(request)
    assert successor(request).required == request.required


def test_p5_whoever_owned_the_agent_that_asked_does_not_approve_the_successor(cast: Cast, shop: TargetDatabase) -> None:
    make_user("alice", "dba")
    request = approved(cast)
    Agent.objects.filter(pk=cast.bot.pk).update(owner=cast.mallory)
    shop.admin.execute("ALTER TABLE orders ADD COLUMN note text")
    run(request)
    again = successor(request)
    for person in (cast.alice, cast.mallory):
        assert not approvals.may_review(again, cast.principal(person)).allowed
    assert approvals.may_review(again, cast.principal(cast.rita)).allowed


def test_what_was_withdrawn_while_it_was_looked_at_again_is_not_asked_again(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = approved(cast)
    shop.admin.execute("ALTER TABLE orders ADD COLUMN note text")

    def withdrawn_meanwhile(principal: Principal, query: Query, request: Request) -> Finding:
        found = prepare(principal, query, request)
        approvals.withdraw(request.pk, cast.principal(cast.bot))
        return found

    monkeypatch.setattr(execution, "prepare", withdrawn_meanwhile)
    assert run(request) == "busy"
    assert request.state == State.WITHDRAWN
    assert not Request.objects.filter(follows=request).exists()


def test_p4_what_changes_while_it_is_measured_is_drift(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = approved(cast)
    measure = impact.ensure_measured

    def changed_meanwhile(request: Request) -> Impact | None:
        found = measure(request)
        shop.admin.execute("ALTER TABLE orders ADD COLUMN note text")
        return found

    monkeypatch.setattr("gateway.impact.ensure_measured", changed_meanwhile)
    assert run(request) == State.DRIFTED
    assert what(request) == {"schema"}


# --- Time ---------------------------------------------------------------------------------------------------------


def test_it_never_starts_early(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    Request.objects.update(not_before=timezone.now() + timedelta(hours=1))
    assert run(request) == "not due"
    assert request.state == State.APPROVED
    Request.objects.update(not_before=timezone.now())
    assert run(request) == State.EXECUTED


def test_a_window_that_has_closed_again_is_waited_for(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    now = timezone.now()
    hour = (now + timedelta(hours=2)).hour
    closed = f"daily {hour:02}:00-{hour:02}:30 UTC"
    Request.objects.update(terms={"windows": [closed]}, not_before=now - timedelta(hours=1))
    assert run(request) == "not due"
    assert request.not_before is not None
    assert (request.not_before - now) > timedelta(minutes=30)


# --- By itself ----------------------------------------------------------------------------------------------------


def test_nothing_is_run_that_is_no_statement(cast: Cast) -> None:
    request = approved(cast)
    Request.objects.update(carrier=Request.Carrier.CALLER)
    assert run(request) == "left to its session"
    assert request.state == State.APPROVED
