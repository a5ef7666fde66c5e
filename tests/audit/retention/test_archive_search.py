"""Archived entries are found by all that live ones are found by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.db import transaction

from audit import ledger
from audit.merkle import leaf_hash
from audit.reading import ArchiveUnavailable, entries_between
from audit.retention import archive_search
from audit.retention.archive_search import find_in_archives
from audit.search.filters import EntryFilter, SearchTooBroad, matches
from tests.audit.retention.filling import archive_all, fill, record_statement

QUERY = str(UUID(int=77))


@pytest.fixture(autouse=True)
def archived(control_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files of several row groups each, entries of which differ in everything that is searched by."""
    monkeypatch.setattr("audit.retention.archive_writing.MOST_ROWS_IN_GROUP", 64)
    fill(256)
    archive_all(tmp_path)
    with transaction.atomic():
        record_statement(500, on_behalf_of="customer:7", run="run-1", fingerprint="ab" * 8)
        ledger.append_within(
            "statement.denied", principal="agent:zed", verdict="deny", risk=99, classes=["email", "salary"],
            policies=["no-salaries"], relations=["hr.people", "hr.pay"], sql_normal="SELECT Salary FROM hr.pay",
            actor="user:zoe", status="x",
        )  # fmt: skip
    fill(254)
    archive_all(tmp_path)
    return tmp_path


def indexes(wanted: EntryFilter, before: int | None = None, after: int | None = None, limit: int = 1000) -> list[int]:
    return [entry.index for entry in find_in_archives(wanted, before, after, limit)]


def by_hand(wanted: EntryFilter) -> list[int]:
    return [entry.index for entry in entries_between(0, 512) if matches(wanted, entry.fields)][::-1]


FILTERS = [
    EntryFilter(),
    EntryFilter(kind="statement.outcome"),
    EntryFilter(kind=("statement.denied", "ledger.pruned")),
    EntryFilter(principal="agent:bot-1"),
    EntryFilter(principal="agent:nobody"),
    EntryFilter(principal="agent:zed", verdict="deny"),
    EntryFilter(on_behalf_of="customer:7"),
    EntryFilter(actor="user:zoe", status="x"),
    EntryFilter(datasource="shop", verdict="allow"),
    EntryFilter(relation="hr.pay"),
    EntryFilter(relation=("public.t1", "hr.people")),
    EntryFilter(data_class="salary", policy="no-salaries"),
    EntryFilter(data_class="phone"),
    EntryFilter(risk_min=60),
    EntryFilter(fingerprint="ab" * 8, run="run-1"),
    EntryFilter(query=QUERY),
    EntryFilter(query=QUERY.upper()),
    EntryFilter(query="not a uuid"),
    EntryFilter(text="salary from HR"),
    EntryFilter(text="50%_"),
    EntryFilter(since=datetime(2100, 1, 1, tzinfo=UTC)),
    EntryFilter(until=datetime(2000, 1, 1, tzinfo=UTC)),
    EntryFilter(since=datetime(2000, 1, 1, tzinfo=UTC), until=datetime(2100, 1, 1, tzinfo=UTC), risk_min=90),
]


def test_archives_are_searched_as_the_live_log_is():
    for wanted in FILTERS:
        assert indexes(wanted) == by_hand(wanted), wanted


def test_a_time_within_the_archives_is_found():
    middle = next(entries_between(300, 301)).time
    assert indexes(EntryFilter(since=middle)) == by_hand(EntryFilter(since=middle))
    until = EntryFilter(until=middle + timedelta(microseconds=1))
    assert indexes(until) == by_hand(until)


def test_pages_go_down_from_before():
    wanted = EntryFilter(principal="agent:bot-1")
    everything, page = by_hand(wanted), indexes(wanted, limit=10)
    found = list(page)
    while page:
        page = indexes(wanted, before=found[-1], limit=10)
        found += page
    assert found == everything


def test_a_page_after_an_index_is_the_one_next_to_it():
    everything = by_hand(EntryFilter(principal="agent:bot-1"))
    assert indexes(EntryFilter(principal="agent:bot-1"), after=100, limit=7) == [i for i in everything if i > 100][-7:]


def test_one_entry_is_found_by_its_neighbours():
    assert indexes(EntryFilter(), before=301, after=299, limit=1) == [300]


def test_found_entries_carry_what_was_hashed():
    [entry] = find_in_archives(EntryFilter(principal="agent:zed"), None, None, 1)
    assert leaf_hash(bytes(entry.header)) == bytes(entry.leaf)
    assert entry.fields["sql_normal"] == "SELECT Salary FROM hr.pay"


def test_row_groups_that_cannot_match_are_not_read(monkeypatch: pytest.MonkeyPatch):
    read: list[int] = []
    real = archive_search._matching

    def noted(reader, group, *rest):
        read.append(group)
        return real(reader, group, *rest)

    monkeypatch.setattr(archive_search, "_matching", noted)
    assert indexes(EntryFilter(principal="agent:zed")) == by_hand(EntryFilter(principal="agent:zed"))
    assert len(read) == 1


def test_a_search_that_takes_too_long_says_how_to_narrow_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive_search, "LONGEST", -1.0)
    with pytest.raises(SearchTooBroad, match="Name a shorter time"):
        indexes(EntryFilter(text="nowhere"))


def test_a_file_that_is_gone_is_told_and_not_passed_over(archived: Path):
    next(archived.iterdir()).unlink()
    with pytest.raises(ArchiveUnavailable, match="the file is not there"):
        indexes(EntryFilter(kind="signin.failed"))
