"""When an approved request runs; and what time does to one that waits: reminder, escalation, expiry."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from approvals import services
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.models import Request, Review, Revision
from approvals.scheduling import held_until, wait_for_next_window
from approvals.signals import request_noted
from approvals.states import State
from audit.models import Entry
from governance.policy.decision import RequiredReview, Terms
from tests.approvals.waiting import approve, waiting
from tests.factories import Cast, make_user


def soon(**span: float) -> datetime:
    return timezone.now() + timedelta(**span)


def kinds(request: Request) -> list[str]:
    return [entry.kind for entry in Entry.objects.all() if entry.fields.get("request") == str(request.pk)]


def closed_window() -> str:
    """One that is closed now and opens within a day: the hour after the next."""
    hour = soon(hours=2).hour
    return f"daily {hour:02}:00-{(hour + 1) % 24 or 24:02}:00 UTC"


# --- The time of a run --------------------------------------------------------------------------------------------


def test_without_a_time_it_may_run_at_once(cast: Cast) -> None:
    request = approve(cast, waiting(cast), cast.rita)
    assert (request.not_before, held_until(request)) == (None, None)


def test_it_waits_for_the_time_that_was_asked_for(cast: Cast) -> None:
    request, run_at = waiting(cast), soon(hours=6)
    services.schedule(request.pk, cast.principal(cast.bot), run_at)
    request = approve(cast, request, cast.rita)
    assert request.not_before == held_until(request) == run_at


def test_an_approved_request_lives_until_it_can_have_run(cast: Cast) -> None:
    request, run_at = waiting(cast, expires_in=3600), soon(days=2)
    services.schedule(request.pk, cast.principal(cast.bot), run_at)
    assert approve(cast, request, cast.rita).expires_at > run_at


def test_it_waits_for_its_window(cast: Cast) -> None:
    request = approve(cast, waiting(cast, terms=Terms(windows=(closed_window(),))), cast.rita)
    assert request.not_before is not None
    assert (request.not_before.minute, request.not_before > timezone.now()) == (0, True)


def test_a_time_before_the_window_waits_for_the_window(cast: Cast) -> None:
    request = waiting(cast, terms=Terms(windows=(closed_window(),)), run_at=soon(minutes=1))
    not_before = approve(cast, request, cast.rita).not_before
    assert not_before is not None
    assert not_before > soon(minutes=2)


def test_a_window_that_closed_before_a_worker_came_is_not_run_in(cast: Cast) -> None:
    request = approve(cast, waiting(cast, terms=Terms(windows=(closed_window(),))), cast.rita)
    Request.objects.filter(pk=request.pk).update(not_before=soon(minutes=-1))
    until = wait_for_next_window(request.pk)
    request.refresh_from_db()
    assert until is not None
    assert until == request.not_before
    assert until > timezone.now()


def test_what_waits_for_its_time_is_not_given_to_a_worker(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[Any] = []
    monkeypatch.setattr("approvals.moving.publish", published.append)
    request = waiting(cast, run_at=soon(hours=1))
    approve(cast, request, cast.rita)
    assert published == []
    services.schedule(request.pk, cast.principal(cast.dora), None)
    assert published == [request.pk]


@pytest.mark.parametrize(
    ("run_at", "reason"), [(soon(hours=-1), "over"), (soon(days=31), "30 days")], ids=["past", "too far"]
)
def test_a_time_that_cannot_be_is_refused(cast: Cast, run_at: datetime, reason: str) -> None:
    with pytest.raises(ReviewRefused, match=reason):
        services.schedule(waiting(cast).pk, cast.principal(cast.bot), run_at)


@pytest.mark.parametrize(("who", "may"), [("bot", True), ("alice", True), ("rita", True), ("mallory", False)])
def test_who_sets_the_time(cast: Cast, who: str, may: bool) -> None:
    request, principal = waiting(cast), cast.principal(getattr(cast, who))
    if not may:
        with pytest.raises(UnknownRequest):
            services.schedule(request.pk, principal, soon(hours=1))
        return
    assert services.schedule(request.pk, principal, soon(hours=1)).run_at is not None


def test_once_somebody_approved_only_a_reviewer_moves_the_time(cast: Cast) -> None:
    request = approve(cast, waiting(cast, run_at=soon(hours=1)), cast.rita)
    with pytest.raises(ReviewRefused, match="only a reviewer"):
        services.schedule(request.pk, cast.principal(cast.alice), soon(hours=2))
    later = soon(hours=3)
    assert services.schedule(request.pk, cast.principal(cast.dora), later).not_before == later


def test_setting_the_time_again_keeps_no_approval_alive_for_ever(cast: Cast) -> None:
    request = approve(cast, waiting(cast, run_at=soon(hours=1)), cast.rita)
    Request.objects.filter(pk=request.pk).update(decided_at=soon(days=-29))
    with pytest.raises(ReviewRefused, match="30 days"):
        services.schedule(request.pk, cast.principal(cast.rita), soon(days=2))


def test_setting_the_time_is_in_the_ledger(cast: Cast) -> None:
    request, run_at = waiting(cast), soon(hours=1)
    services.schedule(request.pk, cast.principal(cast.rita), run_at)
    entry = Entry.objects.get(kind="request.scheduled")
    assert (entry.fields["actor"], entry.fields["run_at"]) == ("user:rita", run_at.isoformat())


# --- What time does -----------------------------------------------------------------------------------------------


def asked_ago(request: Request, **span: float) -> None:
    Revision.objects.filter(request=request).update(created_at=timezone.now() - timedelta(**span))


@pytest.fixture
def noted() -> Any:
    events: list[str] = []

    def note(sender: object, event: str, **_: Any) -> None:
        events.append(event)

    request_noted.connect(note)
    yield events
    request_noted.disconnect(note)


def test_who_has_not_decided_is_reminded_once(cast: Cast, noted: list[str]) -> None:
    request = waiting(cast, terms=Terms(remind_after=1800))
    assert services.remind_due() == 0
    asked_ago(request, minutes=31)
    assert (services.remind_due(), services.remind_due()) == (1, 0)
    assert noted == ["asked", "reminded"]
    assert Entry.objects.get(kind="request.reminded").fields["lacking"] == ["1 of dba"]


def test_others_are_asked_once_where_a_group_is_late(cast: Cast, noted: list[str]) -> None:
    request = waiting(cast, RequiredReview("dba", 1, 1, "oncall", 3600))
    assert services.escalate_due() == 0
    asked_ago(request, minutes=61)
    assert (services.escalate_due(), services.escalate_due()) == (1, 0)
    assert noted == ["asked", "escalated"]
    assert Entry.objects.get(kind="request.escalated").fields["groups"] == ["oncall"]
    assert approve(cast, request, make_user("otto", "oncall")).state == State.APPROVED


def test_a_stage_is_late_by_the_time_since_its_turn_came(cast: Cast) -> None:
    request = waiting(cast, RequiredReview("dba", 1), RequiredReview("legal", 1, 2, "oncall", 3600))
    asked_ago(request, hours=3)
    assert services.escalate_due() == 0
    approve(cast, request, cast.rita)
    assert services.escalate_due() == 0
    Review.objects.filter(request=request).update(created_at=timezone.now() - timedelta(hours=2))
    assert services.escalate_due() == 1


def test_a_group_that_has_decided_is_not_late(cast: Cast) -> None:
    escalating = RequiredReview("dba", 1, 1, "oncall", 3600)
    request = waiting(cast, escalating, RequiredReview("legal", 1))
    approve(cast, request, cast.rita)
    asked_ago(request, hours=2)
    assert services.escalate_due() == 0


def test_nothing_is_told_of_what_has_ended(cast: Cast) -> None:
    request = waiting(cast, RequiredReview("dba", 1, 1, "oncall", 60), terms=Terms(remind_after=60))
    services.withdraw(request.pk, cast.principal(cast.alice))
    asked_ago(request, hours=1)
    assert (services.remind_due(), services.escalate_due()) == (0, 0)


def test_each_step_of_time_is_an_entry(cast: Cast) -> None:
    request = waiting(cast, RequiredReview("dba", 1, 1, "oncall", 60), terms=Terms(remind_after=60))
    asked_ago(request, hours=1)
    services.remind_due(), services.escalate_due()
    Request.objects.filter(pk=request.pk).update(expires_at=soon(seconds=-1))
    services.expire_due()
    told = ["request.created", "request.reminded", "request.escalated", "request.expired"]
    assert kinds(request) == told
