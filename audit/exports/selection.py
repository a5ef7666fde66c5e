"""The entries of an export, in order, a batch at a time. Nothing is held open in the database between two batches, and each
batch says where to go on: an export that was broken off takes up from there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from audit.models import Entry, Payload
from audit.reading import StoredEntry, StoredPayload, entries_between
from audit.search import EntryFilter, matching_indexes

ROWS = 1_000
# Of the payloads of one batch, which are all in memory.
PAYLOAD_BYTES = 8 * 1024 * 1024
# A search over so many indexes at a time, so that progress is told where nothing matches for long.
WINDOW = 250_000
# Indexes that lie closer than this are read as one stretch.
DENSE = 4


@dataclass(frozen=True, slots=True)
class Batch:
    """`next` is the first index that was not looked at yet; a batch may be empty."""

    entries: Sequence[StoredEntry]
    next: int


def batches(wanted: EntryFilter, first: int, end: int, *, with_payloads: bool = False) -> Iterator[Batch]:
    """Raises `audit.search.SearchTooBroad` and `audit.reading.ArchiveUnavailable`."""
    if dataclasses.replace(wanted, since=None, until=None) == EntryFilter():
        return _all_between(wanted, first, end, with_payloads)
    return _matching(wanted, first, end, with_payloads)


def _all_between(wanted: EntryFilter, first: int, end: int, with_payloads: bool) -> Iterator[Batch]:
    for taken in _in_batches(entries_between(first, end, with_payloads=with_payloads)):
        yield Batch([entry for entry in taken if _within(wanted, entry)], taken[-1].index + 1)
    yield Batch((), end)


def _in_batches(entries: Iterable[StoredEntry]) -> Iterator[list[StoredEntry]]:
    held: list[StoredEntry] = []
    size = 0
    for entry in entries:
        held.append(entry)
        size += len(entry.payload.ciphertext) if entry.payload else 0
        if len(held) == ROWS or size > PAYLOAD_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def _within(wanted: EntryFilter, entry: StoredEntry) -> bool:
    return not ((wanted.since and entry.time < wanted.since) or (wanted.until and entry.time >= wanted.until))


def _matching(wanted: EntryFilter, first: int, end: int, with_payloads: bool) -> Iterator[Batch]:
    for start in range(first, end, WINDOW):
        stop = min(start + WINDOW, end)
        for indexes in matching_indexes(wanted, start, stop):
            for taken in _in_batches(_read(indexes, with_payloads)):
                yield Batch(taken, taken[-1].index + 1)
        yield Batch((), stop)


def _read(indexes: Sequence[int], with_payloads: bool) -> Iterator[StoredEntry]:
    if indexes[-1] - indexes[0] < DENSE * len(indexes):
        yield from _picked(set(indexes), with_payloads)
        return
    live = Entry.objects.in_bulk(indexes)
    archived = set(indexes) - live.keys()
    if archived:
        # Archives hold what is older than all that is live.
        yield from _picked(archived, with_payloads)
    for index in indexes:
        if index in live:
            yield _stored(live[index], with_payloads)


def _picked(wanted: set[int], with_payloads: bool) -> Iterator[StoredEntry]:
    stretch = entries_between(min(wanted), max(wanted) + 1, with_payloads=with_payloads)
    return (entry for entry in stretch if entry.index in wanted)


def _stored(entry: Entry, with_payloads: bool) -> StoredEntry:
    payload = Payload.objects.filter(index=entry.index).first() if with_payloads else None
    kept = StoredPayload(payload.key, bytes(payload.nonce), bytes(payload.ciphertext)) if payload else None
    return StoredEntry(entry.index, entry.time, entry.kind, bytes(entry.header), bytes(entry.leaf), kept)
