"""Searching on where the live table ends. What retention moved to archives is found by reading them, so only then.

Retention reads filters from this package, so its modules are imported when they are needed.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from audit.models import Entry, Head
from audit.search.filters import EntryFilter, matches


def archived_before() -> int:
    """Entries below this index are in archives."""
    return Head.objects.values_list("first", flat=True).get(id=1)


def find_in_archives(
    wanted: EntryFilter, *, before: int | None = None, after: int | None = None, limit: int
) -> list[Entry]:
    """Up to `limit` entries next to `before` or `after`, or the newest archived ones; newest first."""
    retention = importlib.import_module("audit.retention.archive_search")
    found: list[Entry] = retention.find_in_archives(wanted, before, after, limit)
    return sorted(found, key=lambda entry: -entry.index)


def archived_indexes(wanted: EntryFilter, first: int, end: int) -> Iterator[int]:
    """All that match, in order, however long it takes: for exports."""
    stored = importlib.import_module("audit.reading").entries_between(first, end)
    return (entry.index for entry in stored if matches(wanted, entry.fields))


def entry_in_archives(index: int) -> Entry | None:
    if not 0 <= index < archived_before():
        return None
    stored = importlib.import_module("audit.reading").entry_at(index)
    if stored is None:
        return None
    return Entry(index=stored.index, time=stored.time, kind=stored.kind, header=stored.header, leaf=stored.leaf)
