"""The ledger pages in a real browser: keyboard, local times, filters, and narrow windows."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Page, expect

from audit.ledger import append
from audit.models import Entry
from tests.factories import Cast
from tests.web.conftest import Park, Run
from tests.web.test_browser import WIDTHS, desk, sticking_out

__all__ = ["desk"]

pytestmark = pytest.mark.browser


def varied() -> None:
    """Entries of many kinds and long names."""
    for number in range(24):
        append(
            "statement.denied" if number % 3 else "statement.intent",
            principal=f"agent:reporting-and-forecasting-bot-{number % 4}",
            owner="ada",
            datasource=f"warehouse-of-the-northern-region-{number % 2}",
            query=str(uuid.uuid4()),
            verdict="deny" if number % 3 else "allow",
            risk=number * 4,
            relations=[f"public.a_table_with_a_rather_long_name_{number % 5}"],
            classes=["email"] if number % 2 else ["salary", "card_number"],
            policies=["agents-read-production-masked"],
            on_behalf_of=f"user:somebody-with-a-long-name-{number % 3}@example.com",
            run=f"run-{number // 5}",
            sql_normal=f"SELECT a, b, c FROM a_table_with_a_rather_long_name_{number} WHERE id = $1 AND " + "x" * 80,
        )


def test_a_search_is_made_and_its_first_entry_opened_by_keyboard_alone(desk: Page, run: Run) -> None:
    run()
    desk.goto("/ledger/")
    desk.keyboard.press("/")
    expect(desk.get_by_label("Text in the statement")).to_be_focused()
    desk.keyboard.type("from customers")
    desk.keyboard.press("Enter")
    expect(desk).to_have_url("/ledger/?text=from+customers")
    desk.keyboard.press("j")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Statement about to run")).to_be_visible()
    expect(desk.get_by_role("heading", name="Proof")).to_be_visible()


def test_a_facet_narrows_and_its_chip_widens_again(desk: Page, run: Run, park: Park) -> None:
    run()
    park()
    desk.goto("/ledger/?datasource=shop")
    desk.get_by_label("Verdict").get_by_role("link", name="Review").click()
    chips = desk.get_by_role("list", name="Active filters")
    expect(chips).to_contain_text("Review")
    desk.get_by_role("link", name="Take away Verdict Review").click()
    expect(chips).not_to_contain_text("Review")
    expect(chips).to_contain_text("shop")


def test_times_are_typed_in_the_viewer_s_zone_and_sent_in_utc(desk: Page) -> None:
    away = desk.context.browser.new_context(  # type: ignore[union-attr]
        timezone_id="Asia/Kolkata", storage_state=desk.context.storage_state()
    )
    page = away.new_page()
    page.goto(desk.url.rstrip("/") + "/ledger/?since=2026-01-31T12:00:00")
    page.get_by_text("More filters").click()
    field = page.get_by_label("From", exact=True)
    expect(field).to_have_value("2026-01-31T17:30")
    field.fill("2026-02-01T05:30")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url("**since=2026-02-01T00%3A00%3A00")
    away.close()


def test_a_search_is_kept_and_used_again(desk: Page, run: Run) -> None:
    run()
    desk.goto("/ledger/?verdict=allow")
    desk.get_by_text("Saved searches").click()
    desk.get_by_label("Name").fill("What was allowed")
    desk.get_by_role("button", name="Save this search").click()
    expect(desk.get_by_text("Saved as What was allowed.")).to_be_visible()
    desk.goto("/ledger/")
    desk.get_by_text("Saved searches").click()
    desk.get_by_role("link", name="What was allowed").click()
    expect(desk).to_have_url("/ledger/?verdict=allow")


@pytest.mark.parametrize("width", WIDTHS)
def test_no_ledger_page_scrolls_sideways(desk: Page, cast: Cast, run: Run, park: Park, width: int) -> None:
    varied()
    run()
    park()
    desk.goto("/ledger/?verdict=allow")
    desk.get_by_text("Saved searches").click()
    desk.get_by_label("Name").fill("x" * 80)
    desk.get_by_role("button", name="Save this search").click()
    desk.set_viewport_size({"width": width, "height": 780})
    entries = [
        Entry.objects.filter(kind=kind).latest("index").index for kind in ("statement.parked", "statement.denied")
    ]
    pages = ["/ledger/", "/ledger/?verdict=deny&principal=agent:reporting-and-forecasting-bot-1&within=24h&risk_min=30"]
    pages += ["/ledger/?text=nothing-of-the-kind", "/ledger/searches/", *(f"/ledger/{index}/" for index in entries)]
    assert {page: over for page in pages if (over := sticking_out(desk, page))} == {}
