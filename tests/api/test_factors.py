"""Second factors over REST: a token shows none, and administrators take lost ones away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from approvals.models import Request
from audit.models import Entry
from gateway.pipeline import submit
from identity.models import User
from identity.second_factor import has_factor
from tests.factories import Cast, make_user
from tests.identity.factors import age_session, code_of, give_app


@pytest.fixture
def root(cast: Cast) -> User:
    return make_user("root", is_administrator=True)


@pytest.fixture
def request_(cast: Cast) -> Request:
    """Parked, and policy wants a second factor of whoever approves."""
    request = submit(cast.submission("DELETE FROM orders")).query.request
    assert request is not None
    Request.objects.filter(pk=request.pk).update(terms={"step_up": 600})
    return request


def approve(client: Client, request: Request) -> Any:
    token = client.get(f"/requests/{request.pk}/").context["csrf_token"]
    return client.post(
        f"/api/v1/requests/{request.pk}/reviews",
        {"verdict": "approve"},
        "application/json",
        headers={"X-CSRFToken": token},
    )


def test_a_token_cannot_approve_where_a_second_factor_is_asked_for(call: Any, cast: Cast, request_: Request) -> None:
    give_app(cast.rita)
    answer = call(cast.rita).post(f"requests/{request_.pk}/reviews", {"verdict": "approve"})
    assert (answer.status_code, answer.json()["code"]) == (403, "step-up-required")
    assert "open the request's page in a browser" in answer.json()["remedy"]


def test_a_token_can_reject_there(call: Any, cast: Cast, request_: Request) -> None:
    answer = call(cast.rita).post(f"requests/{request_.pk}/reviews", {"verdict": "reject", "comment": "no"})
    assert (answer.status_code, answer.json()["state"]) == (201, "rejected")


@pytest.mark.parametrize(("ago", "status"), [(0, 201), (599, 201), (601, 403), (3600, 403)])
def test_a_page_s_session_approves_while_what_it_showed_is_fresh(
    cast: Cast, request_: Request, ago: int, status: int
) -> None:
    client, key = Client(), give_app(cast.rita)
    client.force_login(cast.rita)
    client.post("/accounts/2fa/show/", {"code": code_of(key)})
    # A test takes a moment, too.
    age_session(client, max(0, ago - (30 if status == 201 else 0)))
    assert approve(client, request_).status_code == status


def test_a_cookie_beside_a_token_shows_nothing_for_the_token(cast: Cast, request_: Request) -> None:
    client, key = Client(), give_app(cast.dora)
    client.force_login(cast.dora)
    client.post("/accounts/2fa/show/", {"code": code_of(key)})
    answer = client.post(
        f"/api/v1/requests/{request_.pk}/reviews",
        {"verdict": "approve"},
        "application/json",
        headers={"Authorization": f"Bearer {cast.token(cast.rita)}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "step-up-required")


def test_the_review_says_when_the_factor_was_shown(cast: Cast, request_: Request) -> None:
    client, key = Client(), give_app(cast.rita)
    client.force_login(cast.rita)
    client.post("/accounts/2fa/show/", {"code": code_of(key)})
    approve(client, request_)
    review = request_.reviews.get()
    assert review.second_factor_at is not None
    assert timedelta(0) <= review.created_at - review.second_factor_at < timedelta(minutes=5)
    assert "second_factor_at" in Entry.objects.get(kind="review.given").fields


# --- Lost factors -------------------------------------------------------------------------------------------------


def test_an_administrator_sees_and_takes_away(call: Any, cast: Cast, root: User) -> None:
    give_app(cast.rita)
    listed = call(root).get("users/rita/factors").json()
    assert [factor["kind"] for factor in listed["factors"]] == ["app"]
    taken = call(root).post("users/rita/factors/reset", {"reason": "phone lost"})
    assert [factor["kind"] for factor in taken.json()["taken_away"]] == ["app"]
    assert not has_factor(cast.rita)
    fields = Entry.objects.get(kind="factor.removed").fields
    assert (fields["actor"], fields["user"], fields["reason"]) == ("user:root", "rita", "phone lost")


@pytest.mark.parametrize(
    ("who", "path", "body", "status", "code"),
    [
        pytest.param("rita", "users/dora/factors/reset", {"reason": "x"}, 403, "not-permitted", id="no administrator"),
        pytest.param("root", "users/root/factors/reset", {"reason": "x"}, 403, "not-permitted", id="one's own"),
        pytest.param("root", "users/nobody/factors/reset", {"reason": "x"}, 404, "unknown-user", id="nobody"),
        pytest.param("root", "users/dora/factors/reset", {"reason": "x"}, 409, "no-factor", id="none to take"),
        pytest.param("root", "users/rita/factors/reset", {}, 400, "invalid", id="no reason"),
    ],
)
def test_factors_stay_where_they_are(
    call: Any, cast: Cast, root: User, who: str, path: str, body: dict[str, str], status: int, code: str
) -> None:
    for person in (cast.rita, root):
        give_app(person)
    answer = call(User.objects.get(username=who)).post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert has_factor(cast.rita)
    assert has_factor(root)
