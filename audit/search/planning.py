"""Which posting a search reads, and the statements that read it.

A posting is one value's entries in the order of the log: an index over (value, index). Every search is driven by one
condition's postings and compares the others entry by entry, so a page costs what it has to pass over, not what the
log holds. The rarest drives: how dense each is around the page's place is found by looking at its nearest few hundred.

The statements leave the database no other plan. Its own estimate reads a common value from the log's end and filters,
which takes minutes when that value was common only long ago; here both bounds are row comparisons and the order names
the value too, which nothing but the posting's index serves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.errors import QueryCanceled

from audit.following import TERMS as PREFIXES
from audit.search.filters import COLUMNS, IDENTIFIERS, LONGEST_SEARCH_TEXT, TERMS, EntryFilter, SearchTooBroad

LONGEST_SEARCH = timedelta(seconds=5)
PROBED = 400
# More texts than this are compared entry by entry instead of being driven by.
MOST_DRIVING = 200
MOST_TEXTS = 20_000
END = 2**62
NARROWER = (
    "The search took longer than {seconds:g} seconds. Give a time range, or a filter that few entries match: a run,"
    " a fingerprint, a query, a relation."
)


Value = int | str | list[Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """Entries that have one of `values` in `column`."""

    table: str
    column: str
    type: str
    values: tuple[Value, ...]

    @property
    def can_drive(self) -> bool:
        return len(self.values) <= MOST_DRIVING


@dataclass(frozen=True, slots=True)
class Plan:
    """What a filter comes to: a range of the log, and conditions, the driving one first if any can drive."""

    first: int
    end: int
    conditions: tuple[Condition, ...] = ()
    risk_min: int | None = None

    @property
    def is_empty(self) -> bool:
        return self.first >= self.end or any(not condition.values for condition in self.conditions)

    @property
    def only_time(self) -> bool:
        return not self.conditions and self.risk_min is None

    def within(self, first: int, end: int) -> Plan:
        return replace(self, first=max(self.first, first), end=min(self.end, end))


# --- From filter to plan ------------------------------------------------------------------------------------------


def plan_for(cursor: CursorWrapper, wanted: EntryFilter) -> Plan:
    plan = Plan(0, END, risk_min=wanted.risk_min)
    if wanted.since is not None:
        plan = replace(plan, first=_first_index_at(cursor, wanted.since, END))
    if wanted.until is not None:
        plan = replace(plan, end=_first_index_at(cursor, wanted.until, END))
    conditions = [_column(name, wanted.values(name)) for name in COLUMNS if getattr(wanted, name) is not None]
    if wanted.text is not None:
        conditions.insert(0, Condition("audit_searchentry", "text", "bigint", _texts(cursor, wanted.text)))
    for name, field in TERMS.items():
        if getattr(wanted, name) is not None:
            conditions.append(_term(cursor, PREFIXES[field], wanted.values(name)))
    return replace(plan, conditions=tuple(conditions))


def _first_index_at(cursor: CursorWrapper, moment: datetime, otherwise: int) -> int:
    """Time in the log never goes backwards, so a time is a place in it."""
    cursor.execute('SELECT index FROM audit_searchentry WHERE "time" >= %s ORDER BY "time", index LIMIT 1', [moment])
    row = cursor.fetchone()
    return row[0] if row else otherwise


def _column(name: str, values: tuple[str, ...]) -> Condition:
    if name in IDENTIFIERS:
        return Condition("audit_searchentry", name, "uuid", tuple(value for value in values if _is_identifier(value)))
    return Condition("audit_searchentry", name, "text", tuple(value for value in values if "\x00" not in value))


def _is_identifier(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4  # as EntryFilter.values spells them


def _term(cursor: CursorWrapper, prefix: str, values: tuple[str, ...]) -> Condition:
    names = [f"{prefix}:{value}" for value in values if "\x00" not in value]
    cursor.execute("SELECT hashtextextended(name, 0) FROM unnest(%s::text[]) AS name", [names])
    return Condition("audit_searchterm", "term", "bigint", tuple(term for (term,) in cursor.fetchall()))


def _texts(cursor: CursorWrapper, text: str) -> tuple[int, ...]:
    """Many entries share few texts, so these are searched instead of the entries."""
    if "\x00" in text or len(text) > LONGEST_SEARCH_TEXT:
        return ()
    pattern = "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in text)
    cursor.execute("SELECT id FROM audit_searchtext WHERE text ILIKE %s LIMIT %s", [f"%{pattern}%", MOST_TEXTS + 1])
    found = tuple(number for (number,) in cursor.fetchall())
    if len(found) > MOST_TEXTS:
        raise SearchTooBroad(f"More than {MOST_TEXTS:,} different statements hold this text. Give more of it.")
    return found


# --- Reading postings ---------------------------------------------------------------------------------------------


def read_indexes(cursor: CursorWrapper, plan: Plan, limit: int, *, newest_first: bool = True) -> list[int]:
    """The first `limit` entries of the plan from the end, or from the beginning."""
    if plan.is_empty:
        return []
    plan = _driven(cursor, plan, newest_first=newest_first)
    driving = plan.conditions[0] if plan.conditions and plan.conditions[0].can_drive else None
    order = "DESC" if newest_first else "ASC"
    if driving is None:
        cursor.execute(*_walk(plan, order, limit))
        return [index for (index,) in cursor.fetchall()]
    parts = [_posting(plan, driving, value, order, limit) for value in driving.values]
    statement = " UNION ALL ".join(f"({text})" for text, _ in parts)
    cursor.execute(statement, [value for _, values in parts for value in values])
    # One entry can have several of a term's values.
    return sorted({index for (index,) in cursor.fetchall()}, reverse=newest_first)[:limit]


def _driven(cursor: CursorWrapper, plan: Plan, *, newest_first: bool) -> Plan:
    """The plan with its rarest condition first. Looks no further once one is found that few entries match."""
    able = [condition for condition in plan.conditions if condition.can_drive]
    if len(able) < 2:
        return replace(plan, conditions=(*able, *(one for one in plan.conditions if one not in able)))
    best, least = able[0], float("inf")
    for condition in able:
        count, density = _density(cursor, plan, condition, newest_first=newest_first)
        if density < least:
            best, least = condition, density
        if count < PROBED:
            break
    return replace(plan, conditions=(best, *(one for one in plan.conditions if one is not best)))


def _density(cursor: CursorWrapper, plan: Plan, condition: Condition, *, newest_first: bool) -> tuple[int, float]:
    """How many entries match, up to `PROBED` for each value; and which share of those around the page's place does."""
    total, density = 0, 0.0
    order, farthest = ("DESC", "min") if newest_first else ("ASC", "max")
    bare = Plan(plan.first, plan.end)
    for value in condition.values:
        statement, values = _posting(bare, condition, value, order, PROBED)
        cursor.execute(f"SELECT count(*), {farthest}(index) FROM ({statement}) AS near", values)  # noqa: S608
        count, index = cursor.fetchone()
        if count == PROBED:
            span = (min(plan.end, _size(cursor)) - index) if newest_first else index - plan.first
            density += count / max(1, span)
        total += count
    return total, density


def _size(cursor: CursorWrapper) -> int:
    cursor.execute("SELECT index FROM audit_searchentry ORDER BY index DESC LIMIT 1")
    row = cursor.fetchone()
    return row[0] + 1 if row else 0


def _posting(plan: Plan, driving: Condition, value: Value, order: str, limit: int) -> tuple[str, list[Value]]:
    """The plain comparison in front says that the column is not null, which the index's own condition asks for."""
    column, place = f"d.{driving.column}", f"(%s::{driving.type}, %s::bigint)"
    others = tuple(one for one in plan.conditions if one is not driving)
    rest, values = _compared(replace(plan, conditions=others), driving.table)
    statement = (
        f"SELECT d.index FROM {driving.table} AS d WHERE {column} >= %s AND ({column}, d.index) >= {place}"  # noqa: S608
        f" AND ({column}, d.index) < {place}{rest} ORDER BY {column} {order}, d.index {order} LIMIT {limit:d}"
    )
    return statement, [value, value, plan.first, value, plan.end, *values]


def _walk(plan: Plan, order: str, limit: int) -> tuple[str, list[Value]]:
    rest, values = _compared(plan, "audit_searchentry")
    statement = (
        f"SELECT d.index FROM audit_searchentry AS d WHERE d.index >= %s AND d.index < %s{rest}"  # noqa: S608
        f" ORDER BY d.index {order} LIMIT {limit:d}"
    )
    return statement, [plan.first, plan.end, *values]


def _compared(plan: Plan, table: str) -> tuple[str, list[Value]]:
    """What is looked up for each entry that drives. Scalar sub-selects: the database cannot turn them into joins."""
    own: list[str] = []
    terms: list[str] = []
    values: list[Value] = []
    term_values: list[Value] = []
    for condition in plan.conditions:
        if condition.table == "audit_searchterm":
            terms.append(
                " AND coalesce((SELECT true FROM audit_searchterm AS t WHERE t.term = ANY(%s::bigint[])"
                " AND t.index = d.index LIMIT 1), false)"
            )
            term_values.append(list(condition.values))
        else:
            own.append(f"{{e}}.{condition.column} = ANY(%s::{condition.type}[])")
            values.append(list(condition.values))
    if plan.risk_min is not None:
        own.append(f"{{e}}.risk >= {plan.risk_min:d}")
    text = " AND ".join(own)
    if own and table == "audit_searchentry":
        text = " AND " + text.format(e="d")
    elif own:
        text = f" AND (SELECT {text.format(e='e')} FROM audit_searchentry AS e WHERE e.index = d.index)"  # noqa: S608
    return text + "".join(terms), [*values, *term_values]


# --- Bounds -------------------------------------------------------------------------------------------------------


@contextmanager
def bounded(longest: timedelta | None = None) -> Iterator[CursorWrapper]:
    """A cursor for searching: no statement runs longer than `longest`. Nothing that it sets outlives it."""
    longest = LONGEST_SEARCH if longest is None else longest
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true), set_config('enable_bitmapscan', 'off', true),"
                " set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)",
                [str(int(longest / timedelta(milliseconds=1)))],
            )
            yield cursor
            transaction.set_rollback(True)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise SearchTooBroad(NARROWER.format(seconds=longest.total_seconds())) from error
        raise
