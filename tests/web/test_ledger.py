"""The pages of the ledger."""

from __future__ import annotations

import pytest

from audit.models import Entry
from audit.web.entry_pages import PAGE_SIZE
from identity.models import User
from tests.factories import Cast
from tests.web.conftest import Park, Run, SignIn


def entry_of(kind: str) -> Entry:
    return Entry.objects.filter(kind=kind).latest("index")


def test_entries_are_listed_newest_first(cast: Cast, run: Run, sign_in: SignIn) -> None:
    run()
    text = sign_in(cast.rita).get("/ledger/").text
    intent, outcome = (entry_of(f"statement.{kind}").index for kind in ("intent", "outcome"))
    assert text.index(f"/ledger/{outcome}/") < text.index(f"/ledger/{intent}/")


@pytest.mark.parametrize(
    "wanted",
    ["principal=agent:analyst-bot", "datasource=shop", "relation=public.orders", "verdict=review",
     "kind=statement.parked", "text=DELETE", "since=2020-01-01T00:00:00", "until=2999-01-01T00:00:00"],
)  # fmt: skip
def test_each_filter_finds_the_entry(cast: Cast, park: Park, sign_in: SignIn, wanted: str) -> None:
    park()
    assert f"/ledger/{entry_of('statement.parked').index}/" in sign_in(cast.rita).get(f"/ledger/?{wanted}").text


def test_a_filter_that_matches_nothing_says_so(cast: Cast, sign_in: SignIn) -> None:
    assert "No entry matches" in sign_in(cast.rita).get("/ledger/?principal=user:nobody").text


@pytest.mark.parametrize("wrong", ["kind=nothing", "since=yesterday-ish", "query=12", "verdict=perhaps"])
def test_a_filter_that_makes_no_sense_is_refused(cast: Cast, sign_in: SignIn, wrong: str) -> None:
    assert sign_in(cast.rita).get(f"/ledger/?{wrong}").status_code == 400


def test_pages_follow_each_other_by_index(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.rita)
    for _ in range(PAGE_SIZE):
        client.force_login(cast.rita)
    newest = Entry.objects.latest("index").index
    assert f'href="?before={newest - PAGE_SIZE + 1}"' in client.get("/ledger/").text
    assert f"/ledger/{newest - PAGE_SIZE}/" in client.get(f"/ledger/?before={newest - PAGE_SIZE + 1}").text


@pytest.mark.parametrize("odd", ["before=x", "after=-1", "before=99999999999999999999999", "after=٣"])
def test_an_odd_place_to_start_from_is_no_error(cast: Cast, sign_in: SignIn, odd: str) -> None:
    assert sign_in(cast.rita).get(f"/ledger/?{odd}").status_code == 200


def test_an_entry_shows_header_leaf_and_story(cast: Cast, run: Run, sign_in: SignIn) -> None:
    run()
    entry = entry_of("statement.outcome")
    text = sign_in(cast.rita).get(f"/ledger/{entry.index}/").text
    assert bytes(entry.leaf).hex() in text
    assert "&quot;kind&quot;: &quot;statement.outcome&quot;" in text
    assert "Statement about to run" in text


def test_the_story_of_an_approval_spans_request_and_query(cast: Cast, park: Park, sign_in: SignIn) -> None:
    park()
    text = sign_in(cast.rita).get(f"/ledger/{entry_of('request.created').index}/").text
    assert "Request created" in text
    assert "Statement parked for review" in text


def test_payloads_are_for_auditors_and_administrators(cast: Cast, root: User, run: Run, sign_in: SignIn) -> None:
    run("SELECT id FROM customers WHERE email = 'person7@example.com'")
    page = f"/ledger/{entry_of('statement.intent').index}/"
    shown = {
        who.username: "person7@example.com" in sign_in(who).get(page).text
        for who in (cast.olaf, root, cast.rita, cast.alice)
    }
    assert shown == {"olaf": True, "root": True, "rita": False, "alice": False}
