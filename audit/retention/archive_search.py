"""Finding entries in archives, newest first: what a row group's statistics rule out is not read, and of the rest only the
columns that are searched by; headers only of what matches."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from audit.models import Archive, Entry
from audit.reading import StoredEntry, compare_with_tiles, entries_of, file_of
from audit.retention.archive_files import LOGGED, MOST_ROWS_IN_GROUP, TEXTS, ArchiveReader, FileOf
from audit.search.filters import TERMS, EntryFilter, SearchTooBroad

# How long one page may read.
LONGEST = 8.0
_COLUMNS = frozenset({"kind", *TEXTS})
_KNOWN = _COLUMNS | TERMS.keys() | {"since", "until", "risk_min", "text"}


def find_in_archives(wanted: EntryFilter, before: int | None, after: int | None, limit: int) -> list[Entry]:
    """Up to `limit` archived entries, newest first: below `before`; or, with `after` alone, those next above it.

    Raises `SearchTooBroad` when little is found for too long, `ArchiveUnavailable` when a file that may hold some is not there.
    """
    _check_known(wanted)
    ascending = after is not None and before is None
    first, end = 0 if after is None else after + 1, 2**63 - 1 if before is None else before
    deadline = time.monotonic() + LONGEST
    found: list[StoredEntry] = []
    for archive in _archives(wanted, first, end, ascending=ascending):
        file = file_of(archive)
        with ArchiveReader(file) as reader:
            for group in _groups(reader, wanted, first, end, ascending=ascending):
                matching = _matching(reader, group, wanted, first, end)
                taken = matching[: limit - len(found)] if ascending else matching[::-1][: limit - len(found)]
                found += _read(reader, file, group, taken)
                if len(found) >= limit:
                    return _newest_first(found)
                if time.monotonic() > deadline:
                    raise SearchTooBroad(_too_broad(archive))
    return _newest_first(found)


def _newest_first(found: list[StoredEntry]) -> list[Entry]:
    found.sort(key=lambda entry: -entry.index)
    return [Entry(index=one.index, time=one.time, kind=one.kind, header=one.header, leaf=one.leaf) for one in found]


def _too_broad(archive: Archive) -> str:
    return (
        f"Archives were read for {LONGEST:.0f} seconds without finding a page of entries, and the search stopped in those of"
        f" {archive.since:%Y-%m-%d} to {archive.until:%Y-%m-%d}. Name a shorter time, or search for a query or a request."
    )


def _check_known(wanted: EntryFilter) -> None:
    """A condition that is not understood here must not widen what is found."""
    unknown = {field.name for field in dataclasses.fields(wanted) if getattr(wanted, field.name) is not None} - _KNOWN
    if unknown:
        raise SearchTooBroad(f"Archives cannot be searched by {', '.join(sorted(unknown))}.")


# --- What need not be read ----------------------------------------------------------------------------------------


def _archives(wanted: EntryFilter, first: int, end: int, *, ascending: bool) -> Iterator[Archive]:
    found = Archive.objects.filter(first__lt=end, end__gt=first)
    if wanted.since:
        found = found.filter(until__gte=wanted.since)
    if wanted.until:
        found = found.filter(since__lt=wanted.until)
    return found.order_by("first" if ascending else "-first").iterator()


def _groups(reader: ArchiveReader, wanted: EntryFilter, first: int, end: int, *, ascending: bool) -> Iterator[int]:
    """The row groups that may hold something, in the order in which they are wanted."""
    groups = [number for number, (start, stop) in enumerate(reader.groups()) if start < end and stop > first]
    for number in groups if ascending else reversed(groups):
        if _may_match(reader, number, wanted):
            yield number


def _may_match(reader: ArchiveReader, group: int, wanted: EntryFilter) -> bool:
    for name in _COLUMNS:
        values = wanted.values(name) if hasattr(wanted, name) else ()
        span = reader.statistics(group, name) if values else None
        if span is not None and not any(span.min <= value <= span.max for value in values):
            return False
    risk = reader.statistics(group, "risk") if wanted.risk_min is not None else None
    if risk is not None and risk.max < wanted.risk_min:
        return False
    return _in_time(reader.statistics(group, "time"), wanted.since, wanted.until)


def _in_time(span: Any, since: datetime | None, until: datetime | None) -> bool:
    if span is None:
        return True
    return not (since and span.max < since) and not (until and span.min >= until)


# --- What is read -------------------------------------------------------------------------------------------------


def _matching(reader: ArchiveReader, group: int, wanted: EntryFilter, first: int, end: int) -> list[int]:
    """The places in the row group of what matches, in ascending order."""
    lists = [field for name, field in TERMS.items() if wanted.values(name)]
    columns = ["index", *_plain_columns(wanted), *lists]
    places: list[int] = []
    offset = 0
    for batch in reader.read(group, columns, MOST_ROWS_IN_GROUP):
        indexes = batch.column("index")
        mask = pc.and_(pc.greater_equal(indexes, first), pc.less(indexes, end))
        for condition in _conditions(batch, wanted):
            mask = pc.and_(mask, pc.fill_null(condition, fill_value=False))
        places += [offset + place for place in pc.indices_nonzero(mask).to_pylist()]
        offset += batch.num_rows
    return places


def _plain_columns(wanted: EntryFilter) -> list[str]:
    columns = [name for name in sorted(_COLUMNS) if hasattr(wanted, name) and wanted.values(name)]
    columns += ["time"] if wanted.since or wanted.until else []
    columns += ["risk"] if wanted.risk_min is not None else []
    return columns + (["sql_normal"] if wanted.text is not None else [])


def _conditions(batch: pa.RecordBatch, wanted: EntryFilter) -> Iterator[Any]:
    for name in _COLUMNS:
        if hasattr(wanted, name) and (values := wanted.values(name)):
            yield pc.is_in(batch.column(name), value_set=pa.array(values, pa.string()))
    for name, field in TERMS.items():
        if values := wanted.values(name):
            yield _has_any(batch.column(field), values)
    if wanted.since:
        yield pc.greater_equal(batch.column("time"), pa.scalar(wanted.since, pa.timestamp("us", "UTC")))
    if wanted.until:
        yield pc.less(batch.column("time"), pa.scalar(wanted.until, pa.timestamp("us", "UTC")))
    if wanted.risk_min is not None:
        yield pc.greater_equal(batch.column("risk"), wanted.risk_min)
    if wanted.text is not None:
        yield pc.match_substring(batch.column("sql_normal"), wanted.text, ignore_case=True)


def _has_any(lists: Any, values: tuple[str, ...]) -> Any:
    """Which of the lists hold one of the values."""
    hit = pc.is_in(pc.list_flatten(lists), value_set=pa.array(values, pa.string()))
    rows = pc.unique(pc.filter(pc.list_parent_indices(lists), hit))
    return pc.is_in(pa.array(range(len(lists)), pa.int64()), value_set=pc.cast(rows, pa.int64()))


def _read(reader: ArchiveReader, file: FileOf, group: int, places: list[int]) -> list[StoredEntry]:
    """The entries at those places of the row group, compared with the tree."""
    wanted = sorted(places)
    found: list[StoredEntry] = []
    offset = 0
    for batch in reader.read(group, LOGGED):
        here = [place - offset for place in wanted if offset <= place < offset + batch.num_rows]
        found += entries_of(batch.take(pa.array(here, pa.int64()))) if here else []
        offset += batch.num_rows
        if not wanted or offset > wanted[-1]:
            break
    for entry in found:
        compare_with_tiles(file, [entry])
    return found
