"""Who may open what: one table."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from identity.models import User
from tests.factories import Cast, make_user
from tests.web.conftest import Park, Run, SignIn

NOBODY = "00000000-0000-4000-8000-000000000000"
EVERYBODY = ("alice", "rita", "mallory", "olaf", "root")
# page: the people who may open it; for all others there is nothing there
TABLE = {
    "/": EVERYBODY,
    "/requests/": EVERYBODY,
    "/requests/live/": EVERYBODY,
    f"/requests/reject/?request={NOBODY}:1": EVERYBODY,
    "/queries/": EVERYBODY,
    "/run/": EVERYBODY,
    "/notifications/": EVERYBODY,
    "/ledger/": EVERYBODY,
    "/ledger/0/": EVERYBODY,
    "/classification/shop/": EVERYBODY,
    "/classification/shop/proposals/": EVERYBODY,
    "/classification/shop/scan/": EVERYBODY,
    "/classification/nowhere/": (),
    "/patterns/": EVERYBODY,
    "/grants/": EVERYBODY,
    "/grants/elevation/": EVERYBODY,
    "/grants/break-glass/": EVERYBODY,
    f"/grants/{NOBODY}/": (),
    "/policy/": EVERYBODY,
    "/policy/versions/": EVERYBODY,
    "/policy/versions/1/": EVERYBODY,
    "/policy/compare/?old=1&new=1": EVERYBODY,
    "/policy/test/": EVERYBODY,
    "/policy/proposals/": EVERYBODY,
    "request": ("alice", "rita", "olaf", "root"),
    "request/live/": ("alice", "rita", "olaf", "root"),
    "query": ("alice", "rita", "olaf", "root"),
    "own query": ("alice", "olaf", "root"),
    f"/requests/{NOBODY}/": (),
    f"/queries/{NOBODY}/": (),
    "/policy/versions/99/": (),
    f"/policy/versions/{2**63}/": (),
    f"/policy/proposals/{NOBODY}/": (),
    "/ledger/999999/": (),
    f"/ledger/{2**63}/": (),
}
# What only administrators do; it is no secret that it can be done, so all others are told why they may not.
ADMINISTRATION = {
    "/policy/edit/": ("GET", "POST"),
    "/policy/edit/confirm/": ("POST",),
    "/policy/edit/activate/": ("POST",),
    f"/policy/edit/replay/{NOBODY}/": ("GET",),
}


@pytest.fixture
def people(cast: Cast) -> dict[str, User]:
    root = make_user("root", is_administrator=True)
    return {"alice": cast.alice, "rita": cast.rita, "mallory": cast.mallory, "olaf": cast.olaf, "root": root}


def test_each_page_opens_for_whom_it_is_meant_and_nobody_else(
    people: dict[str, User], park: Park, run: Run, sign_in: SignIn
) -> None:
    request, query = park(), run()
    places = {
        "request": reverse("request-detail", args=[request.pk]),
        "request/live/": reverse("request-live", args=[request.pk]),
        "query": reverse("query-detail", args=[request.query.pk]),
        "own query": reverse("query-detail", args=[query.pk]),
    }
    clients = {name: sign_in(person) for name, person in people.items()}
    expected = {(page, name): 200 if name in allowed else 404 for page, allowed in TABLE.items() for name in clients}
    seen = {(page, name): clients[name].get(places.get(page, page)).status_code for page, name in expected}
    assert seen == expected


def test_policies_are_edited_by_administrators_only(people: dict[str, User], sign_in: SignIn) -> None:
    clients = {name: sign_in(person) for name, person in people.items()}
    asked = [(page, method, name) for page, methods in ADMINISTRATION.items() for method in methods for name in clients]
    seen = {(page, name): clients[name].generic(method, page).status_code for page, method, name in asked}
    refused = {place for place, status in seen.items() if status == 403}
    assert refused == {(page, name) for page, _, name in asked if name != "root"}
    assert "edited, replayed and activated by administrators" in clients["rita"].get("/policy/edit/").text


@pytest.mark.parametrize("page", [*(page for page in (*TABLE, "/policy/edit/") if page.startswith("/"))])
def test_pages_are_for_signed_in_people(control_db: str, page: str) -> None:
    response = Client().get(page)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")


def test_an_agent_has_no_pages(cast: Cast) -> None:
    response = Client().get("/queries/", headers={"Authorization": f"Bearer {cast.token(cast.bot)}"})
    assert response.status_code == 302


@pytest.mark.parametrize("page", ["review", "withdraw"])
def test_what_changes_something_is_not_done_by_a_link(cast: Cast, park: Park, sign_in: SignIn, page: str) -> None:
    client = sign_in(cast.rita)
    assert client.get(reverse(f"request-{page}", args=[park().pk])).status_code == 405
    assert client.get(reverse(f"policy-proposal-{page}", args=[NOBODY])).status_code == 405
    assert client.get(reverse("policy-activate")).status_code == 405


def test_a_form_from_elsewhere_is_refused_with_a_page_that_explains(cast: Cast, park: Park) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.rita)
    for page in (reverse("request-review", args=[park().pk]), reverse("policy-activate"), reverse("policy-test")):
        response = client.post(page, {"verdict": "approve"})
        assert response.status_code == 403
        assert "That form was no longer valid" in response.text
