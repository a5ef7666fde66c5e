"""The inbox: tabs, filters, order, pages, and what a row tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from approvals import services
from approvals.models import Impact, Request, Review
from approvals.web.inbox_pages import PAGE_SIZE
from tests.factories import Cast, make_user
from tests.web.conftest import Park, SignIn


def link(request: Request) -> str:
    return f'href="{reverse("request-detail", args=[request.pk])}"'


def listed(client: Client, **asked: Any) -> list[str]:
    """The ids of the rows, in their order."""
    text = client.get(f"/requests/?{urlencode(asked)}").text
    return [part.partition('"')[0] for part in text.split('id="row-')[1:]]


def copies(request: Request, number: int, **columns: Any) -> list[Request]:
    """As many more, each asked a second later and expiring a second earlier."""
    made = []
    for step in range(1, number + 1):
        copy = Request.objects.get(pk=request.pk)
        copy.pk = None
        copy._state.adding = True
        copy.expires_at = request.expires_at - timedelta(seconds=step)
        for name, value in columns.items():
            setattr(copy, name, value)
        copy.save()
        Request.objects.filter(pk=copy.pk).update(created_at=request.created_at + timedelta(seconds=step))
        made.append(copy)
    return made


def test_a_row_tells_what_is_asked_by_whom_for_whom_and_why(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park(purpose="after ticket 4711")
    Request.objects.filter(pk=request.pk).update(on_behalf_of="margarita")
    text = sign_in(cast.rita).get("/requests/").text
    for told in (
        "Delete on public.orders",
        "analyst-bot",
        "of alice",
        "margarita",
        "after ticket 4711",
        "shop",
        "production",
    ):
        assert told in text
    assert "<strong>0 of 1</strong> approved" in text
    assert "needs 1 of dba" in text


def test_a_row_tells_how_many_approved_and_which_stage_it_is(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    required = [{"group": "dba", "quorum": 2, "stage": 1}, {"group": "security", "quorum": 1, "stage": 2}]
    Request.objects.filter(pk=request.pk).update(required=required)
    services.review(request.pk, cast.principal(cast.dora), "approve", "")
    text = sign_in(cast.rita).get("/requests/").text
    assert "<strong>1 of 3</strong> approved" in text
    assert "needs 1 of dba, stage 1 of 2" in text


@pytest.mark.parametrize(
    ("columns", "mark"),
    [
        ({"terms": {"step_up": 600}}, "Second factor"),
        ({"kind": "elevation", "asked": {"group": "dba", "seconds": 7200}}, "Membership of dba for 2 h on shop"),
        ({"kind": "afterwards"}, "Look back at broken glass on shop"),
    ],
)
def test_a_row_is_marked_by_what_is_special_about_it(
    cast: Cast, park: Park, sign_in: SignIn, columns: dict[str, Any], mark: str
) -> None:
    Request.objects.filter(pk=park().pk).update(**columns)
    assert mark in sign_in(cast.rita).get("/requests/").text


def test_what_follows_a_drift_or_takes_something_back_is_marked(cast: Cast, park: Park, sign_in: SignIn) -> None:
    first, second = park(), park()
    Request.objects.filter(pk=second.pk).update(follows=first, reverts=first)
    text = sign_in(cast.rita).get("/requests/").text
    assert "Asked again" in text
    assert "Takes back" in text


def test_an_edit_since_the_own_review_is_marked(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    Review.objects.create(request=request, reviewer=cast.rita, verdict="approve")
    Request.objects.filter(pk=request.pk).update(revision=2)
    assert "Edited since you reviewed" in sign_in(cast.rita).get("/requests/").text
    assert "Edited since you reviewed" not in sign_in(cast.dora).get("/requests/").text


def test_a_row_tells_the_impact_in_brief(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    Impact.objects.update_or_create(request=request, defaults={"state": "measured", "rows": 15, "table_rows": 60})
    assert "15 of 60 rows" in sign_in(cast.rita).get("/requests/").text


def test_p2_the_impact_is_not_told_to_whom_it_would_tell_of_masked_values(
    cast: Cast, park: Park, sign_in: SignIn
) -> None:
    request = park("UPDATE customers SET city = 'x' WHERE email LIKE 'a%'")
    Impact.objects.update_or_create(request=request, defaults={"state": "measured", "rows": 15, "table_rows": 60})
    assert "15 of 60 rows" in sign_in(cast.rita).get("/requests/").text
    assert "15 of 60 rows" not in sign_in(cast.alice).get("/requests/").text


# --- Tabs and filters ---------------------------------------------------------------------------------------------


def test_the_tabs_tell_apart_whose_turn_it_is(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = str(park().pk)
    shown = {
        (who.username, tab): request in listed(sign_in(who), show=tab)
        for who in (cast.alice, cast.rita, cast.olaf, cast.mallory)
        for tab in ("mine", "asked", "all")
    }
    assert {key for key, is_shown in shown.items() if is_shown} == {
        ("alice", "asked"), ("alice", "all"), ("rita", "mine"), ("rita", "all"), ("olaf", "all"),
    }  # fmt: skip


def test_the_inbox_opens_with_what_waits_then_with_what_was_asked(cast: Cast, park: Park, sign_in: SignIn) -> None:
    park()
    opened = {who.username: sign_in(who).get("/requests/").text for who in (cast.rita, cast.alice, cast.olaf)}
    shown = {who: text.split('aria-current="true">')[1].partition("<")[0] for who, text in opened.items()}
    assert shown == {"rita": "For you", "alice": "Asked by me", "olaf": "All"}


def test_menu_dashboard_and_inbox_count_alike(cast: Cast, park: Park, sign_in: SignIn) -> None:
    copies(park(), 2)
    client = sign_in(cast.rita)
    inbox, dashboard = client.get("/requests/?show=all").text, client.get("/").text
    menu = 'title="waiting for your review">3<'
    assert menu in inbox
    assert menu in dashboard
    assert 'For you<span class="count">3<' in inbox
    assert '<span class="count">3<span class="visually-hidden"> for you' in dashboard


FILTERS: list[tuple[dict[str, str], bool]] = [
    ({"state": "pending"}, True),
    ({"state": "open"}, True),
    ({"state": "ended"}, False),
    ({"state": "executed"}, False),
    ({"datasource": "shop"}, True),
    ({"datasource": "elsewhere"}, False),
    ({"environment": "prod"}, True),
    ({"environment": "dev"}, False),
    ({"principal": "agent:analyst-bot"}, True),
    ({"principal": "analyst-bot"}, True),
    ({"principal": "user:analyst-bot"}, False),
    ({"group": "dba"}, True),
    ({"group": "db"}, False),
    ({"kind": "statement"}, True),
    ({"kind": "elevation"}, False),
    ({"text": "from ORDERS"}, True),
    ({"text": "clean"}, True),
    ({"text": "100%"}, False),
    ({"risk_min": "1"}, True),
    ({"risk_min": "100"}, False),
    ({"since": "2000-01-01T00:00:00"}, True),
    ({"since": "2999-01-01T00:00:00"}, False),
    ({"until": "2999-01-01T00:00:00"}, True),
    ({"until": "2000-01-01T00:00:00"}, False),
]


def test_each_filter_lets_through_what_it_says(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = str(park().pk), sign_in(cast.rita)
    told = [(asked, request in listed(client, show="all", **asked)) for asked, _ in FILTERS]
    assert told == FILTERS


def test_each_filter_is_shown_as_a_chip_that_takes_it_away(cast: Cast, park: Park, sign_in: SignIn) -> None:
    park()
    text = sign_in(cast.rita).get("/requests/?show=all&datasource=shop&risk_min=10&state=pending&sort=risk").text
    chips = text.partition('class="chips"')[2].partition("</ul>")[0]
    for told in ("Data source", "shop", "Risk at least", "Waiting"):
        assert told in chips
    assert "?show=all&amp;state=pending&amp;risk_min=10&amp;sort=risk" in chips


def test_the_other_tabs_keep_the_filters(cast: Cast, park: Park, sign_in: SignIn) -> None:
    park()
    text = sign_in(cast.rita).get("/requests/?show=all&datasource=shop&state=pending").text
    assert "?show=mine&amp;datasource=shop" in text


def test_a_filter_that_cannot_be_read_says_so(cast: Cast, park: Park, sign_in: SignIn) -> None:
    park()
    client = sign_in(cast.rita)
    for asked, told in (
        ("since=yesterday", "Enter a valid date"),
        ("since=2026-02-01T00:00:00&until=2026-01-01T00:00:00", "Must be later than the beginning"),
        ("kind=x", "Select a valid choice"),
        ("text=%00", "Null characters"),
        ("datasource=%00", ""),
        ("risk_min=9999999999", "less than or equal to 100"),
    ):
        response = client.get(f"/requests/?show=all&{asked}")
        assert (response.status_code, told in response.text) == (200, True), asked


def test_former_addresses_still_show_what_they_did(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(), sign_in(cast.rita)
    assert listed(client, show="waiting") == [str(request.pk)]
    services.review(request.pk, cast.principal(cast.dora), "reject", "no")
    assert (listed(client, show="waiting"), listed(client, show="decided")) == ([], [str(request.pk)])


# --- Order and pages ----------------------------------------------------------------------------------------------


def test_orders(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(), sign_in(cast.rita)
    middle, last = copies(request, 2)
    Request.objects.filter(pk=middle.pk).update(risk=99)
    ids = [str(one.pk) for one in (request, middle, last)]
    assert listed(client, show="mine") == [ids[2], ids[1], ids[0]]
    assert listed(client, show="all") == [ids[2], ids[1], ids[0]]
    assert listed(client, show="all", sort="risk") == [ids[1], ids[2], ids[0]]
    assert listed(client, show="all", sort="expires") == [ids[2], ids[1], ids[0]]


def next_of(client: Client, address: str, rel: str = "next") -> str:
    text = client.get(address).text
    return "/requests/" + text.partition(f'rel="{rel}" href="')[2].partition('"')[0].replace("&amp;", "&")


@pytest.mark.parametrize("sort", ["expires", "risk", "newest"])
def test_pages_show_each_once_forth_and_back(cast: Cast, park: Park, sign_in: SignIn, sort: str) -> None:
    """Many have the same risk, and some the same moment: the id tells them apart."""
    request, client = park(), sign_in(cast.rita)
    copies(request, 2 * PAGE_SIZE + 5)
    Request.objects.update(expires_at=request.expires_at, created_at=request.created_at)
    first = f"/requests/?show=mine&sort={sort}"
    second = next_of(client, first)
    third = next_of(client, second)
    pages = [listed_at(client, address) for address in (first, second, third)]
    assert [len(page) for page in pages] == [PAGE_SIZE, PAGE_SIZE, 6]
    assert len({one for page in pages for one in page}) == 2 * PAGE_SIZE + 6
    assert listed_at(client, next_of(client, third, "prev")) == pages[1]
    assert listed_at(client, next_of(client, second, "prev")) == pages[0]


def listed_at(client: Client, address: str) -> list[str]:
    return [part.partition('"')[0] for part in client.get(address).text.split('id="row-')[1:]]


def test_what_comes_meanwhile_neither_repeats_nor_hides(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(), sign_in(cast.rita)
    copies(request, PAGE_SIZE)
    address = "/requests/?show=all"
    first, following = listed_at(client, address), next_of(client, address)
    newer = park()
    Request.objects.filter(pk=newer.pk).update(created_at=request.created_at + timedelta(days=1))
    assert listed_at(client, following) == [str(request.pk)]
    assert str(newer.pk) not in first


def test_a_cursor_that_is_none_shows_the_first_page(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = str(park().pk), sign_in(cast.rita)
    for cursor in ("x", "~", "2026-01-01~x", "9" * 200, "\x00", f"2026-01-01T00:00:00~{request}", f"{10**30}~x~y"):
        assert listed(client, show="all", after=cursor) == [request]
        assert listed(client, show="all", sort="risk", before=cursor) == [request]


# --- Cost ---------------------------------------------------------------------------------------------------------

QUERIES = 40


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


@pytest.mark.parametrize("show", ["mine", "asked", "all"])
def test_a_full_page_asks_the_database_as_often_as_one_row(cast: Cast, park: Park, sign_in: SignIn, show: str) -> None:
    who = cast.alice if show == "asked" else cast.rita
    request, client = park(), sign_in(who)
    Request.objects.filter(pk=request.pk).update(on_behalf_of="margarita", required=[{"group": "dba", "quorum": 3}])
    Review.objects.create(request=request, reviewer=cast.dora, verdict="approve")
    Impact.objects.update_or_create(request=request, defaults={"state": "measured", "rows": 1})
    one = queries_of(client, f"/requests/?show={show}")
    for copy in copies(Request.objects.get(pk=request.pk), PAGE_SIZE + 5):
        reviewer = make_user(f"reviewer-{copy.pk}", "dba")
        Review.objects.create(request=copy, reviewer=reviewer, verdict="approve")
        Impact.objects.create(request=copy, state="measured", rows=1)
    assert queries_of(client, f"/requests/?show={show}") == one
    assert one <= QUERIES


def test_an_open_page_that_has_no_news_costs_little(cast: Cast, park: Park, sign_in: SignIn, frozen: None) -> None:
    park()
    client = sign_in(cast.rita)
    page = client.get("/requests/").text
    with CaptureQueriesContext(connection) as queries:
        assert follow(client, page) == ""
    assert len(queries) <= 5


# --- Following what happens ---------------------------------------------------------------------------------------


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands still for what is asked again now and then."""
    monkeypatch.setattr("approvals.web.inbox_live.time.time", lambda: 1_000_000.0)


def poll_of(text: str) -> tuple[str, list[str]]:
    """The address that the page asks, and the marks of the rows that it sends along."""
    address = text.partition('hx-get="/requests/live/')[2].partition('"')[0].replace("&amp;", "&")
    rows = [part.partition('"')[0] for part in text.split('name="row" value="')[1:]]
    return f"/requests/live/{address}", rows


def follow(client: Client, text: str) -> str:
    poll, rows = poll_of(text)
    return client.get(f"{poll}&{urlencode({'row': rows}, doseq=True)}").text


def test_nothing_is_sent_while_nothing_changed(cast: Cast, park: Park, sign_in: SignIn, frozen: None) -> None:
    park()
    client = sign_in(cast.rita)
    assert follow(client, client.get("/requests/").text) == ""


def test_a_row_that_changed_comes_alone_and_to_its_place(cast: Cast, park: Park, sign_in: SignIn, frozen: None) -> None:
    request, other = park(), park()
    Request.objects.filter(pk=request.pk).update(required=[{"group": "dba", "quorum": 2}])
    client = sign_in(cast.rita)
    page = client.get("/requests/").text
    services.review(request.pk, cast.principal(cast.dora), "approve", "")
    text = follow(client, page)
    assert f'id="row-{request.pk}" hx-swap-oob="true"' in text
    assert "<strong>1 of 2</strong>" in text
    assert str(other.pk) not in text


def test_what_somebody_else_decided_stays_in_place_and_says_so(
    cast: Cast, park: Park, sign_in: SignIn, frozen: None
) -> None:
    request, client = park(), sign_in(cast.rita)
    page = client.get("/requests/").text
    services.review(request.pk, cast.principal(cast.dora), "reject", "no")
    text = follow(client, page)
    assert "inbox-gone" in text
    assert "Rejected" in text
    assert "No longer in this list" in text
    assert 'type="checkbox"' not in text


def test_news_are_told_and_not_pushed_in(cast: Cast, park: Park, sign_in: SignIn, frozen: None) -> None:
    park()
    client = sign_in(cast.rita)
    page = client.get("/requests/").text
    newer = park()
    text = follow(client, page)
    assert "1 new: show it" in text
    assert str(newer.pk) not in text
    assert 'id="nav-waiting" class="count" title="waiting for your review" hx-swap-oob="true">2<' in text


def test_news_beyond_the_rows_of_the_page_are_not_news_of_the_page(
    cast: Cast, park: Park, sign_in: SignIn, frozen: None
) -> None:
    request, client = park(), sign_in(cast.rita)
    copies(request, PAGE_SIZE)
    page = client.get("/requests/?show=mine").text
    later = park()
    Request.objects.filter(pk=later.pk).update(expires_at=timezone.now() + timedelta(days=9))
    text = follow(client, page)
    assert "new: show" not in text
    assert f'>{PAGE_SIZE + 2}<span class="visually-hidden"> waiting' in text


def test_rows_that_the_viewer_may_not_see_are_not_sent(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    text = sign_in(cast.mallory).get(f"/requests/live/?show=all&row={request.pk}:x&row=nonsense&row=").text
    assert str(request.pk) not in text
