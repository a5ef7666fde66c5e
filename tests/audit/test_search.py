"""Finding entries by what the REST contract filters by, page by page, and counting verdicts."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta
from unittest import mock

import orjson
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import ledger, search
from audit.models import Entry, SearchTerm
from audit.search import (
    EntryFilter,
    entry_json,
    entry_with_payload,
    find_entries,
    finding,
    matches,
    matching_indexes,
    planning,
    verdict_counts,
)

pytestmark = pytest.mark.usefixtures("control_db")
QUERY, REQUEST = str(uuid.uuid4()), str(uuid.uuid4())


def record(**fields: object) -> int:
    return ledger.append("statement.denied", **{"principal": "agent:other", **fields}).index  # type: ignore[arg-type]


def found(**wanted) -> list[int]:
    return [entry.index for entry in find_entries(EntryFilter(**wanted)).entries]


@pytest.mark.parametrize(
    ("recorded", "wanted"),
    [
        ({"principal": "agent:a"}, {"principal": "agent:a"}),
        ({"datasource": "shop"}, {"datasource": "shop"}),
        ({"relations": ["public.orders", "public.items"]}, {"relation": "public.items"}),
        ({"verdict": "deny"}, {"verdict": "deny"}),
        ({"fingerprint": "a0ead580058af585"}, {"fingerprint": "a0ead580058af585"}),
        ({"run": "nightly-7"}, {"run": "nightly-7"}),
        ({"query": QUERY}, {"query": QUERY}),
        ({"request": REQUEST}, {"request": REQUEST.upper()}),
        ({"classes": ["email", "salary"]}, {"data_class": "salary"}),
        ({"policies": ["no-drops"]}, {"policy": "no-drops"}),
        ({"on_behalf_of": "user:eve"}, {"on_behalf_of": "user:eve"}),
        ({"actor": "user:root"}, {"actor": "user:root"}),
        ({"status": "failed"}, {"status": "failed"}),
        ({"risk": 60}, {"risk_min": 60}),
        ({"risk": 35}, {"risk_min": 30}),
        ({"verdict": "deny", "principal": "agent:b"}, {"verdict": ("deny", "review"), "principal": "agent:b"}),
        ({"relations": ["public.a"]}, {"relation": ("public.a", "public.b")}),
        ({"sql_normal": "SELECT * FROM Orders WHERE id = $1"}, {"text": "from orders"}),
        ({"sql_normal": "SELECT 100% AS a_b"}, {"text": "0% as a_"}),
    ],
)
def test_entries_are_found_by(recorded: dict[str, object], wanted: dict[str, str]):
    record()
    index = record(**recorded)
    record(sql_normal="SELECT 1000 AS axb")
    assert found(**wanted) == [index]


def test_entries_are_found_by_kind():
    record()
    index = ledger.append("signin.failed", username="rita").index
    assert found(kind="signin.failed") == [index]


def test_conditions_are_all_met():
    record(datasource="shop", verdict="deny")
    index = record(datasource="shop", verdict="allow")
    assert found(datasource="shop", verdict="allow") == [index]


@pytest.mark.parametrize(
    "wanted",
    [
        {"relation": "public.a", "data_class": "email"},
        {"relation": "public.a", "principal": "agent:a"},
        {"principal": "agent:a", "data_class": "email", "risk_min": 20},
        {"principal": ("agent:a", "agent:other"), "relation": ("public.a", "public.z")},
        {"text": "from a", "data_class": "email", "verdict": "deny"},
    ],
)
@pytest.mark.parametrize("probed", [1, 400])
def test_any_condition_may_drive(monkeypatch: pytest.MonkeyPatch, wanted: dict[str, object], probed: int):
    monkeypatch.setattr(planning, "PROBED", probed)
    both = {"principal": "agent:a", "relations": ["public.a", "public.z"], "classes": ["email"], "verdict": "deny"}
    shown = []
    for number in range(6):
        record(relations=["public.a"], verdict="allow", risk=10)
        record(classes=["email"], sql_normal="SELECT 1")
        shown.append(record(**both, risk=20 + number, sql_normal=f"SELECT {number} FROM a"))
    if "principal" in wanted and wanted.get("data_class") is None and isinstance(wanted["principal"], tuple):
        shown = sorted([*shown, *(index - 2 for index in shown)])
    assert found(**wanted) == shown[::-1]
    newer = find_entries(EntryFilter(**wanted), after=shown[0], limit=2)  # type: ignore[arg-type]
    assert [entry.index for entry in newer.entries] == shown[2:0:-1]


def test_what_shares_a_hash_with_a_relation_is_not_taken_for_it():
    index = record(relations=["public.a"])
    other = record(relations=["public.b"])
    assert found(relation="public.a") == [index]
    SearchTerm.objects.create(term=SearchTerm.objects.get(index=index).term, index=other)
    assert found(relation="public.a") == [index]
    assert list(matching_indexes(EntryFilter(relation="public.a"), 0, 100)) == [[index]]


def test_all_that_matches_comes_in_order_in_lists_of_bounded_length(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(finding, "BATCH", 2)
    indexes = [record(verdict="deny" if number % 2 else "allow") for number in range(12)]
    lists = list(matching_indexes(EntryFilter(verdict="deny"), indexes[2], indexes[10]))
    assert lists == [[3, 5], [7, 9]]


def test_entries_that_cannot_be_found_yet_are_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(finding, "catch_up", lambda: 7)
    assert find_entries(EntryFilter()).behind == 7


def test_a_search_leaves_no_setting_behind():
    with transaction.atomic():
        find_entries(EntryFilter(principal="agent:a"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout'), current_setting('enable_seqscan')")
            assert cursor.fetchone() == ("0", "on")


FILTERS = st.builds(
    EntryFilter,
    principal=st.none() | st.sampled_from(["agent:a", "agent:b", ("agent:a", "agent:b")]),
    verdict=st.none() | st.sampled_from(["allow", "deny", ("allow", "deny")]),
    relation=st.none() | st.sampled_from(["public.a", "public.b"]),
    data_class=st.none() | st.sampled_from(["email", ("salary", "email")]),
    risk_min=st.none() | st.sampled_from([0, 30, 60]),
    text=st.none() | st.sampled_from(["FROM A", "b"]),
)


def test_the_database_and_a_header_at_hand_agree_on_what_matches():
    chance = random.Random(7)
    for _ in range(60):
        fields = {
            "principal": chance.choice(["agent:a", "agent:b"]),
            "verdict": chance.choice([None, "allow", "deny"]),
            "relations": chance.choice([None, ["public.a"], ["public.a", "public.b"]]),
            "classes": chance.choice([None, ["email"], ["salary"]]),
            "risk": chance.choice([None, 10, 30, 70]),
            "sql_normal": chance.choice([None, "SELECT 1 FROM a", "SELECT 1 FROM b"]),
        }
        record(**fields)
    headers = {entry.index: entry.fields for entry in Entry.objects.order_by("-index")}

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(FILTERS, st.sampled_from([1, 3, 400]))
    def check(wanted: EntryFilter, probed: int) -> None:
        with mock.patch.object(planning, "PROBED", probed):
            shown = [entry.index for entry in find_entries(wanted, limit=100).entries]
        assert shown == [index for index, header in headers.items() if matches(wanted, header)]
        assert EntryFilter.of_json(orjson.loads(orjson.dumps(wanted.as_json()))) == wanted

    check()


@pytest.mark.parametrize("wrong", [{"colour": "red"}, {"kind": 3}, {"risk_min": "x"}, {"since": "soon"}, {"text": []}])
def test_a_stored_filter_that_is_not_understood_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValueError, match=r".+"):
        EntryFilter.of_json(wrong)


def test_a_time_range_includes_its_start_and_not_its_end():
    receipts = [ledger.append("statement.denied", principal="agent:a") for _ in range(4)]
    times = [receipt.time for receipt in receipts]
    assert len(set(times)) == 4
    assert found(since=times[1], until=times[3]) == [2, 1]


def test_a_time_range_beyond_the_log_finds_nothing_before_it_everything():
    record()
    later = datetime.now(UTC) + timedelta(hours=1)
    assert (found(since=later), found(until=later)) == ([], [0])


@pytest.mark.parametrize(
    "wanted", [{"query": "no uuid"}, {"text": "a\x00"}, {"principal": "\x00"}, {"text": "x" * 201}]
)
def test_what_cannot_be_in_the_log_is_not_found(wanted: dict[str, str]):
    record(sql_normal="x" * 300)
    assert found(**wanted) == []


def test_pages_lead_through_the_whole_log_and_back():
    for _ in range(7):
        record()
    first = find_entries(EntryFilter(), limit=3)
    second = find_entries(EntryFilter(), before=first.next, limit=3)
    third = find_entries(EntryFilter(), before=second.next, limit=3)
    indexes = [[entry.index for entry in page.entries] for page in (first, second, third)]
    assert indexes == [[6, 5, 4], [3, 2, 1], [0]]
    assert (first.previous, third.next) == (None, None)
    back = find_entries(EntryFilter(), after=third.previous, limit=3)
    assert [entry.index for entry in back.entries] == [3, 2, 1]
    assert find_entries(EntryFilter(), after=back.previous, limit=3).previous is None


def test_a_page_holds_no_more_than_the_most():
    record()
    assert len(find_entries(EntryFilter(), limit=10**9).entries) == 1


def test_a_text_search_that_takes_too_long_says_how_to_narrow_it(monkeypatch: pytest.MonkeyPatch):
    for number in range(60):
        record(sql_normal=f"{number}" + "x" * 20_000)
    search.find_entries(EntryFilter())
    monkeypatch.setattr(planning, "LONGEST_SEARCH", timedelta(milliseconds=1))
    with pytest.raises(search.SearchTooBroad, match="time range"):
        find_entries(EntryFilter(text="not there"))


def test_an_entry_is_shown_with_everything_but_its_payload():
    receipt = ledger.append(
        "statement.denied", principal="agent:a", verdict="deny", code="drop", payload={"sql": "SELECT 'secret'"}
    )
    shown = entry_json(Entry.objects.get())
    assert list(shown)[:4] == ["index", "time", "kind", "title"]
    assert shown == {
        "index": 0,
        "time": receipt.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "kind": "statement.denied",
        "title": "Statement denied",
        "principal": "agent:a",
        "verdict": "deny",
        "code": "drop",
        "payload_digest": shown["payload_digest"],
        "payload_key": shown["payload_key"],
        "leaf": receipt.leaf,
    }


def test_an_auditor_sees_the_payload():
    index = ledger.append("statement.denied", principal="agent:a", payload={"sql": "SELECT 'secret'"}).index
    detail = entry_with_payload(index)
    assert detail is not None
    assert detail.payload == {"sql": "SELECT 'secret'"}


def test_an_entry_that_is_not_there_is_none():
    assert entry_with_payload(7) is None


def test_the_head_counts_and_has_a_root():
    record()
    leaf = bytes(Entry.objects.get().leaf).hex()
    assert search.current_head() == search.LogHead(1, leaf)


def test_verdicts_are_counted_once_per_statement_in_spans_of_equal_length():
    start = datetime.now(UTC)
    statement = {"principal": "agent:a", "datasource": "shop"}
    ledger.append("statement.intent", **statement, query=str(uuid.uuid4()), verdict="allow")  # type: ignore[arg-type]
    ledger.append("statement.denied", principal="agent:a", verdict="deny")
    ledger.append("statement.parked", principal="agent:a", query=QUERY, verdict="review")
    ledger.append("statement.intent", **statement, query=QUERY, request=REQUEST, verdict="allow")  # type: ignore[arg-type]
    buckets = verdict_counts(start, start + timedelta(minutes=4), 4)
    assert [(bucket.allow, bucket.review, bucket.deny) for bucket in buckets] == [
        (1, 1, 1),
        (0, 0, 0),
        (0, 0, 0),
        (0, 0, 0),
    ]
    assert [bucket.start for bucket in buckets] == [start + timedelta(minutes=number) for number in range(4)]


def test_verdicts_cannot_be_counted_over_nothing():
    now = datetime.now(UTC)
    with pytest.raises(ValueError, match="later"):
        verdict_counts(now, now, 4)
