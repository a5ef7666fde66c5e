"""Pages of entries, newest first, and all indexes that match, in order.

Pages are keyed by index: page n costs what page 1 costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from audit.following import catch_up
from audit.models import Entry
from audit.search.archives import archived_before, archived_indexes, find_in_archives
from audit.search.filters import EntryFilter, has_terms
from audit.search.planning import END, bounded, plan_for, read_indexes
from audit.search.reading import entry_json

MOST_PER_PAGE = 500
BATCH = 2_000
LONGEST_BATCH = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the `before` of the page of older entries, `previous` the `after` of the page of newer ones.

    `behind` newest entries of the log could not be searched yet; `archived` of these entries came from archives.
    """

    entries: list[Entry]
    next: int | None
    previous: int | None
    behind: int = 0
    archived: int = 0


def find_entries(wanted: EntryFilter, *, before: int | None = None, after: int | None = None, limit: int = 50) -> Page:
    """Always newest first; `after` gives the page next to that index, not the newest page.

    Raises `SearchTooBroad` when too little is found for too long.
    """
    limit = max(1, min(limit, MOST_PER_PAGE))
    behind = catch_up()
    first = archived_before()
    if after is not None:
        found, more = _newer(wanted, after, first, limit)
        following = found[-1].index if found else None
        previous = found[0].index if found and more else None
    else:
        found, more = _older(wanted, END if before is None else before, first, limit)
        following = found[-1].index if found and more else None
        previous = found[0].index if found and before is not None else None
    archived = sum(entry.index < first for entry in found)
    return Page(found, following, previous, behind, archived)


def _older(wanted: EntryFilter, before: int, first: int, limit: int) -> tuple[list[Entry], bool]:
    found = _live(wanted, first, before, limit + 1, newest_first=True)
    if len(found) <= limit and first:
        found += find_in_archives(wanted, before=min(before, first), limit=limit + 1 - len(found))
    return found[:limit], len(found) > limit


def _newer(wanted: EntryFilter, after: int, first: int, limit: int) -> tuple[list[Entry], bool]:
    found: list[Entry] = []
    if after + 1 < first:
        found = find_in_archives(wanted, after=after, limit=limit + 1)[::-1]
    if len(found) <= limit:
        found += _live(wanted, max(first, after + 1), END, limit + 1 - len(found), newest_first=False)
    return found[:limit][::-1], len(found) > limit


def _live(wanted: EntryFilter, first: int, end: int, limit: int, *, newest_first: bool) -> list[Entry]:
    with bounded() as cursor:
        plan = plan_for(cursor, wanted).within(first, end)
        indexes = read_indexes(cursor, plan, limit, newest_first=newest_first)
    entries = Entry.objects.in_bulk(indexes)
    return [entries[index] for index in indexes if index in entries and _is_meant(wanted, entries[index])]


def matching_indexes(
    wanted: EntryFilter, first: int, end: int, *, longest: timedelta = LONGEST_BATCH
) -> Iterator[list[int]]:
    """All matching indexes from `first` to before `end`, in order, in lists of bounded length; archives included.

    Each list is a search of its own, so nothing is held open in the database while the caller works, and whoever was
    broken off goes on from the last index that it had.
    """
    catch_up(most=max(0, end))
    live = archived_before()
    if first < live:
        yield from _in_lists(archived_indexes(wanted, first, min(end, live)))
    place = max(first, live)
    while place < end:
        indexes = _batch(wanted, place, end, longest)
        if not indexes:
            return
        place = indexes[-1] + 1
        if kept := _true_to_terms(wanted, indexes):
            yield kept


def _in_lists(indexes: Iterator[int]) -> Iterator[list[int]]:
    while some := list(islice(indexes, BATCH)):
        yield some


def _batch(wanted: EntryFilter, first: int, end: int, longest: timedelta) -> list[int]:
    with bounded(longest) as cursor:
        plan = plan_for(cursor, wanted).within(first, end)
        return read_indexes(cursor, plan, BATCH, newest_first=False)


def _true_to_terms(wanted: EntryFilter, indexes: list[int]) -> list[int]:
    if not wanted.has_terms:
        return indexes
    entries = Entry.objects.in_bulk(indexes)
    return [index for index in indexes if index in entries and _is_meant(wanted, entries[index])]


def _is_meant(wanted: EntryFilter, entry: Entry) -> bool:
    """One whose header cannot be read any more is kept: what was tampered with must not vanish from what is found."""
    header = entry_json(entry)
    return "unreadable" in header or has_terms(wanted, header)
