"""The dashboard as the server sends it; tests/web/test_browser.py sees it live."""

from __future__ import annotations

import pytest

from audit.models import Entry
from tests.factories import Cast
from tests.web.conftest import Park, Run, SignIn


def test_the_feed_starts_with_the_latest_entries(cast: Cast, run: Run, sign_in: SignIn) -> None:
    run()
    client = sign_in(cast.rita)
    newest = Entry.objects.latest("index").index
    text = client.get("/").text
    assert f'data-after="{newest}"' in text
    assert f'data-index="{newest}"' in text


def test_what_waits_for_the_viewer_is_told_from_what_waits_for_others(cast: Cast, park: Park, sign_in: SignIn) -> None:
    park()
    assert "for you" in sign_in(cast.rita).get("/").text
    alice = sign_in(cast.alice).get("/").text
    assert "DELETE FROM orders" in alice
    assert "for you</span>" not in alice


@pytest.mark.parametrize("span", ["hour", "day", "century"])
def test_verdicts_are_counted_in_a_chart_and_a_table(
    cast: Cast, park: Park, run: Run, sign_in: SignIn, span: str
) -> None:
    park()
    run()
    text = sign_in(cast.rita).get(f"/?span={span}").text
    assert "1 allowed, 1 for review, 0 denied in the last" in text
    assert "The same as a table" in text


def test_an_installation_without_statements_says_what_will_come(cast: Cast, sign_in: SignIn) -> None:
    text = sign_in(cast.rita).get("/").text
    assert "Nothing waits" in text
    assert "No statements in the last 60 minutes." in text


@pytest.mark.parametrize("part", ["chart", "waiting", "numbers"])
def test_a_part_that_refreshes_itself_gets_that_part_only(cast: Cast, sign_in: SignIn, part: str) -> None:
    text = sign_in(cast.rita).get("/", headers={"HX-Request": "true", "HX-Target": part}).text
    assert f'id="{part}"' in text
    assert "<html" not in text
    assert 'id="feed"' not in text
