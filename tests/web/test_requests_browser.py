"""The page of a request in a real browser: keys, what refreshes, and a telephone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from approvals import services
from approvals.models import Request, Review
from approvals.states import State
from gateway import editing, impact
from tests.factories import Cast
from tests.web.conftest import Park
from tests.web.test_browser import WIDTHS, desk, sticking_out

__all__ = ["desk"]

pytestmark = pytest.mark.browser
SOON = 10_000
OPEN_ORDERS = "DELETE FROM orders WHERE status = 'open'"
STAGES = [{"group": "dba", "quorum": 2, "stage": 1}, {"group": "security", "quorum": 1, "stage": 2}]


def opened(desk: Page, request: Request) -> None:
    desk.goto(f"/requests/{request.pk}/")
    desk.wait_for_function("!document.querySelector('[data-shortcuts]').hidden")


def without_script(desk: Page) -> Page:
    """The same person in a browser that runs none."""
    plain = desk.context.browser.new_context(  # type: ignore[union-attr]
        java_script_enabled=False, storage_state=desk.context.storage_state(), base_url=desk.url
    )
    return plain.new_page()


def staged(park: Park) -> Request:
    request = park(OPEN_ORDERS)
    Request.objects.filter(pk=request.pk).update(required=STAGES)
    return request


def test_keys_lead_to_the_buttons_and_decide_nothing(nobody_works: None, desk: Page, park: Park) -> None:
    request = park(OPEN_ORDERS)
    opened(desk, request)
    desk.keyboard.press("a")
    approve = desk.get_by_role("button", name="Approve", exact=True)
    expect(approve).to_be_focused()
    expect(approve).to_have_accessible_description(
        "It then runs at once, once; it is measured first, and that bounds its rows."
    )
    desk.keyboard.press("r")
    expect(desk.get_by_label("Comment")).to_be_focused()
    assert (Request.objects.get(pk=request.pk).state, Review.objects.count()) == (State.PENDING, 0)


@pytest.mark.parametrize("scripted", [True, False])
def test_enter_in_a_field_decides_nothing(nobody_works: None, desk: Page, park: Park, scripted: bool) -> None:
    request = park(OPEN_ORDERS)
    opened(desk, request)
    page = desk if scripted else without_script(desk)
    page.goto(f"/requests/{request.pk}/")
    page.get_by_text("Bound it").click()
    page.get_by_label("Most rows").fill("3")
    page.keyboard.press("Enter")
    page.reload()
    assert (Request.objects.get(pk=request.pk).state, Review.objects.count()) == (State.PENDING, 0)
    if not scripted:
        page.context.close()


def test_what_others_do_shows_and_what_was_typed_stays(nobody_works: None, desk: Page, cast: Cast, park: Park) -> None:
    request = staged(park)
    opened(desk, request)
    desk.get_by_text("Bound it").click()
    desk.get_by_label("Most rows it may change").fill("12")
    desk.get_by_label("Comment").fill("half a sen")
    expect(desk.locator("#approve-does")).to_contain_text("still waiting")
    services.review(request.pk, cast.principal(cast.rita), "approve", "")
    expect(desk.locator("#approve-does")).to_contain_text("Stage 1 of 2 is then complete", timeout=SOON)
    expect(desk.locator("#request-live")).to_contain_text("rita")
    expect(desk.locator("#request-timeline")).to_contain_text("Approved")
    expect(desk.get_by_label("Most rows it may change")).to_have_value("12")
    expect(desk.get_by_label("Comment")).to_have_value("half a sen")


def test_numbers_come_into_the_sentence_without_a_reload(nobody_works: None, desk: Page, park: Park) -> None:
    request = park(OPEN_ORDERS)
    opened(desk, request)
    expect(desk.get_by_role("heading", level=1)).to_have_text("Deletes rows of public.orders on shop (production).")
    impact.measure(request.pk)
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Deletes 15 of 60 rows", timeout=SOON)
    expect(desk.locator("#approve-does")).to_contain_text("at most 17 rows")


def test_p4_what_was_edited_meanwhile_is_not_approved(nobody_works: None, desk: Page, cast: Cast, park: Park) -> None:
    request = park(OPEN_ORDERS)
    opened(desk, request)
    plain = without_script(desk)
    plain.goto(f"/requests/{request.pk}/")
    editing.edit(cast.principal(cast.alice), request.query, "DELETE FROM orders WHERE status = 'new'", [])
    expect(desk.get_by_role("alert")).to_contain_text("It was edited while you read it", timeout=SOON)
    plain.get_by_label("Comment").fill("seen")
    plain.get_by_role("button", name="Approve", exact=True).click()
    expect(plain.locator("#request-review").get_by_role("alert")).to_contain_text("your review does not count")
    expect(plain.get_by_label("Comment")).to_have_value("seen")
    plain.context.close()
    assert not Review.objects.exists()


def test_on_a_telephone_the_order_holds_and_decide_leads_to_the_form(
    nobody_works: None, desk: Page, park: Park
) -> None:
    request = park("DELETE FROM customers WHERE id > 0 AND email LIKE 'person1%'")
    impact.measure(request.pk)
    desk.set_viewport_size({"width": 360, "height": 780})
    opened(desk, request)
    names = ("live", "who", "target", "risk", "impact", "sql", "classified", "policies", "past", "timeline", "review")
    tops = [desk.locator(f"#request-{name}").bounding_box()["y"] for name in names]  # type: ignore[index]
    assert tops == sorted(tops)
    decide = desk.get_by_role("link", name="Decide")
    expect(decide).to_be_in_viewport()
    decide.click()
    expect(desk.get_by_role("button", name="Approve", exact=True)).to_be_in_viewport()
    expect(decide).to_be_hidden()


def test_on_a_desk_the_review_stays_in_sight(nobody_works: None, desk: Page, park: Park) -> None:
    opened(desk, park(OPEN_ORDERS))
    expect(desk.get_by_role("link", name="Decide")).to_be_hidden()
    desk.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(desk.get_by_role("button", name="Approve", exact=True)).to_be_in_viewport()


@pytest.mark.parametrize("width", WIDTHS)
def test_no_long_text_makes_the_page_scroll_sideways(
    nobody_works: None, desk: Page, cast: Cast, park: Park, width: int
) -> None:
    long = "x" * 400
    request = park(f"DELETE FROM orders WHERE status <> '{long}'", purpose=long)
    editing.edit(cast.principal(cast.alice), request.query, f"DELETE FROM orders WHERE status <> '{long}y'", [])
    Request.objects.filter(pk=request.pk).update(
        on_behalf_of="z" * 200, bound={"role": long, "search_path": [long]}, follows=request,
        drift=[{"what": "schema", "detail": long}], run_at=timezone.now() + timedelta(days=1),
        required=[{"group": "g" * 150, "quorum": 3, "stage": 1}, {"group": "dba", "quorum": 9, "stage": 1}],
        risk_parts=[{"points": 60, "reason": long}, {"points": 70, "reason": long}],
    )  # fmt: skip
    services.review(request.pk, cast.principal(cast.rita), "approve", long, revision=2)
    desk.set_viewport_size({"width": width, "height": 780})
    pages = [f"/requests/{request.pk}/"]
    assert {page: over for page in pages if (over := sticking_out(desk, page))} == {}


def test_the_page_works_without_script(nobody_works: None, desk: Page, park: Park) -> None:
    request = park(OPEN_ORDERS)
    page = without_script(desk)
    page.goto(f"/requests/{request.pk}/")
    page.get_by_text("Bound it").click()
    page.get_by_label("Most rows it may change").fill("15")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("Approved. A worker runs it now")).to_be_visible()
    page.context.close()
    assert Review.objects.get().row_bound == 15
