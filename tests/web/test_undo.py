"""The pages on which a change is asked to be taken back."""

from __future__ import annotations

from django.urls import reverse

from approvals import services as approvals
from approvals.models import Request, UndoLog
from approvals.states import State
from gateway import execution
from tests.factories import Cast
from tests.web.conftest import Park, SignIn


def changed(cast: Cast, park: Park, sql: str = "DELETE FROM cards WHERE id > 5") -> Request:
    """Asked by the agent, approved by rita, and run."""
    request = park(sql)
    approvals.review(request.pk, cast.principal(cast.rita), "approve", "")
    execution.execute_request(request.pk)
    request.refresh_from_db()
    assert request.state == State.EXECUTED
    return request


def page(request: Request) -> str:
    return reverse("request-detail", args=[request.pk])


def revert_page(request: Request) -> str:
    return reverse("request-revert", args=[request.pk])


def test_an_undo_is_asked_for_on_a_page_that_says_what_happens(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = changed(cast, park)
    client = sign_in(cast.alice)
    assert "15 rows of" in client.get(page(request)).text
    asking = client.get(revert_page(request)).text
    assert "what was deleted is inserted again" in asking
    assert not request.reverted_by.exists()
    response = client.post(revert_page(request), {"reason": "wrong cards"}, follow=True)
    asked = request.reverted_by.get()
    assert response.redirect_chain[-1][0] == page(asked)
    assert "15 rows are put back" in response.text
    assert "wrong cards" in response.text


def test_both_requests_lead_to_each_other(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = changed(cast, park)
    client = sign_in(cast.rita)
    client.post(revert_page(request))
    asked = request.reverted_by.get()
    assert page(asked) in client.get(page(request)).text
    assert page(request) in client.get(page(asked)).text


def test_p2_the_page_of_an_undo_shows_none_of_its_values(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = changed(cast, park)
    client = sign_in(cast.rita)
    client.post(revert_page(request))
    asked = request.reverted_by.get()
    assert "411111111111" in str(asked.params)
    for who in (cast.rita, cast.dora, cast.olaf):
        text = sign_in(who).get(page(asked)).text
        assert "411111111111" not in text
        assert "kept under seal" in text


def test_only_those_who_may_ask_for_it_are_offered_it(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = changed(cast, park)
    for who, offered in ((cast.alice, True), (cast.rita, True), (cast.olaf, False)):
        client = sign_in(who)
        assert (revert_page(request) in client.get(page(request)).text) is offered
        assert client.get(revert_page(request)).status_code == (200 if offered else 404)
    assert sign_in(cast.mallory).post(revert_page(request)).status_code == 404


def test_why_it_cannot_be_taken_back_is_said_on_the_page(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = changed(cast, park, "UPDATE cards SET cvv = '000' WHERE id > 5")
    client = sign_in(cast.alice)
    client.post(revert_page(request))
    response = client.post(revert_page(request))
    assert response.status_code == 422
    assert "which takes it back, is pending" in response.text


def test_rows_that_are_gone_can_no_longer_be_put_back(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = changed(cast, park)
    log = UndoLog.objects.get(request=request)
    UndoLog.objects.update(expires_at=log.created_at, emptied_at=log.created_at)
    client = sign_in(cast.alice)
    text = client.get(page(request)).text
    assert "were kept for an undo, and deleted" in text
    assert revert_page(request) not in text
    assert "no rows are kept of it any more" in client.post(revert_page(request), follow=True).text


def test_what_changed_no_row_is_not_offered_to_be_taken_back(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = changed(cast, park, "DELETE FROM cards WHERE id > 5000")
    client = sign_in(cast.rita)
    text = client.get(page(request)).text
    assert "It changed no row: there is nothing to take back." in text
    assert revert_page(request) not in text
    assert "It cannot be taken back: it changed no row." in client.get(revert_page(request), follow=True).text
