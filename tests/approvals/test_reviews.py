"""Reviews: who may, what they do, and what the ledger says."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from approvals import services
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.models import Request, Review
from approvals.states import State
from audit.models import Entry
from audit.search import entry_with_payload
from gateway.models import QueryState
from gateway.pipeline import submit
from identity.models import Agent, User
from tests.factories import Cast, make_agent, make_user


def parked(cast: Cast, who: User | Agent | None = None) -> Request:
    request = submit(cast.submission("DELETE FROM orders", who)).query.request
    assert request is not None
    return request


def test_an_approval_by_the_group_approves(cast: Cast) -> None:
    request = services.review(parked(cast).pk, cast.principal(cast.rita), "approve", "fine")
    assert request.state == State.APPROVED


def test_a_rejection_ends_the_query_with_the_comment(cast: Cast) -> None:
    request = services.review(parked(cast).pk, cast.principal(cast.rita), "reject", "not on a Friday")
    assert request.query.state == QueryState.REJECTED
    assert "not on a Friday" in (request.query.problem or {})["remedy"]


def test_a_rejection_needs_a_comment(cast: Cast) -> None:
    request = parked(cast)
    with pytest.raises(ReviewRefused, match="comment"):
        services.review(request.pk, cast.principal(cast.rita), "reject", "  ")
    assert not Review.objects.exists()


def test_p5_the_owner_of_the_agent_cannot_approve(cast: Cast) -> None:
    make_user("alice", "dba")
    with pytest.raises(ReviewRefused, match="own"):
        services.review(parked(cast).pk, cast.principal(cast.alice), "approve", "")


def test_p5_the_requester_cannot_approve(cast: Cast) -> None:
    request = parked(cast, cast.rita)
    with pytest.raises(ReviewRefused, match="yourself"):
        services.review(request.pk, cast.principal(cast.rita), "approve", "")


def test_p5_an_agent_cannot_approve(cast: Cast) -> None:
    with pytest.raises(ReviewRefused, match="Agents"):
        services.review(parked(cast).pk, cast.principal(cast.bot), "approve", "")


def test_p5_an_administrator_outside_the_group_cannot_approve(cast: Cast) -> None:
    root = make_user("root", is_administrator=True)
    with pytest.raises(ReviewRefused, match="dba"):
        services.review(parked(cast).pk, cast.principal(root), "approve", "")


def test_p5_an_administrator_cannot_approve_their_own(cast: Cast) -> None:
    root = make_user("root", "dba", is_administrator=True)
    with pytest.raises(ReviewRefused, match="yourself"):
        services.review(parked(cast, root).pk, cast.principal(root), "approve", "")


def test_nobody_reviews_twice(cast: Cast) -> None:
    request = parked(cast)
    Request.objects.filter(pk=request.pk).update(required=[{"group": "dba", "quorum": 2}])
    services.review(request.pk, cast.principal(cast.rita), "approve", "")
    with pytest.raises(ReviewRefused, match="already"):
        services.review(request.pk, cast.principal(cast.rita), "approve", "")


def test_a_quorum_of_two_waits_for_the_second(cast: Cast) -> None:
    request = parked(cast)
    Request.objects.filter(pk=request.pk).update(required=[{"group": "dba", "quorum": 2}])
    assert services.review(request.pk, cast.principal(cast.rita), "approve", "").state == State.PENDING
    assert services.review(request.pk, cast.principal(cast.dora), "approve", "").state == State.APPROVED


def test_an_expired_request_cannot_be_approved(cast: Cast) -> None:
    request = parked(cast)
    Request.objects.filter(pk=request.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(ReviewRefused, match="expired"):
        services.review(request.pk, cast.principal(cast.rita), "approve", "")


def test_what_nobody_decided_expires(cast: Cast) -> None:
    request = parked(cast)
    Request.objects.filter(pk=request.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert services.expire_due() == 1
    request.refresh_from_db()
    assert (request.state, request.query.state) == (State.EXPIRED, QueryState.EXPIRED)


def test_a_stranger_does_not_see_the_request(cast: Cast) -> None:
    with pytest.raises(UnknownRequest):
        services.fetch_request_for(cast.principal(cast.mallory), parked(cast).pk)


@pytest.mark.parametrize("who", ["alice", "rita", "olaf"])
def test_the_owner_the_reviewers_and_the_auditor_see_it(cast: Cast, who: str) -> None:
    request = parked(cast)
    assert services.fetch_request_for(cast.principal(getattr(cast, who)), request.pk).pk == request.pk


def test_the_owner_can_withdraw(cast: Cast) -> None:
    request = services.withdraw(parked(cast).pk, cast.principal(cast.alice))
    assert request.state == State.WITHDRAWN


def test_the_ledger_tells_the_story(cast: Cast) -> None:
    request = parked(cast)
    services.review(request.pk, cast.principal(cast.rita), "approve", "fine")
    story = [entry.kind for entry in Entry.objects.all() if entry.fields.get("request") == str(request.pk)]
    assert story == ["request.created", "statement.parked", "review.given", "request.approved"]


def test_two_reviewers_at_once_decide_it_once(cast: Cast) -> None:
    """Approve and reject meet: one wins, the other is told that it is decided."""
    request = parked(cast)
    refused: list[str] = []

    def give(who: User, verdict: str) -> None:
        try:
            services.review(request.pk, cast.principal(who), verdict, "now")
        except ReviewRefused as error:
            refused.append(error.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=give, args=one) for one in ((cast.rita, "approve"), (cast.dora, "reject"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert Review.objects.count() == 1


def test_p5_whoever_owns_the_agent_now_cannot_approve_either(cast: Cast) -> None:
    request = parked(cast)
    Agent.objects.filter(pk=cast.bot.pk).update(owner=cast.rita)
    with pytest.raises(ReviewRefused, match="own"):
        services.review(request.pk, cast.principal(cast.rita), "approve", "")
    assert not services.list_requests_for(cast.principal(cast.rita), "mine").exists()


def test_another_agent_of_the_same_owner_cannot_withdraw(cast: Cast) -> None:
    request = parked(cast)
    sibling = make_agent("other-bot", cast.alice)
    with pytest.raises(UnknownRequest):
        services.withdraw(request.pk, cast.principal(sibling))


def test_what_a_reviewer_writes_is_sealed_in_the_ledger(cast: Cast) -> None:
    services.review(parked(cast).pk, cast.principal(cast.rita), "reject", "because of 4111111111111111")
    assert not any(b"4111111111111111" in bytes(entry.header) for entry in Entry.objects.all())
    given = Entry.objects.get(kind="review.given")
    detail = entry_with_payload(given.index)
    assert detail is not None
    assert detail.payload == {"comment": "because of 4111111111111111"}
