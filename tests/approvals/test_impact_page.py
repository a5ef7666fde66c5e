"""The impact on the request's page and over REST, and measured by a worker."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals.impact.showing import impact_json
from approvals.models import Impact, Request
from gateway import impact
from gateway.api.outputs import request_detail
from identity.models import User
from tests.factories import Cast
from tests.fixtures.servers import Server
from tests.web.conftest import Park, SignIn
from tests.web.conftest import park as park
from tests.web.conftest import root as root
from tests.web.conftest import sign_in as sign_in
from tests.web.test_browser import desk as desk

CANCEL = "UPDATE orders SET status = 'cancelled', total = 0 WHERE status = 'open'"
STEERED = "DELETE FROM customers WHERE id > 0 AND email LIKE 'person1%'"


def page_of(sign_in: SignIn, user: User, request: Request) -> str:
    return sign_in(user).get(f"/requests/{request.pk}/").content.decode()


def test_a_reviewer_reads_what_it_would_do_first(nobody_works: None, cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park(CANCEL)
    impact.measure(request.pk)
    page = page_of(sign_in, cast.rita, request)
    assert "Changes 15 of 60 rows of public.orders (25 %)." in page
    assert "<del>open</del>" in page
    assert "<ins>cancelled</ins>" in page
    assert "at most 17 rows" in page


def test_until_it_is_measured_the_page_says_so(nobody_works: None, cast: Cast, park: Park, sign_in: SignIn) -> None:
    assert "It is being measured" in page_of(sign_in, cast.rita, park(CANCEL))


def test_why_it_was_not_measured_is_told(
    nobody_works: None, cast: Cast, park: Park, sign_in: SignIn, settings: Any
) -> None:
    settings.DRY_RUNS = False
    request = park(CANCEL)
    impact.measure(request.pk)
    assert "trial runs are switched off here" in page_of(sign_in, cast.rita, request)


def test_p2_whoever_asked_finds_nothing_of_it_where_masked_values_steer_it(
    nobody_works: None, cast: Cast, park: Park, sign_in: SignIn
) -> None:
    request = park(STEERED)
    impact.measure(request.pk)
    page = page_of(sign_in, cast.alice, request)
    assert "Would fail" not in page
    assert "tried out" not in page
    assert "impact-sentence" in page_of(sign_in, cast.rita, request)


def test_rest_gives_the_impact_to_those_who_may_see_it(nobody_works: None, cast: Cast, park: Park) -> None:
    request = park(CANCEL)
    impact.measure(request.pk)
    request.refresh_from_db()
    found = request_detail(request, cast.principal(cast.rita))["impact"]
    assert (found["state"], found["rows"], found["row_bound"]) == ("measured", 15, 17)
    assert found["changes"][0]["updated"] == 15
    assert impact_json(request, cast.principal(cast.mallory)) is None


def test_p2_rest_gives_neither_impact_nor_bound_where_masked_values_steer_it(
    nobody_works: None, cast: Cast, park: Park
) -> None:
    request = park("UPDATE customers SET plan = 'x' WHERE id > 0 AND email LIKE 'person1%'")
    impact.measure(request.pk)
    request.refresh_from_db()
    assert request.row_bound is not None
    found = request_detail(request, cast.principal(cast.alice))
    assert (found["impact"], found["row_bound"]) == (None, None)


def test_a_worker_measures_what_is_parked(cast: Cast, park: Park, celery_worker: Server) -> None:
    request = park(CANCEL)
    deadline = time.monotonic() + 30
    while not Impact.objects.filter(request=request, state=Impact.State.MEASURED, rows=15).exists():
        assert time.monotonic() < deadline, celery_worker.output()
        time.sleep(0.05)


# --- In the browser -----------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_the_page_shows_the_impact_once_it_is_measured(nobody_works: None, desk: Page, park: Park) -> None:
    request = park(CANCEL)
    desk.goto(f"/requests/{request.pk}/")
    expect(desk.locator("#request-impact")).to_contain_text("It is being measured")
    impact.measure(request.pk)
    expect(desk.locator("#request-impact")).to_contain_text("Changes 15 of 60 rows of public.orders (25 %).")


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_the_impact_fits_a_telephone_and_a_desk(nobody_works: None, desk: Page, park: Park, width: int) -> None:
    request = park(f"UPDATE orders SET status = '{'x' * 190}' WHERE status = 'open'")
    impact.measure(request.pk)
    desk.set_viewport_size({"width": width, "height": 800})
    desk.goto(f"/requests/{request.pk}/")
    expect(desk.locator(".impact-sentence")).to_be_visible()
    assert desk.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
