"""Finding entries by what the REST contract filters by, page by page, and counting verdicts."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from audit import ledger, search
from audit.models import Entry
from audit.search import EntryFilter, entry_json, entry_with_payload, find_entries, verdict_counts

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
    for _ in range(300):
        with connection.cursor():
            record(sql_normal="x" * 20_000)
    monkeypatch.setattr(search, "LONGEST_TEXT_SEARCH", timedelta(milliseconds=1))
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
