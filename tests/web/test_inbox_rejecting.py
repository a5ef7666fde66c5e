"""Rejecting several: shown first, each by itself, and never more than the viewer may."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from approvals import services
from approvals.models import Request, Review
from approvals.states import State
from audit.ledger import LedgerUnavailable
from audit.models import Entry
from tests.factories import Cast
from tests.web.conftest import Park, SignIn
from tests.web.test_inbox import copies

PAGE = "/requests/reject/"


def chosen(*requests: Request, revision: int = 1) -> list[str]:
    return [f"{request.pk}:{revision}" for request in requests]


def states(*requests: Request) -> list[str]:
    return [Request.objects.get(pk=one.pk).state for one in requests]


def test_nothing_happens_before_it_was_shown_and_confirmed(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    text = sign_in(cast.rita).get(f"{PAGE}?{urlencode({'request': chosen(request)}, doseq=True)}").text
    assert "Reject 1 request?" in text
    assert "DELETE FROM orders" in text
    assert states(request) == [State.PENDING]


def test_each_is_rejected_with_an_entry_and_a_review_of_its_own(cast: Cast, park: Park, sign_in: SignIn) -> None:
    first = park()
    second = park()
    response = sign_in(cast.rita).post(PAGE, {"request": chosen(first, second), "comment": "not on a Friday"})
    assert "2 rejected" in response.text
    assert states(first, second) == [State.REJECTED, State.REJECTED]
    assert set(Review.objects.values_list("comment", flat=True)) == {"not on a Friday"}
    assert Entry.objects.filter(kind="review.given").count() == 2


def test_a_reason_is_needed(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    response = sign_in(cast.rita).post(PAGE, {"request": chosen(request), "comment": "  "})
    assert (response.status_code, "Say why" in response.text) == (422, True)
    assert states(request) == [State.PENDING]


def test_p5_own_requests_are_never_among_them(cast: Cast, park: Park, sign_in: SignIn) -> None:
    own, other = park(who=cast.rita), park()
    response = sign_in(cast.rita).post(PAGE, {"request": chosen(own, other), "comment": "no"})
    assert "1 rejected, 1 not" in response.text
    assert "you asked for this yourself" in response.text
    assert states(own, other) == [State.PENDING, State.REJECTED]


def test_what_was_edited_since_is_left(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(), sign_in(cast.rita)
    shown = urlencode({"request": chosen(request)}, doseq=True)
    Request.objects.filter(pk=request.pk).update(revision=2)
    assert "It was edited after you selected it" in client.get(f"{PAGE}?{shown}").text
    response = client.post(PAGE, {"request": chosen(request), "comment": "no"})
    assert "It was edited since you read it" in response.text
    assert states(request) == [State.PENDING]


def test_what_the_viewer_may_not_see_is_neither_shown_nor_rejected(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(), sign_in(cast.mallory)
    shown = client.get(f"{PAGE}?{urlencode({'request': chosen(request)}, doseq=True)}").text
    done = client.post(PAGE, {"request": chosen(request), "comment": "no"}).text
    assert "DELETE FROM" not in shown + done
    assert "Delete on" not in shown + done
    assert states(request) == [State.PENDING]


def test_approving_several_does_not_exist(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    sign_in(cast.rita).post(PAGE, {"request": chosen(request), "comment": "fine", "verdict": "approve"})
    assert states(request) == [State.REJECTED]


def test_once_the_ledger_cannot_record_the_rest_is_not_rejected(
    cast: Cast, park: Park, sign_in: SignIn, monkeypatch
) -> None:
    first = park()
    second, third = copies(first, 2)
    client, review = sign_in(cast.rita), services.review
    done: list[object] = []

    def once(*arguments: Any, **named: Any) -> object:
        if done:
            raise LedgerUnavailable("no disk")
        done.append(arguments)
        return review(*arguments, **named)

    monkeypatch.setattr("approvals.rejecting.review", once)
    text = client.post(PAGE, {"request": chosen(first, second, third), "comment": "no"}).text
    assert "1 rejected, 2 not" in text
    assert "Not recorded, so not rejected: no disk." in text
    assert states(first, second, third) == [State.REJECTED, State.PENDING, State.PENDING]


def test_selecting_nothing_leads_back_with_a_word(cast: Cast, sign_in: SignIn) -> None:
    for asked in ("", "?request=", "?request=x:1", "?request=00000000-0000-4000-8000-000000000000:x"):
        response = sign_in(cast.rita).get(f"{PAGE}{asked}", follow=True)
        assert "Select what is to be rejected first." in response.text
