"""Pages of standing permissions: who sees and does what, and what a page says of each."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from approvals import services
from approvals.grants import holding
from approvals.grants.ending import close_ended
from approvals.grants.services import break_glass, request_elevation
from approvals.models import Grant, Request
from gateway.models import Query, QueryState
from gateway.pipeline import submit
from identity.models import User
from identity.people import add_user
from tests.factories import ACTOR, PASSWORD, Cast
from tests.fixtures.servers import Server
from tests.web.conftest import Park, SignIn

REASON = "the nightly clean-up failed and orders are stuck"
DELETE = "DELETE FROM orders WHERE status = 'nowhere'"


@pytest.fixture(autouse=True)
def _nobody_is_remembered(control_db: str, nobody_works: None) -> None:
    holding.forget()


@pytest.fixture
def grant(cast: Cast, park: Park) -> Grant:
    """rita lets the bot delete three times more; it has done so once."""
    request = park(DELETE, purpose="nightly <b>clean-up</b>")
    services.review(
        request.pk, cast.principal(cast.rita), "approve", "", grant={"runs": 3, "seconds": 3600}, row_bound=5
    )
    submit(cast.submission(DELETE))
    return Grant.objects.get()


@pytest.fixture
def broken(cast: Cast) -> Grant:
    return break_glass(cast.principal(cast.rita), "shop", reason=REASON, door="web")


def page(sign_in: SignIn, who: User, path: str) -> str:
    response = sign_in(who).get(path)
    assert response.status_code == 200, path
    return response.content.decode()


# --- Lists --------------------------------------------------------------------------------------------------------


def test_the_list_shows_what_stands_with_its_runs_and_end(cast: Cast, grant: Grant, sign_in: SignIn) -> None:
    shown = page(sign_in, cast.rita, "/grants/")
    assert "DELETE FROM orders WHERE status = ?" in shown
    assert "1 of 3" in shown
    assert 'data-style="countdown"' in shown


def test_what_has_ended_is_listed_apart(cast: Cast, grant: Grant, sign_in: SignIn) -> None:
    Grant.objects.update(expires_at=timezone.now())
    assert "DELETE FROM" not in page(sign_in, cast.rita, "/grants/")
    assert "Run out" in page(sign_in, cast.rita, "/grants/?show=ended")


@pytest.mark.parametrize("which", ["standing", "mine", "all"])
def test_a_stranger_sees_none(cast: Cast, grant: Grant, sign_in: SignIn, which: str) -> None:
    assert "DELETE FROM" not in page(sign_in, cast.mallory, f"/grants/?show={which}")


def test_the_owner_finds_it_among_theirs(cast: Cast, grant: Grant, sign_in: SignIn) -> None:
    assert "DELETE FROM" in page(sign_in, cast.alice, "/grants/?show=mine")
    assert "DELETE FROM" not in page(sign_in, cast.rita, "/grants/?show=mine")


@pytest.mark.parametrize(
    ("query", "fits"), [("kind=statement", 1), ("kind=elevation", 0), ("principal=analyst-bot", 1), ("datasource=x", 0)]
)
def test_the_list_is_filtered(cast: Cast, grant: Grant, sign_in: SignIn, query: str, fits: int) -> None:
    assert ("DELETE FROM" in page(sign_in, cast.rita, f"/grants/?show=all&{query}")) == bool(fits)


def test_a_page_takes_few_queries_however_many_there_are(
    cast: Cast, grant: Grant, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        grant.pk = None
        grant.id = uuid.uuid4()
        grant.save(force_insert=True)
    client = sign_in(cast.rita)
    client.get("/grants/")
    with django_assert_max_num_queries(22):
        client.get("/grants/")


# --- One ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "cut", "end"), [("alice", 1, 1), ("rita", 1, 1), ("dora", 0, 0), ("olaf", 0, 0)])
def test_each_is_offered_what_they_may_do(
    cast: Cast, grant: Grant, sign_in: SignIn, who: str, cut: int, end: int
) -> None:
    shown = page(sign_in, getattr(cast, who), f"/grants/{grant.pk}/")
    assert (f"/grants/{grant.pk}/narrow/" in shown, f"/grants/{grant.pk}/revoke/" in shown) == (bool(cut), bool(end))


def test_a_stranger_finds_nothing_there(cast: Cast, grant: Grant, sign_in: SignIn) -> None:
    client = sign_in(cast.mallory)
    assert client.get(f"/grants/{grant.pk}/").status_code == 404
    assert client.post(f"/grants/{grant.pk}/revoke/").status_code == 404
    grant.refresh_from_db()
    assert grant.revoked_at is None


def test_what_people_wrote_stays_text(cast: Cast, grant: Grant, sign_in: SignIn) -> None:
    shown = page(sign_in, cast.rita, f"/grants/{grant.pk}/")
    assert "<b>clean-up</b>" not in shown
    assert "&lt;b&gt;clean-up&lt;/b&gt;" in shown


def test_its_runs_lead_to_the_queries(cast: Cast, grant: Grant, sign_in: SignIn) -> None:
    query = Query.objects.get(grant=grant)
    assert f"/queries/{query.pk}/" in page(sign_in, cast.rita, f"/grants/{grant.pk}/")
    assert "DELETE" in page(sign_in, cast.rita, f"/queries/{query.pk}/")


def test_the_request_shows_what_it_gave(cast: Cast, grant: Grant, sign_in: SignIn) -> None:
    assert f"/grants/{grant.pk}/" in page(sign_in, cast.rita, f"/requests/{grant.request_id}/")


def test_it_is_cut_down(cast: Cast, grant: Grant, sign_in: SignIn) -> None:
    client = sign_in(cast.rita)
    given = {"narrow-max_uses": "2", "narrow-minutes": "10", "narrow-row_bound": "", "narrow-comment": "less"}
    assert client.post(f"/grants/{grant.pk}/narrow/", given).status_code == 302
    grant.refresh_from_db()
    assert (grant.max_uses, grant.row_bound) == (2, 5)
    assert grant.expires_at - timezone.now() <= timedelta(minutes=10)


@pytest.mark.parametrize(
    ("given", "match"), [({"narrow-max_uses": "9"}, "only ever cut down"), ({}, "Nothing would change")]
)
def test_what_would_widen_it_is_refused_on_the_page(
    cast: Cast, grant: Grant, sign_in: SignIn, given: dict[str, str], match: str
) -> None:
    response = sign_in(cast.rita).post(f"/grants/{grant.pk}/narrow/", given)
    assert (response.status_code, match in response.content.decode()) == (422, True)


def test_no_get_changes_anything(cast: Cast, grant: Grant, broken: Grant, sign_in: SignIn) -> None:
    client = sign_in(cast.rita)
    before = list(Grant.objects.order_by("pk").values())
    for path in (f"{grant.pk}/narrow/", f"{grant.pk}/revoke/", "elevation/", "break-glass/", f"{broken.pk}/revoke/"):
        client.get(f"/grants/{path}")
    assert (list(Grant.objects.order_by("pk").values()), Request.objects.count()) == (before, 1)


# --- Asking and taking --------------------------------------------------------------------------------------------


def test_an_elevation_is_asked_for_an_agent(cast: Cast, sign_in: SignIn) -> None:
    given = {"agent": "analyst-bot", "group": "dba", "datasource": "shop", "minutes": "60", "reason": REASON}
    response = sign_in(cast.alice).post("/grants/elevation/", given)
    request = Request.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/requests/{request.pk}/")
    assert (request.requester, request.asked["seconds"]) == ("agent:analyst-bot", 3600)


def test_its_request_says_what_is_asked(cast: Cast, sign_in: SignIn) -> None:
    principal = cast.principal(cast.bot)
    asked = request_elevation(principal, "shop", "dba", minutes=60, reason=REASON, door="rest").request
    assert asked is not None
    shown = page(sign_in, cast.rita, f"/requests/{asked.pk}/")
    assert REASON in shown
    assert "Approve" in shown


def test_why_it_cannot_be_asked_is_said_on_the_page(cast: Cast, sign_in: SignIn) -> None:
    given = {"agent": "", "group": "auditors", "datasource": "shop", "minutes": "60", "reason": REASON}
    response = sign_in(cast.alice).post("/grants/elevation/", given)
    assert response.status_code == 422
    assert "No policy permits user:alice to count as a member of group auditors" in response.content.decode()


def test_glass_is_broken_with_a_reason_and_a_tick(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.rita)
    given = {"datasource": "shop", "minutes": "30", "runs": "", "reason": REASON}
    assert client.post("/grants/break-glass/", given).status_code == 422
    assert not Grant.objects.exists()
    response = client.post("/grants/break-glass/", {**given, "understood": "on"})
    assert (response.status_code, response["Location"]) == (302, f"/grants/{Grant.objects.get().pk}/")


def test_who_may_not_break_it_is_told_why(cast: Cast, sign_in: SignIn) -> None:
    given = {"datasource": "shop", "minutes": "30", "reason": REASON, "understood": "on"}
    response = sign_in(cast.alice).post("/grants/break-glass/", given)
    assert (response.status_code, "No policy permits user:alice" in response.content.decode()) == (422, True)


@pytest.mark.parametrize("path", ["/", "/requests/", "/ledger/", "/run/", "/grants/"])
def test_whoever_broke_it_sees_so_on_every_page(cast: Cast, broken: Grant, sign_in: SignIn, path: str) -> None:
    assert "You have broken the glass on shop" in page(sign_in, cast.rita, path)


def test_all_others_see_it_on_the_dashboard(cast: Cast, broken: Grant, sign_in: SignIn) -> None:
    assert "rita has broken the glass on shop" in page(sign_in, cast.mallory, "/")
    assert "broken the glass" not in page(sign_in, cast.mallory, "/requests/")


def test_the_banner_goes_with_its_end(cast: Cast, broken: Grant, sign_in: SignIn) -> None:
    Grant.objects.update(expires_at=timezone.now())
    assert "broken the glass" not in page(sign_in, cast.rita, "/requests/")


def test_whoever_looks_afterwards_sees_everything_that_was_run(cast: Cast, broken: Grant, sign_in: SignIn) -> None:
    query = submit(cast.submission("DELETE FROM orders WHERE status = 'open'", cast.rita)).query
    Grant.objects.update(expires_at=timezone.now())
    close_ended()
    request = Request.objects.get(kind="afterwards")
    shown = page(sign_in, cast.dora, f"/requests/{request.pk}/")
    assert "Everything that was run" in shown
    assert f"/queries/{query.pk}/" in shown
    assert "status" in page(sign_in, cast.dora, f"/queries/{query.pk}/")


# --- In a browser -------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(page: Page, web_server: Server, cast: Cast) -> Iterator[Page]:
    """Signed in as a reviewer; afterwards there was no script error."""
    add_user("vera", PASSWORD, ["dba"], actor=ACTOR)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("vera")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    yield page
    assert wrong == []


@pytest.mark.browser
def test_an_elevation_is_agreed_to_used_and_revoked_in_a_browser(desk: Page, cast: Cast) -> None:
    asked = request_elevation(cast.principal(cast.bot), "shop", "dba", minutes=30, reason=REASON, door="rest").request
    assert asked is not None
    desk.goto(f"/requests/{asked.pk}/")
    desk.get_by_role("button", name="Approve").click()
    desk.get_by_role("link", name="Elevation", exact=True).click()
    expect(desk.get_by_role("heading", name="Elevation to dba on shop")).to_be_visible()
    expect(desk.get_by_text("Standing", exact=True).first).to_be_visible()
    desk.get_by_label("Comment").first.fill("done with it")
    desk.get_by_role("button", name="Revoke it").click()
    expect(desk.get_by_text("Ended. Nothing runs under it any more")).to_be_visible()
    assert Grant.objects.get().revoked_by == "user:vera"


@pytest.mark.browser
def test_glass_is_broken_used_and_ended_in_a_browser(desk: Page, cast: Cast) -> None:
    desk.get_by_role("link", name="Grants").click()
    desk.get_by_role("link", name="Break the glass").click()
    desk.get_by_label("What the emergency is").fill(REASON)
    desk.get_by_label("I know that this is told at once").check()
    desk.get_by_role("button", name="Break the glass").click()
    expect(desk.get_by_text("You have broken the glass on shop.")).to_be_visible()
    desk.goto("/run/")
    desk.get_by_label("Statement", exact=True).fill("DELETE FROM orders WHERE status = 'open'")
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_text("Executed").first).to_be_visible()
    assert Query.objects.get().state == QueryState.EXECUTED
    desk.get_by_role("link", name="End it").click()
    desk.get_by_role("button", name="End it now").click()
    expect(desk.get_by_text("You have broken the glass on shop.")).to_have_count(0)
    expect(desk.get_by_role("link", name="The look at it afterwards")).to_be_visible()
