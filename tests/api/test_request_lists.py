"""`GET requests`: filters, order and pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import Request
from tests.api.conftest import Caller
from tests.factories import Cast


@pytest.fixture
def rita(call: Any, cast: Cast) -> Caller:
    caller: Caller = call(cast.rita)
    return caller


def parked(bot: Caller, number: int = 1, **more: Any) -> list[str]:
    return [bot.submit("DELETE FROM orders", **more).json()["request"]["id"] for _ in range(number)]


def found(caller: Caller, asked: str) -> list[str]:
    return [one["id"] for one in caller.get(f"requests?{asked}").json()["results"]]


def test_filters_let_through_what_they_say(bot: Caller, rita: Caller) -> None:
    ids = parked(bot, purpose="ticket 4711")
    through = ("which=mine", "state=pending", "state=open", "datasource=shop", "environment=prod", "group=dba", "risk_min=30",
               "principal=agent:analyst-bot", "kind=statement", "text=4711", "since=2026-01-01T00:00:00Z")  # fmt: skip
    held = ("which=asked", "which=decided", "state=ended", "datasource=x", "environment=dev", "group=x", "risk_min=100",
            "principal=user:analyst-bot", "kind=elevation", "text=4712", "until=2026-01-01T00:00:00Z")  # fmt: skip
    assert {asked: found(rita, asked) for asked in through} == dict.fromkeys(through, ids)
    assert {asked: found(rita, asked) for asked in held} == {asked: [] for asked in held}


@pytest.mark.parametrize(
    "asked",
    ["status=pending", "state=x", "state=open&state=ended", "sort=x", "after=x", "risk_min=x", "since=yesterday", "limit=0",
     "since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z", "text=%00", "principal=" + "x" * 200],
)  # fmt: skip
def test_what_is_not_understood_is_told(rita: Caller, asked: str) -> None:
    response = rita.get(f"requests?{asked}")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")


def test_pages_by_key_show_each_once(bot: Caller, rita: Caller) -> None:
    ids = parked(bot, 5)
    for sort in ("newest", "expires", "risk"):
        pages: list[list[str]] = []
        after = ""
        while len(pages) < 4:
            page = rita.get(
                f"requests?limit=2&sort={sort}&after={after}" if after else f"requests?limit=2&sort={sort}"
            ).json()
            pages.append([one["id"] for one in page["results"]])
            after = page["next"]
            if not after:
                break
        assert [len(page) for page in pages] == [2, 2, 1]
        assert sorted(one for page in pages for one in page) == sorted(ids)


def test_pages_by_offset_still_lead_on(bot: Caller, rita: Caller) -> None:
    ids = parked(bot, 3)
    first = rita.get("requests?limit=2").json()
    rest = rita.get(f"requests?limit=2&offset={first['next_offset']}").json()
    assert [one["id"] for one in first["results"] + rest["results"]] == ids[::-1]
    assert (rest["next"], rest["next_offset"]) == (None, None)


def test_a_long_list_asks_the_database_as_often_as_a_short_one(bot: Caller, rita: Caller) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            rita.get("requests?which=mine&limit=200")
        return len(queries)

    parked(bot)
    one = asked()
    parked(bot, 4)
    assert asked() <= one
    Request.objects.update(expires_at=Request.objects.earliest("created_at").created_at - timedelta(seconds=1))
    assert found(rita, "which=mine") == []
