"""What waits for whom: the filter in SQL says of each case what `may_review` says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals import services
from approvals.eligibility import may_review
from approvals.models import Absence, Request, Review
from approvals.waiting import waits_for
from gateway.pipeline import submit
from governance.policy import store as policy_store
from identity.models import User
from tests.factories import ACTOR, Cast, make_agent, make_user

Arrange = Callable[[Cast, Request], object]


@pytest.fixture
def request_(cast: Cast) -> Request:
    request = submit(cast.submission("DELETE FROM orders")).query.request
    assert request is not None
    return request


def more_people() -> None:
    for name, *groups in (("sven", "security"), ("siri", "security"), ("lars", "lead")):
        make_user(name, *groups)
    make_user("root", "dba", is_administrator=True)


def change(**columns: Any) -> Arrange:
    return lambda cast, request: Request.objects.filter(pk=request.pk).update(**columns)


def seats(*required: dict[str, Any], **columns: Any) -> Arrange:
    return change(required=list(required), **columns)


def both(*steps: Arrange) -> Arrange:
    def arrange(cast: Cast, request: Request) -> None:
        if not User.objects.filter(username="lars").exists():
            more_people()
        for step in steps:
            step(cast, request)

    return arrange


def reviewed(by: str, *, speaking_for: str = "", revision: int = 1, stage: int = 1) -> Arrange:
    def arrange(cast: Cast, request: Request) -> None:
        Review.objects.create(
            request=request,
            reviewer=User.objects.get(username=by),
            delegated_by=User.objects.filter(username=speaking_for).first(),
            verdict="approve",
            revision=revision,
            stage=stage,
        )

    return arrange


def away(person: str, delegate: str, *, ended: bool = False) -> Arrange:
    def arrange(cast: Cast, request: Request) -> None:
        now = timezone.now()
        Absence.objects.create(
            person=User.objects.get(username=person),
            delegate=User.objects.get(username=delegate),
            starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=1),
            ended_at=now if ended else None,
            created_by=ACTOR,
        )

    return arrange


def person(name: str, **columns: Any) -> Arrange:
    return lambda cast, request: User.objects.filter(username=name).update(**columns)


def regrouped(name: str, *groups: str) -> Arrange:
    return lambda cast, request: make_user(name, *groups)


def passed_on(to: str) -> Arrange:
    def arrange(cast: Cast, request: Request) -> None:
        cast.bot.owner = User.objects.get(username=to)
        cast.bot.save(update_fields=["owner"])

    return arrange


def forbidden(condition: str) -> Arrange:
    def arrange(cast: Cast, request: Request) -> None:
        text = (
            policy_store.active().text
            + f'\n@id("kept-out")\nforbid (principal, action == Action::"approve", resource) when {{ {condition} }};\n'
        )
        policy_store.activate(text, author=ACTOR)

    return arrange


def asked_by(name: str) -> Arrange:
    def arrange(cast: Cast, request: Request) -> None:
        owner = User.objects.get(username=name)
        Request.objects.filter(pk=request.pk).update(agent=None, owner=owner, requester=f"user:{name}")

    return arrange


def agent_of(owner: str, name: str) -> Arrange:
    return lambda cast, request: make_agent(name, User.objects.get(username=owner))


def seat(group: str, quorum: int = 1, **more: Any) -> dict[str, Any]:
    return {"group": group, "quorum": quorum, **more}


TWO_STAGES = seats(seat("dba", stage=1), seat("security", stage=2))
# name: what was done to a request of alice's agent that needs one of dba, and who may review it then
CASES: dict[str, tuple[Arrange, set[str]]] = {
    "as parked": (both(), {"rita", "dora", "root"}),
    "one reviewed": (both(reviewed("rita")), {"dora", "root"}),
    "a review of an earlier text counts no more": (both(reviewed("rita"), change(revision=2)), {"rita", "dora", "root"}),
    "two groups at once": (both(seats(seat("dba"), seat("security"))), {"rita", "dora", "root", "sven", "siri"}),
    "old rows know no stage": (both(change(required=[{"group": "security", "quorum": 1}])), {"sven", "siri"}),
    "the second stage is shut": (both(TWO_STAGES), {"rita", "dora", "root"}),
    "the second stage is open": (both(TWO_STAGES, reviewed("rita")), {"dora", "root", "sven", "siri"}),
    "the second stage is shut again once its opener left the group": (
        both(TWO_STAGES, reviewed("rita"), regrouped("rita")), {"dora", "root"},
    ),
    "an opener whose account is closed opens nothing": (
        both(TWO_STAGES, reviewed("rita"), person("rita", is_active=False)), {"dora", "root"},
    ),
    "an approval of an earlier text opens nothing": (
        both(TWO_STAGES, reviewed("rita"), change(revision=2)), {"rita", "dora", "root"},
    ),
    "half a quorum opens nothing": (
        both(seats(seat("dba", 2, stage=1), seat("security", stage=2)), reviewed("rita")), {"dora", "root"},
    ),
    "enough approvals, but of one group only, open nothing": (
        both(
            seats(seat("dba", stage=1), seat("lead", stage=1), seat("security", stage=2)),
            reviewed("rita"), reviewed("dora"),
        ),
        {"root", "lars"},
    ),
    "stages need not begin with one": (both(seats(seat("security", stage=3), seat("dba", stage=5))), {"sven", "siri"}),
    "three stages": (
        both(
            seats(seat("dba", stage=1), seat("lead", stage=2), seat("security", stage=3)),
            reviewed("rita"), reviewed("lars", stage=2),
        ),
        {"dora", "root", "sven", "siri"},
    ),
    "a group in two stages": (both(seats(seat("dba", stage=1), seat("dba", stage=2))), {"rita", "dora", "root"}),
    "escalated": (
        both(seats(seat("dba", escalate_to="lead", escalated=True))), {"rita", "dora", "root", "lars"},
    ),
    "not escalated yet": (both(seats(seat("dba", escalate_to="lead"))), {"rita", "dora", "root"}),
    "escalated in a later stage": (
        both(
            seats(seat("dba", stage=1), seat("security", stage=2, escalate_to="lead", escalated=True)), reviewed("rita")
        ),
        {"dora", "root", "sven", "siri", "lars"},
    ),
    "asked by a reviewer": (both(asked_by("rita")), {"dora", "root"}),
    "the agent has another owner by now": (both(passed_on("rita")), {"dora", "root"}),
    "on behalf of a reviewer": (both(change(on_behalf_of="user:Rita")), {"dora", "root"}),
    "on behalf of a reviewer, among others": (both(change(on_behalf_of="mallory, DORA and 4711")), {"rita", "root"}),
    "on behalf of a reviewer, mentioned": (both(change(on_behalf_of="as @rita wrote")), {"dora", "root"}),
    "on behalf of a reviewer, in brackets": (both(change(on_behalf_of="Rita M. [rita]")), {"dora", "root"}),
    "on behalf of a reviewer, in quotes": (both(change(on_behalf_of="«rita»")), {"dora", "root"}),
    "on behalf of a reviewer, as a value": (both(change(on_behalf_of="for=rita–urgent")), {"dora", "root"}),
    "on behalf of a name with a reviewer's in it": (both(change(on_behalf_of="margarita")), {"rita", "dora", "root"}),
    "on behalf of a reviewer's address": (
        both(person("rita", email="rita@example.com"), change(on_behalf_of="RITA@example.com")), {"dora", "root"},
    ),
    "on behalf of a reviewer's agent": (both(agent_of("rita", "rita-bot"), change(on_behalf_of="rita-bot")), {"dora", "root"}),
    "a delegate speaks for somebody absent": (both(away("rita", "mallory")), {"rita", "dora", "root", "mallory"}),
    "somebody back speaks for themselves": (both(away("rita", "mallory", ended=True)), {"rita", "dora", "root"}),
    "an absence does not pass on": (
        both(away("rita", "mallory"), away("mallory", "lars")), {"rita", "dora", "root", "mallory"},
    ),
    "the absent person's voice was used": (
        both(away("rita", "mallory"), reviewed("mallory", speaking_for="rita")), {"dora", "root"},
    ),
    "the absent person spoke first": (both(away("rita", "mallory"), reviewed("rita")), {"dora", "root"}),
    "a delegate of a party speaks for nobody": (
        both(away("rita", "mallory"), change(on_behalf_of="rita")), {"dora", "root"},
    ),
    "a party who is a delegate speaks for nobody": (both(away("rita", "alice")), {"rita", "dora", "root"}),
    "a delegate in a later stage": (
        both(TWO_STAGES, away("sven", "mallory"), reviewed("rita")), {"dora", "root", "sven", "siri", "mallory"},
    ),
    "a reviewer who speaks for another still speaks once": (both(away("rita", "dora"), reviewed("dora")), {"rita", "root"}),
    "policy keeps somebody from it": (
        both(forbidden('principal.name == "rita"')), {"dora", "root"},
    ),
    "policy keeps everybody from this data source": (both(forbidden('resource == DataSource::"shop"')), set()),
    "policy keeps the absent person from it": (
        both(away("rita", "mallory"), forbidden('principal.name == "rita"')), {"dora", "root"},
    ),
    "out of time": (both(change(expires_at=timezone.now() - timedelta(seconds=1))), set()),
    "approved": (both(change(state="approved")), set()),
    "rejected": (both(change(state="rejected")), set()),
    "executed": (both(change(state="executed")), set()),
}  # fmt: skip


def test_p5_what_waits_for_somebody_is_what_they_may_review(cast: Cast, request_: Request) -> None:
    """The whole table in one test: a governed database for each case would take most of a minute."""
    both()(cast, request_)
    told = {name: _told(cast, request_, arrange) for name, (arrange, _) in CASES.items()}
    assert told == {name: {"listed": expected, "allowed": expected} for name, (_, expected) in CASES.items()}


def _told(cast: Cast, request: Request, arrange: Arrange) -> dict[str, set[str]]:
    """Who finds it in their list, and who may review it; what was arranged is taken back."""
    with transaction.atomic():
        arrange(cast, request)
        changed = Request.objects.get(pk=request.pk)
        people = {one.username: cast.principal(one) for one in User.objects.filter(is_active=True)}
        listed = {name for name, one in people.items() if Request.objects.filter(waits_for(one)).exists()}
        allowed = {name for name, one in people.items() if may_review(changed, one).allowed}
        transaction.set_rollback(True)
    return {"listed": listed, "allowed": allowed}


def test_p5_nothing_waits_for_an_agent(cast: Cast, request_: Request) -> None:
    cast.bot.groups.add(*cast.rita.groups.all())
    assert not Request.objects.filter(waits_for(cast.principal(cast.bot))).exists()


def test_what_waits_for_somebody_they_may_also_open(cast: Cast, request_: Request) -> None:
    both(away("rita", "mallory"))(cast, request_)
    assert services.fetch_request_for(cast.principal(cast.mallory), request_.pk).pk == request_.pk
    both(seats(seat("dba", escalate_to="lead", escalated=True)))(cast, request_)
    assert services.fetch_request_for(cast.principal(User.objects.get(username="lars")), request_.pk).pk == request_.pk


def test_asked_are_the_own_and_those_of_own_agents(cast: Cast, request_: Request) -> None:
    own = submit(cast.submission("DELETE FROM orders", cast.alice)).query.request
    assert own is not None
    asked = services.list_requests_for(cast.principal(cast.alice), "asked")
    assert {one.pk for one in asked} == {own.pk, request_.pk}
    assert not services.list_requests_for(cast.principal(cast.rita), "asked").exists()


@pytest.mark.parametrize("arrange", [both(), both(TWO_STAGES, away("rita", "dora"), reviewed("rita"))])
def test_the_number_of_queries_does_not_grow_with_the_requests(cast: Cast, request_: Request, arrange: Arrange) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            list(Request.objects.filter(waits_for(cast.principal(User.objects.get(username="dora")))))
        return len(queries)

    arrange(cast, request_)
    one = asked()
    for _ in range(3):
        more = submit(cast.submission("DELETE FROM orders")).query.request
        assert more is not None
        Request.objects.filter(pk=more.pk).update(required=Request.objects.get(pk=request_.pk).required)
        for review in Review.objects.filter(request=request_):
            Review.objects.create(request=more, reviewer=review.reviewer, verdict="approve")
    assert asked() == one
