"""Every state × action × actor. The expected outcome is a table of rules, written apart from the code that is tested.

Each case is tried on a request of its own kind in a savepoint that is rolled back, so that all of them share one ground.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from approvals import services
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.models import Absence, Request, Review
from approvals.states import State
from governance.policy.decision import RequiredReview
from identity.models import Agent, User
from tests.approvals.waiting import asked_by, waiting
from tests.factories import Cast, make_agent, make_user

# A quorum of two, of which dora has filled one seat.
REQUIRED = RequiredReview("dba", 2)
ACTORS = (
    "requester", "owner", "reviewer", "delegate", "second reviewer", "stranger", "auditor", "administrator",
    "administrator who asked", "beneficiary", "other agent", "later stage",
)  # fmt: skip
ACTIONS = ("approve", "reject", "withdraw", "edit", "schedule")
DONE, REFUSED, UNKNOWN = "done", "refused", "unknown"


def expected(state: State, action: str, actor: str) -> str:
    """The rules: who can move a request, and from where."""
    match action:
        case "approve" | "reject":
            return DONE if state is State.PENDING and actor in ("reviewer", "delegate") else REFUSED
        case "withdraw" | "edit":
            if actor not in ("requester", "owner", "administrator who asked"):
                return UNKNOWN
            possible = {State.PENDING} if action == "edit" else {State.PENDING, State.APPROVED}
            return DONE if state in possible else REFUSED
        case _:
            return expected_schedule(state, actor)


def expected_schedule(state: State, actor: str) -> str:
    """Reviewers set the time; whoever asked cannot any more, since dora has approved."""
    if state not in (State.PENDING, State.APPROVED):
        return REFUSED
    if actor in ("reviewer", "delegate", "second reviewer", "later stage"):
        return DONE
    return REFUSED if actor in ("requester", "owner", "administrator who asked") else UNKNOWN


@dataclass
class Ground:
    """Everybody who could act, and a request by each of the two who ask."""

    cast: Cast
    people: dict[str, User | Agent]

    def request(self, actor: str, state: State) -> Request:
        asker = self.people["administrator who asked"] if actor == "administrator who asked" else self.cast.bot
        later = RequiredReview("legal", 1, 2)
        request = waiting(self.cast, REQUIRED, later, who=asker, on_behalf_of="user:bea")
        Review.objects.create(request=request, reviewer=self.cast.dora, verdict="approve")
        Request.objects.filter(pk=request.pk).update(state=state)
        return request


@pytest.fixture
def ground(cast: Cast) -> Ground:
    now = timezone.now()
    delegate = make_user("dele")
    away = make_user("ann", "dba")
    Absence.objects.create(
        person=away,
        delegate=delegate,
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(days=1),
        created_by="t",
    )
    # The owner, the beneficiary and the administrators are in the group too: being a party is what keeps them out.
    cast.alice.groups.set(cast.rita.groups.all())
    return Ground(
        cast,
        {
            "requester": cast.bot,
            "owner": cast.alice,
            "reviewer": cast.rita,
            "delegate": delegate,
            "second reviewer": cast.dora,
            "stranger": cast.mallory,
            "auditor": cast.olaf,
            "administrator": make_user("root", is_administrator=True),
            "administrator who asked": make_user("chief", "dba", is_administrator=True),
            "beneficiary": make_user("bea", "dba"),
            "other agent": make_agent("other-bot", cast.rita, "dba"),
            "later stage": make_user("lena", "legal"),
        },
    )


def act(ground: Ground, request: Request, action: str, who: User | Agent) -> None:
    principal = ground.cast.principal(who)
    carried_out: dict[str, Callable[[], Any]] = {
        "approve": lambda: services.review(request.pk, principal, "approve", ""),
        "reject": lambda: services.review(request.pk, principal, "reject", "no"),
        "withdraw": lambda: services.withdraw(request.pk, principal),
        "edit": lambda: services.edit(
            request.pk, principal, asked_by(ground.cast, sql="DELETE FROM cards"), revision=1
        ),
        "schedule": lambda: services.schedule(request.pk, principal, timezone.now() + timedelta(hours=1)),
    }
    carried_out[action]()


def outcome(ground: Ground, state: State, action: str, actor: str) -> str:
    with transaction.atomic():
        request = ground.request(actor, state)
        before = rows(request)
        try:
            with transaction.atomic():
                act(ground, request, action, ground.people[actor])
            told = DONE
        except ReviewRefused:
            told = REFUSED
        except UnknownRequest:
            told = UNKNOWN
        changed = rows(request) != before
        transaction.set_rollback(True)
    assert changed is (told == DONE), f"{state} × {action} × {actor}: {told}, yet changed is {changed}"
    return told


def rows(request: Request) -> Any:
    return (
        Request.objects.filter(pk=request.pk).values().get(),
        list(Review.objects.filter(request=request).values_list("reviewer", "verdict", "revision")),
    )


def cases(action: str) -> Iterator[tuple[State, str]]:
    return itertools.product(State, ACTORS)


@pytest.mark.parametrize("action", ACTIONS)
def test_p5_who_may_do_what_in_which_state(ground: Ground, action: str) -> None:
    told = {(state, actor): outcome(ground, state, action, actor) for state, actor in cases(action)}
    rules = {(state, actor): expected(state, action, actor) for state, actor in cases(action)}
    assert {key: one for key, one in told.items() if one != rules[key]} == {}


def test_everybody_is_in_the_table(ground: Ground) -> None:
    assert set(ground.people) == set(ACTORS)
