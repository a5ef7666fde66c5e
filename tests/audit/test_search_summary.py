"""What a search finds at a glance: exact where it is cheap, honest where it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from audit import ledger
from audit.models import Entry
from audit.search import EntryFilter, overview, summary

pytestmark = pytest.mark.usefixtures("control_db")


def record(count: int, **fields: object) -> None:
    for _ in range(count):
        ledger.append("statement.denied", **{"principal": "agent:a", **fields})  # type: ignore[arg-type]


def test_facets_count_values_terms_and_nothing_that_does_not_match() -> None:
    record(3, verdict="deny", classes=["email"], relations=["public.a", "public.b"])
    record(2, verdict="allow", classes=["salary", "email"])
    record(1, principal="agent:other", verdict="deny")
    found = overview(EntryFilter(principal="agent:a"))
    assert (found.total, found.counts_all) == (5, True)
    assert found.facets["verdict"] == [("deny", 3), ("allow", 2)]
    assert found.facets["class"] == [("email", 5), ("salary", 2)]
    assert found.facets["relation"] == [("public.a", 3), ("public.b", 3)]
    assert "data_class" not in found.facets


def test_bars_count_every_match_once_by_verdict() -> None:
    record(3, verdict="deny")
    record(2)
    bars = overview(EntryFilter(kind="statement.denied")).bars
    assert (sum(bar.deny for bar in bars), sum(bar.other for bar in bars), sum(bar.total for bar in bars)) == (3, 2, 5)
    assert all(one.end == other.start for one, other in pairwise(bars))


def test_of_more_than_the_sample_the_newest_count_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "SAMPLE", 4)
    record(5, verdict="deny")
    record(3, verdict="allow")
    found = overview(EntryFilter(principal="agent:a"))
    assert (found.total, found.counted, found.counts_all, found.bars_count_all) == (4, 4, False, False)
    assert found.facets["verdict"] == [("allow", 3), ("deny", 1)]
    assert sum(bar.total for bar in found.bars) == 4


def test_over_nothing_but_time_the_histogram_is_exact_at_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "SAMPLE", 4)
    record(9, verdict="deny")
    found = overview(EntryFilter())
    assert (found.total, found.counted, found.bars_count_all) == (9, 4, True)
    assert sum(bar.total for bar in found.bars) == 9
    since = Entry.objects.get(index=2).time
    assert overview(EntryFilter(since=since)).total == 7


def test_a_span_that_was_asked_for_is_shown_whole() -> None:
    record(1)
    now = datetime.now(UTC)
    bars = overview(EntryFilter(since=now - timedelta(hours=24))).bars
    assert bars[0].start <= now - timedelta(hours=24)
    assert bars[-1].end >= now
    assert len(bars) <= summary.MOST_BARS


def test_nothing_found_has_nothing_to_count() -> None:
    assert overview(EntryFilter(run="none")).bars == ()
