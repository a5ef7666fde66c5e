"""Stages, and people who count once: whoever is a party to a request, or speaks for one, never counts (P5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals import services
from approvals.errors import ReviewRefused
from approvals.models import Absence, Request, Review
from approvals.states import State
from governance.policy.decision import RequiredReview
from identity.models import Agent, User
from tests.approvals.waiting import DBA, approve, reject, waiting
from tests.factories import Cast, make_agent, make_user

LEGAL_LATER = RequiredReview("legal", 1, stage=2)


@pytest.fixture
def lena(cast: Cast) -> User:
    return make_user("lena", "legal")


def away(person: User, delegate: User) -> Absence:
    now = timezone.now()
    return Absence.objects.create(
        person=person, delegate=delegate, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1),
        created_by="test",
    )  # fmt: skip


# --- Stages -------------------------------------------------------------------------------------------------------


def test_a_later_stage_waits_for_the_earlier_and_says_for_whom(cast: Cast, lena: User) -> None:
    request = waiting(cast, DBA, LEGAL_LATER)
    with pytest.raises(ReviewRefused, match="Stage 2 opens once 1 of dba has approved"):
        approve(cast, request, lena)


def test_a_person_of_a_later_stage_cannot_reject_before_its_turn_either(cast: Cast, lena: User) -> None:
    with pytest.raises(ReviewRefused, match="Stage 2 opens"):
        reject(cast, waiting(cast, DBA, LEGAL_LATER), lena)


def test_stages_approve_one_after_the_other(cast: Cast, lena: User) -> None:
    request = waiting(cast, DBA, LEGAL_LATER)
    first = approve(cast, request, cast.rita)
    assert (first.state, first.stage, services.lacking(first)) == (State.PENDING, 2, {"legal": 1})
    assert approve(cast, request, lena).state == State.APPROVED


def test_groups_of_one_stage_approve_in_any_order(cast: Cast, lena: User) -> None:
    request = waiting(cast, DBA, RequiredReview("legal", 1))
    assert approve(cast, request, lena).state == State.PENDING
    assert approve(cast, request, cast.rita).state == State.APPROVED


def test_the_first_stage_need_not_be_number_one(cast: Cast, lena: User) -> None:
    request = waiting(cast, LEGAL_LATER)
    assert request.stage == 2
    assert approve(cast, request, lena).state == State.APPROVED


def test_p5_nobody_fills_a_seat_of_two_stages(cast: Cast) -> None:
    both = make_user("bo", "dba", "legal")
    request = waiting(cast, DBA, LEGAL_LATER)
    approve(cast, request, both)
    with pytest.raises(ReviewRefused, match="already reviewed"):
        approve(cast, request, both)


def test_p5_an_early_approval_is_not_moved_to_a_later_stage(cast: Cast) -> None:
    """Bo agreed before dba had: that fills dba's seat, and dora's seat for dba does not make it legal's."""
    both = make_user("bo", "dba", "legal")
    request = waiting(cast, DBA, LEGAL_LATER)
    approve(cast, request, both)
    assert approve(cast, request, cast.dora).state == State.PENDING


def test_who_left_the_group_no_longer_counts(cast: Cast, lena: User) -> None:
    request = waiting(cast, DBA, LEGAL_LATER)
    approve(cast, request, cast.rita)
    cast.rita.groups.clear()
    assert services.lacking(request) == {"dba": 1, "legal": 1}
    with pytest.raises(ReviewRefused, match="Stage 2 opens"):
        approve(cast, request, lena)


def test_who_is_no_longer_active_no_longer_counts(cast: Cast) -> None:
    request = approve(cast, waiting(cast), cast.rita)
    User.objects.filter(pk=cast.rita.pk).update(is_active=False)
    assert services.lacking(request) == {"dba": 1}


def test_where_others_may_stand_in_they_may_once_it_is_escalated(cast: Cast, lena: User) -> None:
    request = waiting(cast, RequiredReview("dba", 1, 1, "legal", 60))
    with pytest.raises(ReviewRefused, match="Only members of dba"):
        approve(cast, request, lena)
    Request.objects.filter(pk=request.pk).update(required=[{**request.required[0], "escalated": True}])
    assert approve(cast, request, lena).state == State.APPROVED


# --- Parties ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "on_behalf_of",
    ["rita", "user:rita", "USER:Rita", "rita@example.com", "Rita <RITA@example.com>", "dora, rita", "for rita.", "rita-bot"],
)  # fmt: skip
def test_p5_nobody_approves_what_runs_on_their_behalf(cast: Cast, on_behalf_of: str) -> None:
    User.objects.filter(pk=cast.rita.pk).update(email="rita@example.com")
    make_agent("rita-bot", cast.rita)
    request = waiting(cast, on_behalf_of=on_behalf_of)
    with pytest.raises(ReviewRefused, match="on your behalf"):
        approve(cast, request, cast.rita)
    assert not services.list_requests_for(cast.principal(cast.rita), "mine").exists()


@pytest.mark.parametrize("on_behalf_of", ["", "margherita", "rita2", "rita@elsewhere.com", "user:dora"])
def test_a_name_that_only_looks_alike_keeps_nobody_from_reviewing(cast: Cast, on_behalf_of: str) -> None:
    request = waiting(cast, on_behalf_of=on_behalf_of)
    assert services.list_requests_for(cast.principal(cast.rita), "mine").exists()
    assert approve(cast, request, cast.rita).state == State.APPROVED


def test_p5_an_approval_stops_counting_when_its_giver_becomes_the_owner(cast: Cast) -> None:
    request = approve(cast, waiting(cast), cast.rita)
    Agent.objects.filter(pk=cast.bot.pk).update(owner=cast.rita)
    request.refresh_from_db()
    assert services.lacking(Request.objects.get(pk=request.pk)) == {"dba": 1}


# --- Standing in --------------------------------------------------------------------------------------------------


def test_whoever_stands_in_reviews_by_the_groups_of_the_absent(cast: Cast) -> None:
    away(cast.rita, cast.mallory)
    request = approve(cast, waiting(cast), cast.mallory)
    assert (request.state, Review.objects.get().delegated_by) == (State.APPROVED, cast.rita)


def test_who_is_in_the_group_speaks_for_themselves_first(cast: Cast) -> None:
    away(cast.rita, cast.dora)
    approve(cast, waiting(cast), cast.dora)
    assert Review.objects.get().delegated_by is None


def test_who_stands_in_fills_the_seat_that_is_lacking(cast: Cast, lena: User) -> None:
    away(lena, cast.dora)
    request = waiting(cast, DBA, RequiredReview("legal", 1))
    approve(cast, request, cast.rita)
    assert approve(cast, request, cast.dora).state == State.APPROVED
    assert Review.objects.get(reviewer=cast.dora).delegated_by == lena


def test_standing_in_is_not_passed_on(cast: Cast) -> None:
    away(cast.rita, cast.mallory)
    away(cast.mallory, cast.olaf)
    with pytest.raises(ReviewRefused, match="Only members of dba"):
        approve(cast, waiting(cast), cast.olaf)


def test_p5_the_absent_and_who_stands_in_are_one_voice(cast: Cast) -> None:
    away(cast.rita, cast.mallory)
    request = waiting(cast, RequiredReview("dba", 2))
    approve(cast, request, cast.mallory)
    with pytest.raises(ReviewRefused, match="in your place"):
        approve(cast, request, cast.rita)


def test_p5_who_stands_in_cannot_repeat_what_the_absent_said(cast: Cast) -> None:
    request = waiting(cast, RequiredReview("dba", 2))
    approve(cast, request, cast.rita)
    away(cast.rita, cast.mallory)
    with pytest.raises(ReviewRefused, match="has already been heard"):
        approve(cast, request, cast.mallory)


def test_p5_nobody_stands_in_for_the_owner(cast: Cast) -> None:
    make_user("alice", "dba")
    away(cast.alice, cast.mallory)
    with pytest.raises(ReviewRefused, match="Only members of dba"):
        approve(cast, waiting(cast), cast.mallory)


def test_p5_who_stands_in_for_another_still_does_not_review_their_own(cast: Cast) -> None:
    away(cast.rita, cast.alice)
    with pytest.raises(ReviewRefused, match="own"):
        approve(cast, waiting(cast), cast.alice)


def test_an_approval_for_an_absent_person_outlasts_the_absence(cast: Cast) -> None:
    absence = away(cast.rita, cast.mallory)
    request = approve(cast, waiting(cast), cast.mallory)
    Absence.objects.filter(pk=absence.pk).update(ended_at=timezone.now())
    assert services.lacking(request) == {}


def test_an_absence_that_is_over_gives_nothing(cast: Cast) -> None:
    absence = away(cast.rita, cast.mallory)
    Absence.objects.filter(pk=absence.pk).update(ended_at=timezone.now())
    with pytest.raises(ReviewRefused, match="Only members of dba"):
        approve(cast, waiting(cast), cast.mallory)
