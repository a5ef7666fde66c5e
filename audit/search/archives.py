"""Searching on where the live table ends. What retention moved to archives is found by reading them, so only then.

Retention reads filters from this package, so its modules are imported when they are needed.
"""

from __future__ import annotations

import importlib
from typing import Any

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
    found = retention.find_in_archives(wanted, before, after, limit)
    entries = [_entry(row) for row in found]
    return sorted((one for one in entries if matches(wanted, one.fields)), key=lambda one: -one.index)


def entry_in_archives(index: int) -> Entry | None:
    if not 0 <= index < archived_before():
        return None
    stored = importlib.import_module("audit.reading").entry_at(index)
    return None if stored is None else _entry(stored)


def _entry(row: Any) -> Entry:
    if isinstance(row, Entry):
        return row
    return Entry(index=row.index, time=row.time, kind=row.kind, header=row.header, leaf=row.leaf)
