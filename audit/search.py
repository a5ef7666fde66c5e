"""Finding entries, newest first, page by page; and counting verdicts over time.

Pages are keyed by index: page n costs what page 1 costs. Time in the log never goes backwards, so a time range is
turned into an index range first.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from django.db import connection
from django.db.models import BigIntegerField, Exists, Func, OuterRef, QuerySet, Value

from audit.entries import format_time
from audit.events import KINDS
from audit.following import TERMS, catch_up
from audit.merkle import Frontier
from audit.models import Entry, Head, Payload, SearchEntry, SearchTerm, SearchText
from audit.payloads import unseal_payload

MOST_PER_PAGE = 500
LONGEST_SEARCH_TEXT = 200
LONGEST_TEXT_SEARCH = timedelta(seconds=5)


class SearchTooBroad(Exception):
    """A text search read for too long. The message says how to narrow it."""


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What entries must match, all of it. `since` is included, `until` is not; `text` is looked for in the SQL."""

    since: datetime | None = None
    until: datetime | None = None
    kind: str | None = None
    principal: str | None = None
    datasource: str | None = None
    relation: str | None = None
    verdict: str | None = None
    fingerprint: str | None = None
    run: str | None = None
    query: str | None = None
    request: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the `before` of the page of older entries, `previous` the `after` of the page of newer ones."""

    entries: list[Entry]
    next: int | None
    previous: int | None


@dataclass(frozen=True, slots=True)
class Bucket:
    start: datetime
    allow: int
    review: int
    deny: int


@dataclass(frozen=True, slots=True)
class EntryDetail:
    """`payload` is decrypted: for auditors' eyes."""

    entry: Entry
    payload: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class LogHead:
    size: int
    root: str


# --- Reading ------------------------------------------------------------------------------------------------------


def current_head() -> LogHead:
    head = Head.objects.get(id=1)
    frontier = Frontier.from_bytes(head.size, bytes(head.frontier))
    return LogHead(head.size, frontier.root().hex())


def entries_after(index: int, limit: int) -> Sequence[Entry]:
    """In the order of the log. Commits happen in that order too, so there is never a gap that fills later."""
    return list(Entry.objects.filter(index__gt=index).order_by("index")[:limit])


def entry_with_payload(index: int) -> EntryDetail | None:
    """Raises `identity.sealing.UnsealError` if the payload was changed or its key is gone."""
    entry = Entry.objects.filter(index=index).first()
    if entry is None:
        return None
    payload = Payload.objects.filter(index=index).first()
    return EntryDetail(entry, None if payload is None else unseal_payload(payload.key, bytes(payload.ciphertext)))


def entry_json(entry: Entry) -> dict[str, object]:
    """What pages, REST and the feed show: everything in the header, title and leaf; never the payload."""
    header: dict[str, object] = orjson.loads(bytes(entry.header))
    header.pop("v", None)
    kind = KINDS.get(entry.kind)
    first = {
        "index": entry.index,
        "time": format_time(entry.time),
        "kind": entry.kind,
        "title": kind.title if kind else entry.kind,
    }
    return {**first, **{name: value for name, value in header.items() if name not in first}, "leaf": entry.leaf.hex()}


# --- Finding ------------------------------------------------------------------------------------------------------


def find_entries(wanted: EntryFilter, *, before: int | None = None, after: int | None = None, limit: int = 50) -> Page:
    """Always newest first; `after` gives the page next to that index, not the newest page.

    Raises `SearchTooBroad` when a text search finds too little for too long.
    """
    limit = max(1, min(limit, MOST_PER_PAGE))
    catch_up()
    matching = _matching(wanted)
    if after is not None:
        rows = list(matching.filter(index__gt=after).order_by("index")[: limit + 1])
        page = _entries(rows[:limit][::-1])
        return Page(page, page[-1].index if page else None, page[0].index if len(rows) > limit else None)
    if before is not None:
        matching = matching.filter(index__lt=before)
    rows = list(matching.order_by("-index")[: limit + 1])
    page = _entries(rows[:limit])
    newer = page[0].index if page and before is not None else None
    return Page(page, page[-1].index if len(rows) > limit else None, newer)


def _entries(indexes: list[int]) -> list[Entry]:
    found = Entry.objects.in_bulk(indexes)
    return [found[index] for index in indexes]


def _matching(wanted: EntryFilter) -> QuerySet[SearchEntry, int]:
    matching = _within(SearchEntry.objects.values_list("index", flat=True), wanted.since, wanted.until)
    for column in ("kind", "principal", "datasource", "verdict", "fingerprint", "run"):
        value = getattr(wanted, column)
        if value is not None:
            matching = matching.none() if "\x00" in value else matching.filter(**{column: value})
    for column in ("query", "request"):
        value = getattr(wanted, column)
        if value is not None:
            identifier = _uuid(value)
            matching = matching.none() if identifier is None else matching.filter(**{column: identifier})
    if wanted.relation is not None:
        matching = _with_term(matching, "relations", wanted.relation)
    return matching if wanted.text is None else _with_text(matching, wanted.text)


def _with_term(matching: QuerySet[SearchEntry, int], field: str, value: str) -> QuerySet[SearchEntry, int]:
    if "\x00" in value:
        return matching.none()
    term = Func(Value(f"{TERMS[field]}:{value}"), Value(0), function="hashtextextended", output_field=BigIntegerField())
    return matching.filter(Exists(SearchTerm.objects.filter(term=term, index=OuterRef("index"))))


def _within(
    entries: QuerySet[SearchEntry, int], since: datetime | None, until: datetime | None
) -> QuerySet[SearchEntry, int]:
    for moment, bound in ((since, "index__gte"), (until, "index__lt")):
        if moment is not None:
            first = _first_index_at(moment)
            if first is not None:
                entries = entries.filter(**{bound: first})
            elif moment is since:
                return entries.none()
    return entries


def _first_index_at(moment: datetime) -> int | None:
    return (
        SearchEntry.objects.filter(time__gte=moment).order_by("time", "index").values_list("index", flat=True).first()
    )


def _with_text(entries: QuerySet[SearchEntry, int], text: str) -> QuerySet[SearchEntry, int]:
    if "\x00" in text or len(text) > LONGEST_SEARCH_TEXT:
        return entries.none()
    # `icontains` escapes what LIKE would read as a pattern.
    return entries.filter(text__in=list(SearchText.objects.filter(text__icontains=text).values_list("id", flat=True)))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


# --- Counting -----------------------------------------------------------------------------------------------------

# Each statement counts once, with the first verdict on it: the run of an approved one was counted when it was parked.
_COUNT = """
SELECT width_bucket(extract(epoch FROM "time")::float8, %(since)s, %(until)s, %(buckets)s),
       count(*) FILTER (WHERE kind = 'statement.intent' AND verdict = 'allow' AND request IS NULL),
       count(*) FILTER (WHERE kind = 'statement.parked'),
       count(*) FILTER (WHERE kind = 'statement.denied')
FROM audit_searchentry
WHERE "time" >= to_timestamp(%(since)s) AND "time" < to_timestamp(%(until)s)
  AND kind IN ('statement.intent', 'statement.parked', 'statement.denied')
GROUP BY 1
"""


def verdict_counts(since: datetime, until: datetime, buckets: int) -> list[Bucket]:
    """`buckets` spans of equal length from `since` to `until`, empty ones included."""
    if until <= since or buckets < 1:
        raise ValueError("until must be later than since, and there must be at least one bucket")
    catch_up()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"since": since.timestamp(), "until": until.timestamp(), "buckets": buckets})
        counted = {number: counts for number, *counts in cursor.fetchall()}
    width = (until - since) / buckets
    return [Bucket(since + width * number, *counted.get(number + 1, (0, 0, 0))) for number in range(buckets)]
