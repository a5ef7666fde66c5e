"""The ledger's pages as one house: who is led where, and that each fits, reads and is watched in a real browser."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from audit.ledger import append
from audit.models import Entry
from audit.reports.making import REPORTS
from audit.verification.recording import verify_and_record
from identity.models import User
from identity.people import add_user
from tests.factories import ACTOR, PASSWORD, Cast, make_user
from tests.fixtures.servers import Server
from tests.web.conftest import Park, Run, SignIn
from tests.web.test_browser import sticking_out

TOPS = {
    "Entries": "/ledger/",
    "Reports": "/ledger/reports/",
    "Exports": "/ledger/exports/",
    "Integrity": "/ledger/integrity/",
    "Forwarders": "/ledger/forwarders/",
}


def tabs(client: Client, page: str) -> dict[str, str]:
    text = client.get(page).text
    row = re.search(r'<nav class="tabs page-tabs" aria-label="Ledger pages">(.*?)</nav>', text, re.DOTALL)
    return {word: place for place, word in re.findall(r'href="([^"]+)"[^>]*>([^<]+)<', row[1])} if row else {}


@pytest.mark.parametrize("word", TOPS)
def test_every_top_page_leads_an_auditor_to_every_other(cast: Cast, sign_in: SignIn, word: str):
    client = sign_in(cast.olaf)
    assert tabs(client, TOPS[word]) == TOPS
    assert f'<a href="{TOPS[word]}" aria-current="page">{word}</a>' in client.get(TOPS[word]).text


def test_an_administrator_is_led_there_too(control_db: str, sign_in: SignIn):
    assert tabs(sign_in(make_user("root", is_administrator=True)), "/ledger/") == TOPS


def test_a_reviewer_is_led_to_no_page_that_refuses_them(cast: Cast, sign_in: SignIn):
    page = sign_in(cast.rita).get("/ledger/").text
    assert "Ledger pages" not in page
    assert [place for word, place in TOPS.items() if word != "Entries" and f'href="{place}' in page] == []


def test_what_an_entry_without_a_statement_says_is_labelled(control_db: str, sign_in: SignIn):
    append("signin.succeeded", principal="user:olaf", address="192.0.2.7")
    page = sign_in(make_user("olaf", "auditors")).get("/ledger/?kind=signin.succeeded").text
    assert re.search(r'<td class="statement" data-label="About"><span [^>]*>from 192\.0\.2\.7', page)


# --- In a browser -------------------------------------------------------------------------------------------------


@pytest.fixture
def vera(page: Page, web_server: Server, cast: Cast) -> User:
    """An administrator who is signed in at the page."""
    user = add_user("vera", PASSWORD, ["auditors"], is_administrator=True, actor=ACTOR)
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("vera")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    return user


@pytest.mark.browser
@pytest.mark.usefixtures("celery_worker", "vera")
def test_a_worker_verifies_while_the_page_watches(page: Page) -> None:
    page.goto("/ledger/integrity/")
    page.get_by_role("button", name="Verify now").click()
    part = page.locator("#verification")
    expect(part).to_contain_text("nothing wrong", timeout=30_000)
    expect(part.get_by_text("Intact", exact=True)).to_be_visible()
    expect(part).to_contain_text("vera")
    part.get_by_role("link", name=re.compile("entry")).click()
    expect(page.get_by_role("heading", name="Ledger verified")).to_be_visible()


@pytest.mark.browser
def test_no_page_of_the_house_scrolls_sideways_on_a_phone(page: Page, vera: User, run: Run, park: Park) -> None:
    run()
    park()
    verify_and_record("user:an-administrator-with-a-rather-long-name@example.com")
    verified = Entry.objects.get(kind="ledger.verified").index
    page.set_viewport_size({"width": 360, "height": 780})
    pages = [*TOPS.values(), reverse("export-new"), reverse("ledger-entry", args=[verified])]
    pages += [reverse("ledger-report", args=[name]) for name in REPORTS]
    assert {place: over for place in pages if (over := sticking_out(page, place))} == {}


@pytest.mark.browser
def test_slash_reaches_the_search_whatever_is_searched_for(page: Page, vera: User) -> None:
    page.goto("/ledger/?within=1h")
    page.keyboard.press("/")
    expect(page.get_by_label("Text in the statement")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_label("Text in the statement").blur()
    page.keyboard.press("j")
    focused = page.locator(":focus")
    expect(focused).to_have_attribute("data-row-link", "")
    assert focused.evaluate("(link) => getComputedStyle(link).boxShadow") != "none"


@pytest.mark.browser
def test_on_a_phone_an_entry_shows_no_label_without_a_value(page: Page, vera: User) -> None:
    append("request.created", principal="agent:bot", request="00000000-0000-4000-8000-000000000000")
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto("/ledger/")
    cells = page.locator(".table-fold td[data-label]")
    empty = [cell for cell in cells.all() if cell.is_visible() and not cell.inner_text().strip()]
    assert empty == []
