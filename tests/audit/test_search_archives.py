"""Searches go on in archives where the live table ends, as if there were no end."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.search import EntryFilter, fetch_entry, find_entries, finding, matching_indexes, overview
from tests.audit.retention.filling import fill, fill_and_archive

MATCHING = EntryFilter(principal="agent:bot-1", kind="statement.intent")


@pytest.fixture
def expected(control_db: str, tmp_path: Path) -> list[int]:
    """256 archived entries and live ones after them: the indexes that match, newest first."""
    fill_and_archive(256, tmp_path)
    fill(60)
    return [257 + index for index in range(60) if index % 6 == 2][::-1] + [i for i in range(256) if i % 6 == 2][::-1]


def test_pages_lead_into_archives_and_back(expected: list[int]) -> None:
    shown, before, archived = [], None, []
    while True:
        page = find_entries(MATCHING, before=before, limit=8)
        shown += [entry.index for entry in page.entries]
        archived.append(page.archived)
        if page.next is None:
            break
        before = page.next
    assert shown == expected
    assert archived == [0, 6, 8, 8, 8, 8, 5]
    back = [shown[-1]]
    while (page := find_entries(MATCHING, after=back[-1], limit=8)).entries:
        back += [entry.index for entry in page.entries][::-1]
        if page.previous is None:
            break
    assert back == expected[::-1]


def test_all_that_matches_comes_from_archives_and_the_live_table(
    expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "BATCH", 7)
    lists = list(matching_indexes(MATCHING, 10, 300))
    assert all(len(one) <= 7 for one in lists)
    assert [index for one in lists for index in one] == [i for i in expected[::-1] if 10 <= i < 300]


def test_an_archived_entry_is_shown_like_any_other(expected: list[int]) -> None:
    entry = fetch_entry(expected[-1])
    assert entry is not None
    assert entry.fields["principal"] == "agent:bot-1"


def test_what_is_counted_is_what_is_live(expected: list[int]) -> None:
    found = overview(MATCHING)
    assert found.total == sum(index > 256 for index in expected)
