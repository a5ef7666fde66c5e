"""The pages of requests."""

from __future__ import annotations

import re

from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from approvals import services, story
from approvals.models import Request, Review
from approvals.states import State
from audit.ledger import LedgerUnavailable
from tests.factories import Cast
from tests.web.conftest import Park, SignIn


def page(request: Request) -> str:
    return reverse("request-detail", args=[request.pk])


def review_page(request: Request) -> str:
    return reverse("request-review", args=[request.pk])


def state_of(request: Request) -> str:
    return Request.objects.get(pk=request.pk).state


def test_a_request_shows_what_a_reviewer_needs(cast: Cast, park: Park, sign_in: SignIn) -> None:
    text = sign_in(cast.rita).get(page(park(purpose="after ticket 4711"))).text
    for needed in (
        "after ticket 4711",
        "analyst-bot",
        "of alice",
        "public.orders",
        "delete-without-where",
        "mass-write",
    ):
        assert needed in text


def test_an_approval_from_the_page_approves(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    response = sign_in(cast.rita).post(review_page(request), {"verdict": "approve", "comment": "fine"}, follow=True)
    assert state_of(request) == State.APPROVED
    assert "Approved. A worker runs it now" in response.text
    assert Review.objects.get().comment == "fine"


def test_a_rejection_without_a_comment_is_asked_for_one(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    response = sign_in(cast.rita).post(review_page(request), {"verdict": "reject", "comment": "  "})
    assert response.status_code == 422
    assert "Say why" in response.text
    assert state_of(request) == State.PENDING


def test_a_rejection_with_a_comment_rejects(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    sign_in(cast.rita).post(review_page(request), {"verdict": "reject", "comment": "not on a Friday"})
    assert state_of(request) == State.REJECTED


def test_a_verdict_that_does_not_exist_changes_nothing(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    assert sign_in(cast.rita).post(review_page(request), {"verdict": "maybe"}).status_code == 422
    assert state_of(request) == State.PENDING


def test_p5_the_owner_sees_why_they_cannot_review_and_has_no_form(cast: Cast, park: Park, sign_in: SignIn) -> None:
    text = sign_in(cast.alice).get(page(park())).text
    assert "you own analyst-bot, which asked for this" in text
    assert 'value="approve"' not in text


def test_p5_the_owner_cannot_review_by_posting_the_form(cast: Cast, park: Park, sign_in: SignIn) -> None:
    cast.alice.groups.add(Group.objects.get(name="dba"))
    request = park()
    response = sign_in(cast.alice).post(review_page(request), {"verdict": "approve"}, follow=True)
    assert "You cannot review it" in response.text
    assert state_of(request) == State.PENDING


def test_a_review_that_the_ledger_cannot_record_does_not_count(
    cast: Cast, park: Park, sign_in: SignIn, monkeypatch
) -> None:
    def unavailable(*_arguments: object, **_fields: object) -> None:
        raise LedgerUnavailable("the ledger cannot write: no disk")

    request = park()
    monkeypatch.setattr("audit.ledger.append_within", unavailable)
    response = sign_in(cast.rita).post(review_page(request), {"verdict": "approve", "comment": "kept words"})
    assert response.status_code == 503
    assert "not recorded" in response.text
    assert "kept words" in response.text
    assert (state_of(request), Review.objects.count()) == (State.PENDING, 0)


def test_the_owner_can_withdraw_and_a_reviewer_cannot(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    withdraw = reverse("request-withdraw", args=[request.pk])
    assert sign_in(cast.rita).post(withdraw).status_code == 404
    sign_in(cast.alice).post(withdraw)
    assert state_of(request) == State.WITHDRAWN


def test_the_page_asks_for_nothing_new_while_nothing_changed(
    nobody_works: None, cast: Cast, park: Park, sign_in: SignIn
) -> None:
    request, client = park(), sign_in(cast.rita)
    page = client.get(reverse("request-detail", args=[request.pk])).text
    live = re.search(r'hx-get="([^"]*/live/[^"]*)"', page)
    assert live is not None
    assert client.get(live[1]).status_code == 204
    services.review(request.pk, cast.principal(cast.dora), "approve", "")
    response = client.get(live[1])
    assert "Approved" in response.text
    assert 'id="request-review"' in response.text


def test_a_comment_under_way_is_left_alone_while_a_review_is_still_possible(
    cast: Cast, park: Park, sign_in: SignIn
) -> None:
    request = park()
    Request.objects.filter(pk=request.pk).update(required=[{"group": "dba", "quorum": 2}])
    services.review(request.pk, cast.principal(cast.dora), "approve", "")
    response = sign_in(cast.rita).get(reverse("request-live", args=[request.pk]) + "?seen=pending-0-0")
    assert "1 of 2" in response.text
    assert 'id="request-review"' not in response.text


def test_lists_open_with_what_waits_for_the_viewer(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    assert page(request) in sign_in(cast.rita).get("/requests/").text
    assert page(request) not in sign_in(cast.mallory).get("/requests/?show=all").text


def test_the_menu_counts_what_waits_for_the_viewer(cast: Cast, park: Park, sign_in: SignIn) -> None:
    park()
    assert "waiting for your review" in sign_in(cast.rita).get("/queries/").text
    assert "waiting for your review" not in sign_in(cast.alice).get("/queries/").text


def test_what_is_over_leaves_the_waiting_list(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(), sign_in(cast.rita)
    services.review(request.pk, cast.principal(cast.dora), "reject", "no")
    assert page(request) not in client.get("/requests/?show=waiting").text
    assert page(request) in client.get("/requests/?show=decided").text


def test_a_page_number_that_does_not_exist_shows_the_last_page(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    assert page(request) in sign_in(cast.rita).get("/requests/?show=all&page=99").text


def test_the_timeline_names_every_state() -> None:
    now = timezone.now()
    for state in State:
        request = Request(state=state, created_at=now, expires_at=now, requester="agent:a")
        assert story.steps_of(request, [])[0].title == "Asked"


def test_the_heading_names_what_the_text_names_before_what_a_cascade_reaches() -> None:
    relations = [{"schema": "public", "name": name, "use": "delete"} for name in ("a_items", "orders")]
    facts = {"kinds": ["write"], "relations": relations, "normal": "DELETE FROM orders"}
    assert story.heading_of(facts) == "Delete on public.orders, public.a_items"
