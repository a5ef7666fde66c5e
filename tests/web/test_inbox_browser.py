"""The inbox in a real browser: keyboard, what comes while it is open, and rejecting several."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from approvals import services
from approvals.models import Request, Review
from approvals.states import State
from tests.factories import Cast
from tests.web.conftest import Park
from tests.web.test_browser import WIDTHS, desk, sticking_out
from tests.web.test_inbox import copies

__all__ = ["desk"]

pytestmark = pytest.mark.browser
SOON = 10_000


def opened(desk: Page, path: str = "/requests/") -> None:
    desk.goto(path)
    desk.wait_for_function("document.querySelector('[data-keys-hint]')?.hidden === false")


def row(desk: Page, request: Request) -> object:
    return desk.locator(f"#row-{request.pk}")


def state_of(request: Request) -> str:
    return Request.objects.get(pk=request.pk).state


def test_keys_move_through_the_rows_and_tab_leaves_them(desk: Page, park: Park) -> None:
    first = park()
    second, third = copies(first, 2)  # what expires first is on top
    opened(desk)
    desk.keyboard.press("j")
    expect(desk.locator(f"#open-{third.pk}")).to_be_focused()
    desk.keyboard.press("j")
    desk.keyboard.press("ArrowDown")
    expect(desk.locator(f"#open-{first.pk}")).to_be_focused()
    desk.keyboard.press("k")
    expect(desk.locator(f"#open-{second.pk}")).to_be_focused()
    assert desk.locator('#inbox-rows [data-row-link][tabindex="0"]').count() == 1
    desk.keyboard.press("Tab")
    expect(desk.locator("[data-select-all] input")).to_be_focused()


def test_x_selects_the_row_in_hand_and_the_count_says_so(desk: Page, park: Park) -> None:
    request = park()
    copies(request, 1)
    opened(desk)
    for key in ("j", "x"):
        desk.keyboard.press(key)
    expect(desk.locator("[data-select-count]")).to_have_text("1 selected")
    desk.get_by_label("All on this page").check()
    expect(desk.locator("[data-select-count]")).to_have_text("2 selected")
    desk.keyboard.press("j")
    desk.keyboard.press("x")
    expect(desk.locator("[data-select-count]")).to_have_text("1 selected")


@pytest.mark.parametrize("key", ["a", "r"])
def test_a_key_on_the_list_opens_the_form_and_decides_nothing(desk: Page, park: Park, key: str) -> None:
    request = park()
    opened(desk)
    desk.keyboard.press("j")
    desk.keyboard.press(key)
    expect(desk.get_by_label("Comment")).to_be_focused()
    desk.keyboard.press("Enter")
    assert (state_of(request), Review.objects.count()) == (State.PENDING, 0)


def test_a_rejection_by_keyboard_takes_words_and_an_enter_on_the_button(desk: Page, park: Park) -> None:
    request = park()
    desk.goto(f"/requests/{request.pk}/")
    desk.wait_for_function("!document.querySelector('[data-shortcuts]').hidden")
    desk.keyboard.press("r")
    expect(desk.get_by_label("Comment")).to_be_focused()
    desk.keyboard.type("not on a Friday")
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_role("button", name="Reject")).to_be_focused()
    assert state_of(request) == State.PENDING
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Rejected. It will not run")).to_be_visible()
    assert state_of(request) == State.REJECTED


def test_an_approval_by_keyboard_takes_an_enter_on_the_button(desk: Page, park: Park) -> None:
    request = park()
    desk.goto(f"/requests/{request.pk}/")
    desk.wait_for_function("!document.querySelector('[data-shortcuts]').hidden")
    desk.keyboard.press("a")
    expect(desk.get_by_role("button", name="Approve", exact=True)).to_be_focused()
    assert state_of(request) == State.PENDING


def test_what_others_do_shows_in_place_and_focus_and_selection_stay(desk: Page, cast: Cast, park: Park) -> None:
    first = park()
    second, third = copies(first, 2)
    Request.objects.filter(pk=second.pk).update(required=[{"group": "dba", "quorum": 2}])
    opened(desk)
    for key in ("j", "j", "x"):
        desk.keyboard.press(key)
    services.review(second.pk, cast.principal(cast.rita), "approve", "")
    services.review(third.pk, cast.principal(cast.rita), "reject", "not on a Friday")
    expect(desk.locator(f"#row-{second.pk}")).to_contain_text("1 of 2 approved", timeout=SOON)
    expect(desk.locator(f"#row-{third.pk}")).to_contain_text("No longer in this list")
    expect(desk.locator(f"#open-{second.pk}")).to_be_focused()
    expect(desk.locator(f"#select-{second.pk}")).to_be_checked()
    expect(desk.locator("[data-select-count]")).to_have_text("1 selected")
    ids = desk.locator("#inbox-rows > li").evaluate_all("all => all.map((one) => one.id)")
    assert ids == [f"row-{one.pk}" for one in (third, second, first)]


def test_news_wait_behind_a_bar_until_they_are_wanted(desk: Page, park: Park) -> None:
    park()
    opened(desk)
    desk.keyboard.press("j")
    newer = park()
    bar = desk.get_by_role("link", name="1 new: show it")
    expect(bar).to_be_visible(timeout=SOON)
    expect(desk.locator("#inbox-rows > li")).to_have_count(1)
    expect(desk.locator("#nav-waiting")).to_have_text("2 waiting for your review")
    bar.click()
    expect(desk.locator(f"#row-{newer.pk}")).to_be_visible()


def test_several_are_rejected_after_they_were_shown_once_more(desk: Page, cast: Cast, park: Park) -> None:
    first = park()
    second, third = copies(first, 2)
    opened(desk)
    for request in (first, second):
        desk.locator(f"#select-{request.pk}").check()
    desk.get_by_role("button", name="Reject selected").click()
    expect(desk.get_by_role("heading", name="Reject 2 requests?")).to_be_visible()
    services.review(second.pk, cast.principal(cast.rita), "approve", "")
    desk.get_by_label("Why").fill("not on a Friday")
    desk.get_by_role("button", name="Reject 2 requests").click()
    expect(desk.get_by_role("heading", name="1 rejected, 1 not")).to_be_visible()
    expect(desk.get_by_role("region", name="Not rejected")).to_contain_text("there is nothing to review")
    assert (state_of(first), state_of(third)) == (State.REJECTED, State.PENDING)
    assert state_of(second) != State.REJECTED


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_of_the_inbox_scrolls_sideways(desk: Page, park: Park, width: int) -> None:
    request = park("DELETE FROM orders WHERE status <> '" + "x" * 400 + "'", purpose="y" * 400)
    Request.objects.filter(pk=request.pk).update(
        on_behalf_of="z" * 200, terms={"step_up": 600}, follows=request, reverts=request
    )
    desk.set_viewport_size({"width": width, "height": 780})
    pages = ["/requests/", "/requests/?show=asked", f"/requests/?show=all&text={'o' * 200}&state=open&risk_min=30"]
    pages += [f"/requests/reject/?request={request.pk}:1&request={request.pk}:2"]
    assert {page: over for page in pages if (over := sticking_out(desk, page))} == {}


def test_the_inbox_works_without_script(desk: Page, park: Park) -> None:
    request = park()
    plain = desk.context.browser.new_context(  # type: ignore[union-attr]
        java_script_enabled=False, storage_state=desk.context.storage_state(), base_url=desk.url
    )
    page = plain.new_page()
    page.goto("/requests/?show=all&state=pending")
    page.locator(f"#select-{request.pk}").check()
    page.get_by_role("button", name="Reject selected").click()
    page.get_by_label("Why").fill("not on a Friday")
    page.get_by_role("button", name="Reject 1 request").click()
    expect(page.get_by_role("heading", name="1 rejected")).to_be_visible()
    plain.close()
    assert state_of(request) == State.REJECTED


def test_g_and_a_letter_leads_to_the_page_that_the_list_of_keys_names(desk: Page) -> None:
    pages = {
        "r": "/requests/",
        "g": "/grants/",
        "q": "/queries/",
        "l": "/ledger/",
        "p": "/policy/",
        "s": "/run/",
        "d": "/",
    }
    for letter, path in pages.items():
        desk.wait_for_function("!document.querySelector('[data-shortcuts]').hidden")
        desk.keyboard.press("g")
        desk.keyboard.press(letter)
        desk.wait_for_url(f"**{path}")
