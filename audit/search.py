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
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet, TextField
from django.db.models.expressions import RawSQL

from audit.entries import format_time
from audit.events import KINDS
from audit.merkle import Frontier
from audit.models import Entry, Head, Payload
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
    return EntryDetail(entry, None if payload is None else unseal_payload(bytes(payload.ciphertext)))


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
    matching = _matching(wanted)
    if after is not None:
        rows = _fetch(matching.filter(index__gt=after).order_by("index"), limit + 1, wanted)
        page = rows[:limit][::-1]
        return Page(page, page[-1].index if page else None, page[0].index if len(rows) > limit else None)
    if before is not None:
        matching = matching.filter(index__lt=before)
    rows = _fetch(matching.order_by("-index"), limit + 1, wanted)
    page = rows[:limit]
    newer = page[0].index if page and before is not None else None
    return Page(page, page[-1].index if len(rows) > limit else None, newer)


def _fetch(matching: QuerySet[Entry], limit: int, wanted: EntryFilter) -> list[Entry]:
    if wanted.text is None:
        return list(matching[:limit])
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            milliseconds = int(LONGEST_TEXT_SEARCH.total_seconds() * 1000)
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            found = list(matching[:limit])
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
            return found
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "57014":
            raise
        raise SearchTooBroad(
            f"The text search was ended after {LONGEST_TEXT_SEARCH.seconds} seconds."
            " Narrow it with a time range, a principal, a data source or a relation."
        ) from error


def _matching(wanted: EntryFilter) -> QuerySet[Entry]:
    matching = _within(Entry.objects.all(), wanted.since, wanted.until)
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
        matching = (
            matching.none() if "\x00" in wanted.relation else matching.filter(relations__contains=[wanted.relation])
        )
    return matching if wanted.text is None else _with_text(matching, wanted.text)


def _within(entries: QuerySet[Entry], since: datetime | None, until: datetime | None) -> QuerySet[Entry]:
    for moment, bound in ((since, "index__gte"), (until, "index__lt")):
        if moment is not None:
            first = _first_index_at(moment)
            if first is not None:
                entries = entries.filter(**{bound: first})
            elif moment is since:
                return entries.none()
    return entries


def _first_index_at(moment: datetime) -> int | None:
    return Entry.objects.filter(time__gte=moment).order_by("time", "index").values_list("index", flat=True).first()


def _with_text(entries: QuerySet[Entry], text: str) -> QuerySet[Entry]:
    if "\x00" in text or len(text) > LONGEST_SEARCH_TEXT:
        return entries.none()
    # `icontains` escapes what LIKE would read as a pattern.
    sql = RawSQL("convert_from(header, 'UTF8')::json ->> 'sql_normal'", [], output_field=TextField())
    return entries.alias(sql_normal=sql).filter(sql_normal__icontains=text)


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
FROM audit_entry
WHERE "time" >= to_timestamp(%(since)s) AND "time" < to_timestamp(%(until)s)
  AND kind IN ('statement.intent', 'statement.parked', 'statement.denied')
GROUP BY 1
"""


def verdict_counts(since: datetime, until: datetime, buckets: int) -> list[Bucket]:
    """`buckets` spans of equal length from `since` to `until`, empty ones included."""
    if until <= since or buckets < 1:
        raise ValueError("until must be later than since, and there must be at least one bucket")
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"since": since.timestamp(), "until": until.timestamp(), "buckets": buckets})
        counted = {number: counts for number, *counts in cursor.fetchall()}
    width = (until - since) / buckets
    return [Bucket(since + width * number, *counted.get(number + 1, (0, 0, 0))) for number in range(buckets)]
