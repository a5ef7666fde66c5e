"""Approving where policy asks for a second factor: there, back, and Approve again. The browser's part is in
test_second_factor_browser.py."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from approvals.models import Request
from identity.models import User
from identity.second_factor import reset
from tests.factories import ACTOR, Cast
from tests.identity.factors import age_session, code_of, give_app, give_recovery_codes
from tests.web.conftest import Park, SignIn
from tests.web.test_safety import wrong_in

COMMENT = "agreed on the phone"
SHOW = "/accounts/2fa/show/"


@pytest.fixture
def demanding(park: Park) -> Request:
    """Whoever approves it has shown a second factor within ten minutes."""
    request = park()
    Request.objects.filter(pk=request.pk).update(terms={"step_up": 600})
    return request


@pytest.fixture
def key(cast: Cast) -> str:
    return give_app(cast.rita)


@pytest.fixture
def client(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.rita)


def approve(client: Client, request: Request, comment: str = COMMENT) -> Any:
    return client.post(f"/requests/{request.pk}/review/", {"verdict": "approve", "comment": comment})


def state_of(request: Request) -> str:
    request.refresh_from_db()
    return str(request.state)


def test_approve_leads_to_the_factor_and_decides_nothing(client: Client, demanding: Request, key: str) -> None:
    answer = approve(client, demanding)
    assert answer["Location"].startswith(SHOW)
    assert state_of(demanding) == "pending"
    assert demanding.reviews.count() == 0


def test_showing_it_leads_back_and_still_decides_nothing(client: Client, demanding: Request, key: str) -> None:
    there = approve(client, demanding)["Location"]
    back = client.post(there, {"code": code_of(key)})
    assert back["Location"] == f"/requests/{demanding.pk}/#request-review"
    assert state_of(demanding) == "pending"
    assert "press Approve to finish" in client.get(back["Location"]).text


def test_the_comment_waits_on_the_page_and_in_no_address(client: Client, demanding: Request, key: str) -> None:
    there = approve(client, demanding)["Location"]
    assert "agreed" not in there
    back = client.post(there, {"code": code_of(key)})["Location"]
    assert "agreed" not in back
    assert client.get(back).context["form"]["comment"].value() == COMMENT


def test_approve_completes_after_the_factor_and_the_draft_is_gone(
    client: Client, demanding: Request, key: str, nobody_works: None
) -> None:
    client.post(approve(client, demanding)["Location"], {"code": code_of(key)})
    approve(client, demanding)
    assert state_of(demanding) == "approved"
    review = demanding.reviews.get()
    assert (review.comment, review.second_factor_at is not None) == (COMMENT, True)
    assert "review_drafts" not in client.session or client.session["review_drafts"] == {}


def test_a_draft_of_one_request_is_not_another_s(client: Client, demanding: Request, key: str, park: Park) -> None:
    approve(client, demanding)
    other = park("DELETE FROM orders WHERE total > 1")
    assert not client.get(f"/requests/{other.pk}/").context["form"]["comment"].value()


def shown_long_ago(client: Client, user: User, key: str) -> None:
    client.post(SHOW, {"code": code_of(key)})
    age_session(client, 601)


def shown_and_lost(client: Client, user: User, key: str) -> None:
    client.post(SHOW, {"code": code_of(key)})
    reset(user, actor=ACTOR)
    give_app(user)


def shown_elsewhere(client: Client, user: User, key: str) -> None:
    other = Client()
    other.force_login(user)
    other.post(SHOW, {"code": code_of(key)})


def shown_wrongly(client: Client, user: User, key: str) -> None:
    client.post(SHOW, {"code": "000000"})


def shown_now(client: Client, user: User, key: str) -> None:
    client.post(SHOW, {"code": code_of(key)})


def shown_a_recovery_code(client: Client, user: User, key: str) -> None:
    client.post(SHOW, {"code": give_recovery_codes(user)[0]})


@pytest.mark.parametrize(
    ("before", "state"),
    [
        (shown_now, "approved"),
        (shown_a_recovery_code, "approved"),
        (shown_long_ago, "pending"),
        (shown_and_lost, "pending"),
        (shown_elsewhere, "pending"),
        (shown_wrongly, "pending"),
    ],
    ids=lambda value: value.__name__.replace("_", " ") if callable(value) else value,
)
def test_an_approval_counts_only_with_what_this_session_showed_in_time(
    cast: Cast, client: Client, demanding: Request, key: str, nobody_works: None, before: Any, state: str
) -> None:
    before(client, cast.rita, key)
    approve(client, demanding)
    assert state_of(demanding) == state


def test_a_rejection_asks_for_no_factor(client: Client, demanding: Request, key: str) -> None:
    client.post(f"/requests/{demanding.pk}/review/", {"verdict": "reject", "comment": "no"})
    assert state_of(demanding) == "rejected"


def test_who_has_no_factor_is_told_before_and_led_to_setting_one_up(client: Client, demanding: Request) -> None:
    assert "you can reject, but not approve" in client.get(f"/requests/{demanding.pk}/").text
    there = approve(client, demanding)["Location"]
    page = client.get(there).text
    assert "You cannot approve yet" in page
    assert f'href="/requests/{demanding.pk}/#request-review"' in page
    assert state_of(demanding) == "pending"


def test_a_stranger_s_factor_opens_nothing(cast: Cast, sign_in: SignIn, demanding: Request) -> None:
    client, key = sign_in(cast.mallory), give_app(cast.mallory)
    client.post(SHOW, {"code": code_of(key)})
    assert approve(client, demanding).status_code == 404
    assert state_of(demanding) == "pending"


def test_the_factor_leads_to_no_other_host(client: Client, key: str) -> None:
    answer = client.post(f"{SHOW}?next=https://evil.example/", {"code": code_of(key)})
    assert answer["Location"] == "/"


def test_no_page_of_factors_has_anything_inline_or_from_another_host(client: Client, cast: Cast, key: str) -> None:
    give_recovery_codes(cast.rita)
    client.post(SHOW, {"code": code_of(key)})
    pages = [
        "",
        "totp/deactivate/",
        "recovery-codes/",
        "recovery-codes/generate/",
        "webauthn/",
        "webauthn/add/",
        "show/",
    ]
    assert {page: wrong for page in pages if (wrong := wrong_in(client.get(f"/accounts/2fa/{page}").text))} == {}
    assert {page: code for page in pages if (code := client.get(f"/accounts/2fa/{page}").status_code) != 200} == {}


def test_where_passkeys_cannot_work_the_page_says_so(client: Client, key: str) -> None:
    assert "in place of the number" in client.get("/accounts/2fa/", headers={"Host": "127.0.0.1"}).text
    assert "in place of the number" not in client.get("/accounts/2fa/", headers={"Host": "localhost"}).text
