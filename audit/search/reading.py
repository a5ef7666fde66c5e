"""Single entries, the head, and what all doors show of an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from audit.entries import format_time
from audit.events import KINDS
from audit.merkle import Frontier
from audit.models import Entry, Head
from audit.reading import StoredEntry, entries_between, entry_at, payload_of
from audit.search.archives import entry_in_archives


@dataclass(frozen=True, slots=True)
class EntryDetail:
    """`payload` is decrypted: for auditors' eyes."""

    entry: Entry
    payload: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class LogHead:
    size: int
    root: str


def current_head() -> LogHead:
    head = Head.objects.get(id=1)
    frontier = Frontier.from_bytes(head.size, bytes(head.frontier))
    return LogHead(head.size, frontier.root().hex())


def entries_after(index: int, limit: int) -> Sequence[Entry]:
    """In the order of the log, also through archives. Commits happen in that order too, so there is never a gap that
    fills later. Raises `audit.reading.ArchiveUnavailable`."""
    found = list(Entry.objects.filter(index__gt=index).order_by("index")[:limit])
    first = max(index, -1) + 1
    if not found or found[0].index == first:
        return found
    return [_as_entry(one) for one in entries_between(first, first + limit)]


def fetch_entry(index: int) -> Entry | None:
    """From the log, or from the archives where it was moved there."""
    return Entry.objects.filter(index=index).first() or entry_in_archives(index)


def entry_with_payload(index: int) -> EntryDetail | None:
    """Raises `audit.payloads.ErasedError` if its subject was erased, `identity.sealing.UnsealError` if it does not open."""
    stored = entry_at(index, with_payload=True)
    return None if stored is None else EntryDetail(_as_entry(stored), payload_of(stored))


def _as_entry(stored: StoredEntry) -> Entry:
    return Entry(index=stored.index, time=stored.time, kind=stored.kind, header=stored.header, leaf=stored.leaf)


def entry_json(entry: Entry) -> dict[str, object]:
    """What pages, REST and the feed show: everything in the header, title and leaf; never the payload."""
    header = _header(entry)
    header.pop("v", None)
    kind = KINDS.get(entry.kind)
    first = {
        "index": entry.index,
        "time": format_time(entry.time),
        "kind": entry.kind,
        "title": kind.title if kind else entry.kind,
    }
    return {
        **first,
        **{name: value for name, value in header.items() if name not in first},
        "leaf": bytes(entry.leaf).hex(),
    }


def _header(entry: Entry) -> dict[str, object]:
    """One that cannot be read was tampered with, and is shown as that; verification says what is wrong with it."""
    try:
        header = orjson.loads(bytes(entry.header))
    except orjson.JSONDecodeError:
        header = None
    return dict(header) if isinstance(header, dict) else {"unreadable": True}
