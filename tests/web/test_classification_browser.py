"""The proposals in a real Chromium: ticked and decided by keyboard, a scan followed to its end, at any width."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from governance.classification import classes_of, parse_target, remove
from governance.models import ClassProposal, DataSource
from governance.scanning import scan
from identity.people import add_user
from tests.factories import ACTOR, CLASSES, PASSWORD, Cast
from tests.fixtures.servers import Server

pytestmark = pytest.mark.browser
PROPOSALS = "/classification/shop/proposals/"


@pytest.fixture
def shop(cast: Cast) -> DataSource:
    for column in CLASSES:
        remove(cast.datasource, parse_target(column), actor=ACTOR)
    return cast.datasource


@pytest.fixture
def desk(page: Page, web_server: Server, shop: DataSource) -> Page:
    add_user("ruth", PASSWORD, [], is_administrator=True, actor=ACTOR)
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("ruth")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    return page


def test_all_of_a_page_is_ticked_and_accepted_by_keyboard(desk: Page, shop: DataSource) -> None:
    scan.run(scan.begin(shop, actor=ACTOR))
    found = ClassProposal.objects.count()
    desk.goto(PROPOSALS)
    desk.get_by_label("Select all on this page").focus()
    desk.keyboard.press("Space")
    expect(desk.get_by_text(f"{found} selected")).to_be_visible()
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text(f"{found} accepted")).to_be_visible()
    assert classes_of(shop)["public", "customers"]["email"] == "email"


def test_enter_on_a_tick_box_decides_nothing(desk: Page, shop: DataSource) -> None:
    scan.run(scan.begin(shop, actor=ACTOR))
    desk.goto(PROPOSALS)
    desk.get_by_label("Select public.customers.email").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("button", name="Accept selected")).to_be_visible()
    assert not ClassProposal.objects.exclude(state="proposed").exists()


def test_a_scan_is_followed_to_its_end(desk: Page, celery_worker: Server) -> None:
    desk.goto(PROPOSALS)
    desk.get_by_role("button", name="Scan now").click()
    expect(desk.locator("#scan")).to_contain_text("Finished", timeout=60_000)
    desk.goto(PROPOSALS)
    expect(desk.get_by_role("button", name="Accept public.customers.email")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_of_classification_scrolls_sideways(desk: Page, shop: DataSource, width: int) -> None:
    scan.run(scan.begin(shop, actor=ACTOR))
    desk.set_viewport_size({"width": width, "height": 780})
    over = {}
    for place in (PROPOSALS, "/classification/shop/", "/classification/shop/?show=all"):
        desk.goto(place)
        over[place] = desk.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert {place: by for place, by in over.items() if by > 0} == {}
