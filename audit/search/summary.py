"""What a search finds, at a glance: how many of what, and when. Bounded in cost: where very many match, the newest count.

Over the whole log and nothing but a time range, the histogram is exact at any size: indexes have no gaps, so between
two times there are as many entries as their indexes lie apart.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from audit.following import TERMS as PREFIXES
from audit.following import catch_up
from audit.search.archives import archived_before
from audit.search.filters import NAMES, TERMS, EntryFilter
from audit.search.planning import END, Plan, bounded, plan_for, read_indexes

SAMPLE = 10_000
MOST_BARS = 60
# No log is older, and rounding a time down never leaves what a time can be.
EPOCH = datetime.fromtimestamp(0, UTC)
MOST_OF_FACET = 8
MOST_TERMS = 80
LONGEST = timedelta(seconds=2)
FACETS = ("verdict", "kind", "status", "principal", "datasource", "on_behalf_of")
STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 90 * 86400)
)
VERDICTS = ("allow", "review", "deny")


@dataclass(frozen=True, slots=True)
class Bar:
    """`other` counts what carries no verdict, and everything where verdicts were not counted."""

    start: datetime
    end: datetime
    allow: int = 0
    review: int = 0
    deny: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return self.allow + self.review + self.deny + self.other


@dataclass(frozen=True, slots=True)
class Overview:
    """`total` match in all, or more than that where `counts_all` is false; `bars_count_all` says it of the histogram.

    `facets` has the commonest values of each field with how often they are among the newest `counted` matches.
    """

    total: int
    counted: int
    counts_all: bool
    bars_count_all: bool
    facets: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    bars: tuple[Bar, ...] = ()


def overview(wanted: EntryFilter) -> Overview:
    """Of what is live; archives are not counted. Raises `SearchTooBroad`."""
    catch_up()
    with bounded(LONGEST) as cursor:
        plan = plan_for(cursor, wanted).within(archived_before(), END)
        indexes = read_indexes(cursor, plan, SAMPLE + 1)
        counts_all, sample = len(indexes) <= SAMPLE, indexes[:SAMPLE]
        if not sample:
            return Overview(0, 0, counts_all=True, bars_count_all=True)
        facets = _columns(cursor, sample) | _terms(cursor, sample)
        if plan.only_time and not counts_all:
            first = _oldest(cursor, plan)
            total, bars = sample[0] + 1 - first, _bars_of_log(cursor, wanted, first, sample[0])
            return Overview(total, len(sample), True, True, facets, bars)
        bars = _bars(cursor, wanted if counts_all else EntryFilter(until=wanted.until), sample)
        return Overview(len(sample), len(sample), counts_all, counts_all, facets, bars)


# --- Facets -------------------------------------------------------------------------------------------------------

_COUNT_COLUMNS = (
    f"WITH found AS MATERIALIZED (SELECT {', '.join(FACETS)} FROM audit_searchentry WHERE index = ANY(%s))"  # noqa: S608
    + " UNION ALL ".join(
        f"(SELECT '{name}', {name}, count(*) FROM found WHERE {name} IS NOT NULL GROUP BY {name}"  # noqa: S608
        f" ORDER BY 3 DESC, 2 LIMIT {MOST_OF_FACET})"
        for name in FACETS
    )
)
_COUNT_TERMS = """
SELECT term, count(*), max(index) FROM audit_searchterm WHERE index = ANY(%s) GROUP BY term ORDER BY 2 DESC LIMIT %s
"""


def _columns(cursor: CursorWrapper, sample: list[int]) -> dict[str, list[tuple[str, int]]]:
    cursor.execute(_COUNT_COLUMNS, [sample])
    facets: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, value, count in cursor.fetchall():
        facets[name].append((value, count))
    return dict(facets)


def _terms(cursor: CursorWrapper, sample: list[int]) -> dict[str, list[tuple[str, int]]]:
    """Postings hold hashes: an entry that has the term says what it is called."""
    cursor.execute(_COUNT_TERMS, [sample, MOST_TERMS])
    counted = {term: (count, index) for term, count, index in cursor.fetchall()}
    names = _names(cursor, sorted({index for _, index in counted.values()}))
    facets: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for term, (count, _) in counted.items():
        if term in names:
            prefix, _, value = names[term].partition(":")
            facets[prefix].append((value, count))
    return {
        NAMES.get(name, name): sorted(facets[PREFIXES[header]], key=lambda one: (-one[1], one[0]))[:MOST_OF_FACET]
        for name, header in TERMS.items()
        if facets[PREFIXES[header]]
    }


def _names(cursor: CursorWrapper, indexes: list[int]) -> dict[int, str]:
    cursor.execute("SELECT header FROM audit_entry WHERE index = ANY(%s)", [indexes])
    names: set[str] = set()
    for (header,) in cursor.fetchall():
        try:
            fields = orjson.loads(bytes(header))
        except orjson.JSONDecodeError:
            continue
        names |= {f"{prefix}:{value}" for name, prefix in PREFIXES.items() for value in fields.get(name) or ()}
    cursor.execute("SELECT hashtextextended(name, 0), name FROM unnest(%s::text[]) AS name", [sorted(names)])
    return dict(cursor.fetchall())


# --- Over time ----------------------------------------------------------------------------------------------------


def _bars(cursor: CursorWrapper, wanted: EntryFilter, sample: list[int]) -> tuple[Bar, ...]:
    cursor.execute(
        'SELECT "time", verdict FROM audit_searchentry WHERE index = ANY(%s) ORDER BY index',
        [sample],
    )
    times = cursor.fetchall()
    start, step, count = _spans(wanted, times[0][0], times[-1][0])
    counts = [dict.fromkeys((*VERDICTS, "other"), 0) for _ in range(count)]
    for at, verdict in times:
        counts[min(count - 1, max(0, (at - start) // step))][verdict if verdict in VERDICTS else "other"] += 1
    return tuple(Bar(start + step * place, start + step * (place + 1), **these) for place, these in enumerate(counts))


def _bars_of_log(cursor: CursorWrapper, wanted: EntryFilter, first: int, last: int) -> tuple[Bar, ...]:
    cursor.execute('SELECT min("time"), max("time") FROM audit_searchentry WHERE index IN (%s, %s)', [first, last])
    start, step, count = _spans(wanted, *cursor.fetchone())
    edges = [start + step * place for place in range(count + 1)]
    cursor.execute(
        'SELECT (SELECT index FROM audit_searchentry WHERE "time" >= edge ORDER BY "time", index LIMIT 1)'
        " FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS edges(edge, place) ORDER BY place",
        [edges],
    )
    places = [min(last + 1, max(first, last + 1 if index is None else index)) for (index,) in cursor.fetchall()]
    return tuple(Bar(edges[place], edges[place + 1], other=places[place + 1] - places[place]) for place in range(count))


def _oldest(cursor: CursorWrapper, plan: Plan) -> int:
    return read_indexes(cursor, plan, 1, newest_first=False)[0]


def _spans(wanted: EntryFilter, oldest: datetime, newest: datetime) -> tuple[datetime, timedelta, int]:
    """Where bars begin, how long each is, how many: round steps, over the time asked for or that of what was found."""
    now = timezone.now()
    start = max(wanted.since, EPOCH) if wanted.since else oldest
    until = min(wanted.until or (now if wanted.since else newest), max(now, newest))
    until = max(until, newest + timedelta(microseconds=1))
    step = next((step for step in STEPS if (until - start) / step <= MOST_BARS - 1), (until - start) / (MOST_BARS - 1))
    seconds = step.total_seconds()
    start = datetime.fromtimestamp(start.timestamp() // seconds * seconds, UTC)
    return start, step, max(1, -(-(until - start) // step))
