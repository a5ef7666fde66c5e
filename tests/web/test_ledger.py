"""The pages of the ledger."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from audit.ledger import LedgerUnavailable, append
from audit.merkle import leaf_hash, verify_inclusion
from audit.models import Entry, SavedSearch
from audit.retention.archive_files import ArchiveUnavailable
from audit.search import SearchTooBroad
from audit.transparency.tiles import LogDamaged
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


@pytest.mark.parametrize(
    "bound", ["since=0001-01-01T00:00:00", "since=1969-12-31T23:59:59", "until=9999-12-31T23:59:59"]
)
def test_the_farthest_times_that_can_be_written_are_searched(
    cast: Cast, park: Park, sign_in: SignIn, bound: str
) -> None:
    park()
    assert sign_in(cast.rita).get(f"/ledger/?{bound}").status_code == 200


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
    people = (cast.olaf, root, cast.rita, cast.alice)
    shown = {who.username: "person7@example.com" in sign_in(who).post(f"{page}payload/").text for who in people}
    assert shown == {"olaf": True, "root": True, "rita": False, "alice": False}
    assert all("person7@example.com" not in sign_in(who).get(page).text for who in people)


def looks() -> list[tuple[str, int]]:
    found = Entry.objects.filter(kind="payload.read").order_by("index")
    return [(entry.fields["actor"], entry.fields["entry"]) for entry in found]


def test_opening_a_payload_is_recorded_once_for_each_person_and_entry(
    cast: Cast, root: User, run: Run, sign_in: SignIn
) -> None:
    run()
    index = entry_of("statement.intent").index
    for who in (cast.olaf, cast.olaf, root, cast.rita):
        sign_in(who).post(f"/ledger/{index}/payload/")
    assert looks() == [("user:olaf", index), ("user:root", index)]


def test_a_payload_stays_closed_when_its_opening_cannot_be_recorded(
    cast: Cast, run: Run, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("SELECT id FROM customers WHERE email = 'person7@example.com'")

    def fail(*_arguments: object, **_fields: object) -> None:
        raise LedgerUnavailable("no")

    client = sign_in(cast.olaf)
    monkeypatch.setattr("audit.web.one_entry.ledger.append", fail)
    answer = client.post(f"/ledger/{entry_of('statement.intent').index}/payload/")
    assert answer.status_code == 503
    assert "could not be recorded" in answer.text
    assert "person7@example.com" not in answer.text


def test_an_entry_shows_a_proof_that_holds(cast: Cast, run: Run, sign_in: SignIn) -> None:
    run()
    entry = entry_of("statement.outcome")
    client = sign_in(cast.rita)
    answer = client.get(f"/ledger/{entry.index}/proof.json")
    proof = answer.json()
    assert leaf_hash(proof["header"].encode()).hex() == proof["leaf"]
    hashes = [bytes.fromhex(one) for one in proof["proof"]]
    leaf, root = bytes.fromhex(proof["leaf"]), bytes.fromhex(proof["root"])
    assert verify_inclusion(leaf, entry.index, proof["size"], hashes, root)
    text = client.get(f"/ledger/{entry.index}/").text
    assert proof["root"] in text
    assert proof["checkpoint"].splitlines()[0] in text


def test_an_entry_that_cannot_be_proved_says_why(cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(cast.rita)

    def fail(_index: int) -> None:
        raise LogDamaged("the tiles contradict each other")

    monkeypatch.setattr("audit.web.one_entry.serving.signed_inclusion", fail)
    assert "the tiles contradict each other" in client.get("/ledger/0/").text
    assert client.get("/ledger/0/proof.json").status_code == 503


def test_the_story_tells_who_approved_and_what_came_out(cast: Cast, run: Run, sign_in: SignIn) -> None:
    run()
    text = sign_in(cast.rita).get(f"/ledger/{entry_of('statement.outcome').index}/").text
    assert "2 columns" in text
    assert "email" in text
    assert "decided by" in text


@pytest.mark.parametrize(
    "wanted",
    ["on_behalf_of=user:eve", "class=email", "policy=no-drops", "status=failed", "actor=user:root", "risk_min=60",
     "verdict=allow&verdict=deny", "principal=agent:nobody,+agent:z", "kind=statement.denied&kind=signin.failed"],
)  # fmt: skip
def test_each_further_filter_finds_the_entry(cast: Cast, sign_in: SignIn, wanted: str) -> None:
    fields = {"on_behalf_of": "user:eve", "classes": ["email"], "policies": ["no-drops"], "status": "failed"}
    index = append("statement.denied", principal="agent:z", actor="user:root", risk=70, verdict="deny", **fields).index  # type: ignore[arg-type]
    text = sign_in(cast.rita).get(f"/ledger/?{wanted}").text
    assert f'href="/ledger/{index}/"' in text


def test_active_filters_can_be_taken_away_one_by_one(cast: Cast, park: Park, sign_in: SignIn) -> None:
    park()
    text = sign_in(cast.rita).get("/ledger/?verdict=review&datasource=shop&verdict=deny").text
    assert 'href="?datasource=shop&amp;verdict=deny"' in text
    assert 'href="?verdict=review&amp;verdict=deny"' in text


def test_facets_count_and_narrow(cast: Cast, run: Run, park: Park, sign_in: SignIn) -> None:
    run()
    park()
    text = sign_in(cast.rita).get("/ledger/?datasource=shop").text
    assert 'href="?datasource=shop&amp;verdict=review"' in text
    assert 'href="?datasource=shop&amp;relation=public.customers"' in text
    assert 'href="?datasource=shop&amp;class=email"' in text


def test_bars_lead_to_their_time(cast: Cast, run: Run, sign_in: SignIn) -> None:
    run()
    client = sign_in(cast.rita)
    text = client.get("/ledger/?datasource=shop").text
    bar = unescape(re.findall(r'<a href="(\?[^"]+since[^"]+)" aria-label', text)[-1])
    assert "datasource=shop" in bar
    assert f'href="/ledger/{entry_of("statement.outcome").index}/"' in client.get(f"/ledger/{bar}").text


def test_a_span_of_time_is_kept_relative(cast: Cast, run: Run, sign_in: SignIn) -> None:
    run()
    text = sign_in(cast.rita).get("/ledger/?within=1h&kind=statement.intent").text
    assert f'href="/ledger/{entry_of("statement.intent").index}/"' in text
    assert 'href="?kind=statement.intent&amp;within=24h"' in text


def test_what_cannot_be_found_yet_is_told(cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.search.finding.catch_up", lambda: 1234)
    assert "The 1,234 newest entries" in sign_in(cast.rita).get("/ledger/").text


def test_a_search_that_reads_for_too_long_says_how_to_narrow_it(
    cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise SearchTooBroad("Give a time range.")

    monkeypatch.setattr("audit.search.find_entries", fail)
    assert "Give a time range." in sign_in(cast.rita).get("/ledger/?text=x").text


def test_auditors_are_led_from_a_search_to_its_export(cast: Cast, sign_in: SignIn) -> None:
    address = 'href="/ledger/exports/new?verdict=deny"'
    shown = {who.username: address in sign_in(who).get("/ledger/?verdict=deny").text for who in (cast.olaf, cast.rita)}
    assert shown == {"olaf": True, "rita": False}


# --- Saved searches -----------------------------------------------------------------------------------------------


def save(client: Client, name: str, query: str = "verdict=deny", **more: str) -> str:
    return client.post("/ledger/searches/save/", {"name": name, "query": query, **more}, follow=True).text


def test_a_search_is_saved_and_leads_back_to_what_it_finds(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.rita)
    save(client, "Denials", "verdict=deny&colour=red&before=7")
    assert SavedSearch.objects.get().query == "verdict=deny"
    assert 'href="/ledger/?verdict=deny"' in client.get("/ledger/").text


def test_a_private_search_is_its_owner_s_alone_and_a_shared_one_everybody_s(cast: Cast, sign_in: SignIn) -> None:
    rita = sign_in(cast.rita)
    save(rita, "Private denials")
    save(rita, "Shared denials", is_shared="on")
    text = sign_in(cast.olaf).get("/ledger/searches/").text
    assert "Shared denials" in text
    assert "Private denials" not in text


def test_only_the_owner_changes_and_deletes_a_search(cast: Cast, sign_in: SignIn) -> None:
    rita, olaf = sign_in(cast.rita), sign_in(cast.olaf)
    save(rita, "Denials", is_shared="on")
    address = f"/ledger/searches/{SavedSearch.objects.get().pk}/"
    assert olaf.post(address, {"name": "Mine"}).status_code == 404
    assert olaf.post(address, {"delete": "1"}).status_code == 404
    rita.post(address, {"name": "All denials"})
    saved = SavedSearch.objects.get()
    assert (saved.name, saved.is_shared) == ("All denials", False)
    rita.post(address, {"delete": "1"})
    assert not SavedSearch.objects.exists()


@pytest.mark.parametrize(
    ("name", "query", "told"),
    [("Denials", "verdict=deny", "already"), ("", "verdict=deny", "name"), ("Other", "colour=red", "filter first"),
     ("Other", "verdict=perhaps", "filter first"), ("x" * 81, "verdict=deny", "name")],
)  # fmt: skip
def test_a_search_that_cannot_be_saved_says_why(cast: Cast, sign_in: SignIn, name: str, query: str, told: str) -> None:
    client = sign_in(cast.rita)
    save(client, "Denials")
    assert told in save(client, name, query)
    assert SavedSearch.objects.count() == 1


@pytest.mark.parametrize("address", ["/ledger/0/", "/ledger/0/proof.json"])
def test_an_entry_whose_archive_is_away_is_not_told_to_be_none(
    cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def away(_index: int) -> Entry:
        raise ArchiveUnavailable("the archive of entries 0 to 255", "the file is not there", "Put the file back")

    monkeypatch.setattr("audit.search.fetch_entry", away)
    page = sign_in(cast.rita).get(address)
    assert page.status_code == 503
    assert "the file is not there" in page.text
    assert "Put the file back" in page.text


@pytest.mark.parametrize(("first", "told"), [(0, False), (256, True)])
def test_counts_say_when_archives_are_left_out(
    cast: Cast, run: Run, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, first: int, told: bool
) -> None:
    run()
    monkeypatch.setattr("audit.web.entry_pages.archived_before", lambda: first)
    assert ("those in archives not counted" in sign_in(cast.rita).get("/ledger/").text) is told
