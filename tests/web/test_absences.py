"""The page of absences: who is away, who speaks, and setting it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from approvals import absences
from approvals.models import Absence
from identity.models import User
from identity.people import add_user
from tests.factories import ACTOR, PASSWORD, Cast
from tests.fixtures.servers import Server
from tests.web.conftest import SignIn


def away(cast: Cast, person: User, delegate: User, reason: str = "") -> Absence:
    now = timezone.now()
    return absences.set_absence(
        cast.principal(person), person, delegate, starts_at=now, ends_at=now + timedelta(days=7), reason=reason
    )


def given(**values: str) -> dict[str, str]:
    return {
        "person": "rita", "delegate": "mallory", "starts_at": "", "ends_at": "2099-01-01T12:00", "zone": "UTC", "reason": "",
    } | values  # fmt: skip


def test_a_person_goes_away_by_the_clock_where_they_are(cast: Cast, sign_in: SignIn) -> None:
    until = timezone.now().astimezone(ZoneInfo("Asia/Tokyo")).replace(tzinfo=None, second=0, microsecond=0)
    until += timedelta(days=3)
    sent = given(ends_at=f"{until:%Y-%m-%dT%H:%M}", zone="Asia/Tokyo")
    response = sign_in(cast.rita).post("/absences/", sent, follow=True)
    assert "mallory speaks for you" in response.content.decode()
    assert Absence.objects.get().ends_at == until.replace(tzinfo=ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"delegate": ""}, "This field is required"),
        ({"delegate": "rita"}, "not one of the available choices"),
        ({"person": "dora"}, "Only administrators set the absence"),
        ({"ends_at": "2001-01-01T00:00"}, "must end after it starts"),
        ({"ends_at": "2099-01-01T00:00"}, "more than a year"),
        ({"ends_at": "soon"}, "Enter a valid date/time"),
    ],
)
def test_what_is_refused_is_said_beside_the_field(
    cast: Cast, sign_in: SignIn, values: dict[str, str], reason: str
) -> None:
    response = sign_in(cast.rita).post("/absences/", given(**values))
    assert response.status_code == 422
    assert reason in response.content.decode()
    assert not Absence.objects.exists()


def test_an_administrator_sets_it_for_somebody_else(cast: Cast, root: User, sign_in: SignIn) -> None:
    until = datetime.now(tz=ZoneInfo("UTC")) + timedelta(days=2)
    sign_in(root).post("/absences/", given(ends_at=f"{until:%Y-%m-%dT%H:%M}"))
    assert str(Absence.objects.get().person) == "rita"


def test_whoever_speaks_is_told_so(cast: Cast, sign_in: SignIn) -> None:
    away(cast, cast.rita, cast.mallory)
    assert "You speak for <strong>rita</strong>" in sign_in(cast.mallory).get("/absences/").content.decode()
    assert "<strong>mallory</strong> speaks for you" in sign_in(cast.rita).get("/absences/").content.decode()


@pytest.mark.parametrize(("who", "told"), [("mallory", True), ("olaf", True), ("dora", False)])
def test_why_somebody_is_away_is_for_whom_it_concerns(cast: Cast, sign_in: SignIn, who: str, told: bool) -> None:
    away(cast, cast.rita, cast.mallory, reason="an operation")
    text = sign_in(getattr(cast, who)).get("/absences/").content.decode()
    assert "rita" in text
    assert ("an operation" in text) is told


def test_markup_in_a_reason_stays_text(cast: Cast, sign_in: SignIn) -> None:
    away(cast, cast.rita, cast.mallory, reason="<b>x</b>")
    assert "&lt;b&gt;x&lt;/b&gt;" in sign_in(cast.rita).get("/absences/").content.decode()


@pytest.mark.parametrize(("who", "status"), [("rita", 302), ("mallory", 302), ("dora", 404)])
def test_who_ends_it(cast: Cast, sign_in: SignIn, who: str, status: int) -> None:
    absence = away(cast, cast.rita, cast.mallory)
    response = sign_in(getattr(cast, who)).post(f"/absences/{absence.pk}/end/")
    absence.refresh_from_db()
    assert (response.status_code, absence.ended_at is not None) == (status, status == 302)


def test_no_link_ends_it(cast: Cast, sign_in: SignIn) -> None:
    absence = away(cast, cast.rita, cast.mallory)
    assert sign_in(cast.rita).get(f"/absences/{absence.pk}/end/").status_code == 405


def test_what_waits_for_the_absent_waits_for_whoever_speaks(cast: Cast, sign_in: SignIn, park: object) -> None:
    request = park()  # type: ignore[operator]
    client = sign_in(cast.mallory)
    assert client.get(f"/requests/{request.pk}/").status_code == 404
    away(cast, cast.rita, cast.mallory)
    assert client.get(f"/requests/{request.pk}/").status_code == 200
    client.post(f"/requests/{request.pk}/review/", {"verdict": "approve", "comment": ""})
    request.refresh_from_db()
    assert request.state == "approved"


@pytest.mark.browser
def test_the_page_works_on_a_phone(page: Page, web_server: Server, cast: Cast) -> None:
    vera = add_user("vera", PASSWORD, ["dba"], actor=ACTOR)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("vera")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    page.goto("/absences/")
    page.get_by_label("Who speaks meanwhile").select_option("dora")
    page.get_by_label("Until").fill(f"{timezone.now() + timedelta(days=5):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Set it").click()
    expect(page.get_by_text("Set. dora speaks for you")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_text("back early")).to_be_visible()
    assert absences.spokespeople_of(vera.pk) == []
