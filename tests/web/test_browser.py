"""A real Chromium against real processes: sign-in, the live feed, a review by keyboard, the run page, both themes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals import services
from gateway.pipeline import submit
from identity.people import add_user
from tests.factories import ACTOR, PASSWORD, Cast
from tests.fixtures.servers import Server
from tests.web.conftest import Park

pytestmark = pytest.mark.browser
WIDTHS = [360, 1280]


@pytest.fixture
def desk(page: Page, web_server: Server, cast: Cast) -> Iterator[Page]:
    """A page of a signed-in reviewer; afterwards there was no script error and no request to another host."""
    add_user("vera", PASSWORD, ["dba"], actor=ACTOR)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if complains(message) else None)
    page.on("request", lambda asked: None if asked.url.startswith(web_server.url) else wrong.append(asked.url))
    page.on("websocket", lambda socket: None if web_server.url[4:] in socket.url else wrong.append(socket.url))
    sign_in(page)
    yield page
    assert wrong == []


def complains(message: Any) -> bool:
    """The browser itself reports requests that a test cut off on purpose."""
    return message.type in ("error", "warning") and "ERR_INTERNET_DISCONNECTED" not in message.text


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("vera")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()


def test_the_feed_shows_a_statement_the_moment_it_is_recorded(desk: Page, cast: Cast) -> None:
    expect(desk.locator("#connection")).to_have_attribute("data-state", "live")
    submit(cast.submission("SELECT status FROM orders", purpose="look"))
    entry = desk.locator(".feed-entry.arrived").first
    expect(entry).to_contain_text("Statement ended")
    expect(entry).to_contain_text("Executed")
    expect(desk.locator(".feed-entry", has_text="SELECT status FROM orders")).to_have_count(1)


def test_the_feed_resumes_after_the_connection_was_lost(desk: Page, cast: Cast) -> None:
    expect(desk.locator("#connection")).to_have_attribute("data-state", "live")
    before = desk.locator(".feed-entry").count()
    desk.context.set_offline(True)
    expect(desk.locator("#connection")).to_have_attribute("data-state", "offline")
    submit(cast.submission("SELECT total FROM orders"))
    desk.context.set_offline(False)
    expect(desk.locator("#connection")).to_have_attribute("data-state", "live")
    expect(desk.locator(".feed-entry", has_text="SELECT total FROM orders")).to_have_count(1)
    expect(desk.locator(".feed-entry")).to_have_count(before + 2)
    indexes = [int(index) for index in desk.locator(".feed-entry").evaluate_all("all => all.map(e => e.dataset.index)")]
    assert indexes == list(range(indexes[0], indexes[0] - len(indexes), -1))


def test_a_statement_in_the_feed_stays_text(desk: Page, cast: Cast) -> None:
    expect(desk.locator("#connection")).to_have_attribute("data-state", "live")
    submit(cast.submission('SELECT id AS "<img src=x onerror=alert(1)>" FROM orders'))
    expect(desk.locator(".feed-entry.arrived", has_text="<img src=x")).to_have_count(1)
    assert desk.locator(".feed-entry img").count() == 0


def test_a_request_is_found_and_approved_by_keyboard_alone(desk: Page, park: Park) -> None:
    request = park()
    for key in ("g", "r"):
        desk.keyboard.press(key)
    expect(desk.get_by_role("heading", name="Requests")).to_be_visible()
    desk.keyboard.press("j")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Deletes")).to_be_visible()
    desk.keyboard.press("c")
    desk.keyboard.type("checked the backup")
    desk.keyboard.press("Tab")
    expect(desk.get_by_role("button", name="Approve")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Approved. A worker runs it now")).to_be_visible()
    request.refresh_from_db()
    # Another test's worker may be listening, and quick.
    assert request.state in ("approved", "executing", "executed")


def test_a_request_page_follows_what_others_decide(desk: Page, cast: Cast, park: Park) -> None:
    request = park()
    desk.goto(f"/requests/{request.pk}/")
    expect(desk.get_by_role("button", name="Approve")).to_be_visible()
    services.review(request.pk, cast.principal(cast.rita), "reject", "not on a Friday")
    expect(desk.locator("#request-live")).to_contain_text("not on a Friday")
    expect(desk.get_by_role("button", name="Approve")).to_have_count(0)


def test_a_comment_that_is_being_typed_survives_the_refresh(desk: Page, cast: Cast, park: Park) -> None:
    request = park()
    type(request).objects.filter(pk=request.pk).update(required=[{"group": "dba", "quorum": 2}])
    desk.goto(f"/requests/{request.pk}/")
    desk.get_by_label("Comment").fill("half a sen")
    services.review(request.pk, cast.principal(cast.rita), "approve", "")
    expect(desk.locator("#request-live")).to_contain_text("1 of 2")
    expect(desk.get_by_label("Comment")).to_have_value("half a sen")


def test_a_statement_is_run_with_ctrl_enter(desk: Page) -> None:
    desk.goto("/run/")
    desk.get_by_label("Statement", exact=True).fill("SELECT id, email FROM customers ORDER BY id")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#result")).to_contain_text("1 column masked")
    desk.get_by_role("button", name="Check only").click()
    expect(desk.locator("#outcome")).to_contain_text("Checked, not run")


def test_the_theme_is_kept_from_page_to_page(desk: Page) -> None:
    toggle = desk.get_by_role("button", name="Theme")
    toggle.click()
    toggle.click()
    desk.goto("/ledger/")
    assert desk.evaluate("document.documentElement.dataset.theme") == "dark"
    background = desk.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, background.removeprefix("rgb(").rstrip(")").split(","))) < 100


def test_a_session_that_ended_leads_to_sign_in(desk: Page) -> None:
    expect(desk.locator("#connection")).to_have_attribute("data-state", "live")
    desk.context.clear_cookies()
    expect(desk.get_by_role("heading", name="Sign in")).to_be_visible(timeout=15_000)


def test_the_list_of_shortcuts_opens_and_closes(desk: Page) -> None:
    # The script shows the button once it listens to keys.
    desk.locator("[data-shortcuts]").first.wait_for(state="attached")
    desk.wait_for_function("!document.querySelector('[data-shortcuts]').hidden")
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(desk: Page, cast: Cast, park: Park, width: int) -> None:
    request = park("DELETE FROM orders WHERE status <> '" + "x" * 400 + "'", purpose="y" * 400)
    desk.set_viewport_size({"width": width, "height": 780})
    pages = ["/", "/requests/", f"/requests/{request.pk}/", "/queries/", f"/queries/{request.query.pk}/"]
    pages += ["/run/", "/ledger/", "/ledger/0/", "/patterns/", "/accounts/password/change/"]
    assert {page: over for page in pages if (over := sticking_out(desk, page))} == {}


def sticking_out(desk: Page, page: str) -> list[Any]:
    """What ends right of the window, unless it is inside something that scrolls by itself."""
    desk.goto(page)
    found: list[Any] = desk.evaluate(
        """() => [...document.querySelectorAll('main *, header *')]
            .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
            .filter((e) => !e.closest('.table-scroll, .sql-code, .code-block, .visually-hidden, svg, dialog'))
            .map((e) => e.outerHTML.slice(0, 120))"""
    )
    wide = desk.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [*found, "the page"] if wide else found
