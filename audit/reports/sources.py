"""Reads what reports count: headers of chosen kinds in the order of the log, and statements grouped by data class.

Memory is bounded: the database reads one stretch of indexes after the other, and where one row stands for one statement
of millions it sends groups. Archived entries are read from their files and grouped here, in the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import DataError, connection

from audit.models import Head
from audit.reading import entries_between
from audit.reports.periods import place_of
from audit.reports.scope import Scope

SPAN = 50_000
INTENT, REVIEW = "statement.intent", "review.given"
PRIVILEGED = frozenset({"ddl", "privilege", "admin"})

Fields = dict[str, Any]


class ReportError(Exception):
    """The report cannot be made. The message says why and what next."""


@dataclass(frozen=True, slots=True)
class ClassGroup:
    """Statements that touched one data class; those of all classes together where `data_class` is None."""

    bucket: int
    principal: str
    owner: str
    on_behalf_of: str
    data_class: str | None
    statements: int
    unmasked: int


_SOME = "s.kind = ANY(%(kinds)s) AND s.index >= %(first)s AND s.index < %(end)s"
_HEADERS = f"""
SELECT e.header FROM audit_searchentry AS s JOIN audit_entry AS e ON e.index = s.index
WHERE {_SOME} ORDER BY s.index
"""  # noqa: S608  put together from constants of this module
_APPROVED_HEADERS = f"""
SELECT e.header FROM audit_searchentry AS s JOIN audit_entry AS e ON e.index = s.index
WHERE {_SOME} AND s.request IS NOT NULL AND position('"classes":["'::bytea IN e.header) > 0 ORDER BY s.index
"""  # noqa: S608
# A look at the bytes first: parsing every header would take ten times as long.
_PRIVILEGED_HEADERS = f"""
SELECT e.header FROM audit_searchentry AS s JOIN audit_entry AS e ON e.index = s.index
WHERE {_SOME} AND (position('"ddl"'::bytea IN e.header) > 0 OR position('"privilege"'::bytea IN e.header) > 0
  OR position('"admin"'::bytea IN e.header) > 0)
ORDER BY s.index
"""  # noqa: S608
# Statements that are alike in all this are one row, however many there are.
_CLASSES = f"""
SELECT width_bucket(s."time", %(starts)s::timestamptz[]) - 1, coalesce(s.principal, ''), coalesce(s.owner, ''),
       coalesce(s.on_behalf_of, ''), field.classes, field.unmasked, count(*)
FROM audit_searchentry AS s JOIN audit_entry AS e ON e.index = s.index,
     json_to_record(convert_from(e.header, 'UTF8')::json) AS field(classes text[], unmasked text[])
WHERE {_SOME} AND position('"classes":["'::bytea IN e.header) > 0
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608
_REVIEWS = """
SELECT e.header FROM audit_searchentry AS s JOIN audit_entry AS e ON e.index = s.index
WHERE s.request = ANY(%(requests)s::uuid[]) AND s.kind IN ('review.given', 'request.created')
  AND s.index < %(end)s
ORDER BY s.index
"""


def events(scope: Scope, kinds: Collection[str], *, end: int | None = None) -> Iterator[Fields]:
    """The headers of these kinds; up to `end`, where what happened after the period matters too."""
    return _headers(_HEADERS, scope, kinds, lambda _fields: True, end)


def approved_with_classes(scope: Scope) -> Iterator[Fields]:
    """Intents that people had approved, of statements that touch classified columns."""
    return _headers(
        _APPROVED_HEADERS, scope, [INTENT], lambda fields: bool(fields.get("request") and fields.get("classes"))
    )


def privileged(scope: Scope, kinds: Collection[str]) -> Iterator[Fields]:
    """Statements that define, grant or administer."""
    return _headers(
        _PRIVILEGED_HEADERS, scope, kinds, lambda fields: not PRIVILEGED.isdisjoint(fields.get("kinds") or ())
    )


def reviewers_of(requests: Collection[str], end: int) -> dict[str, list[str]]:
    """Who had approved each of these requests before `end`, in the order in which they did. Reviews are found by their
    request, whenever they were given, in archives too where the request itself is not in the database."""
    found: dict[str, list[str]] = {}
    wanted = sorted(requests)
    known = set()
    for start in range(0, len(wanted), 1_000):
        with connection.cursor() as cursor:
            cursor.execute(_REVIEWS, {"requests": wanted[start : start + 1_000], "end": end})
            rows = cursor.fetchall()
        for (header,) in rows:
            fields = _parsed(bytes(header))
            if fields["kind"] == "request.created":
                known.add(fields["request"])
            _note_approval(found, fields)
    if older := set(wanted) - known:
        early: dict[str, list[str]] = {}
        for fields in _archived_reviews(older, end):
            _note_approval(early, fields)
        found |= {request: [*early[request], *found.get(request, [])] for request in early}
    return found


def _note_approval(found: dict[str, list[str]], fields: Fields) -> None:
    if fields["kind"] == REVIEW and fields.get("review") == "approve":
        found.setdefault(fields["request"], []).append(fields.get("actor", ""))


def _archived_reviews(requests: Collection[str], end: int) -> Iterator[Fields]:
    for row in entries_between(0, min(end, Head.objects.get(id=1).first)):
        if row.kind == REVIEW and (fields := _parsed(bytes(row.header))).get("request") in requests:
            yield fields


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def time_of(fields: Fields) -> datetime:
    return moment(fields["time"])


def _headers(query: str, scope: Scope, kinds: Collection[str], fits: Any, end: int | None = None) -> Iterator[Fields]:
    until = scope.end if end is None else end
    for fields in _archived(scope, kinds, until):
        if fits(fields):
            yield fields
    for rows in _spans(query, scope, {"kinds": list(kinds)}, until):
        for (header,) in rows:
            fields = _parsed(bytes(header))
            if fits(fields):
                yield fields


def _archived(scope: Scope, kinds: Collection[str], end: int) -> Iterator[Fields]:
    if scope.first >= scope.live:
        return
    for row in entries_between(scope.first, min(end, scope.live)):
        if row.kind in kinds:
            yield _parsed(bytes(row.header))


def _spans(query: str, scope: Scope, values: dict[str, Any], end: int) -> Iterator[list[tuple[Any, ...]]]:
    for start in range(max(scope.first, scope.live), end, SPAN):
        bounds = {"first": start, "end": min(end, start + SPAN)}
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, {**values, **bounds})
                rows = cursor.fetchall()
        except DataError as error:
            raise ReportError(
                f"An entry from {bounds['first']} to {bounds['end'] - 1} has a header that cannot be read."
                " Run “manage.py ledger verify”: it names the entry."
            ) from error
        yield rows


def _parsed(header: bytes) -> Fields:
    try:
        return dict(orjson.loads(header))
    except (orjson.JSONDecodeError, TypeError, ValueError) as error:
        raise ReportError(
            "An entry's header cannot be read. Run “manage.py ledger verify”: it names the entry."
        ) from error


# --- Data classes -------------------------------------------------------------------------------------------------


def class_groups(scope: Scope) -> Iterator[ClassGroup]:
    """Of statements that were let run. The same group comes once for each stretch that was read."""
    for fields in _archived(scope, [INTENT], scope.end):
        who = (fields.get("principal", ""), fields.get("owner", ""), fields.get("on_behalf_of", ""))
        bucket = place_of(time_of(fields), scope.cut)
        yield from _by_class(bucket, who, fields.get("classes"), fields.get("unmasked"), 1)
    values = {"kinds": [INTENT], "starts": [bucket.start for bucket in scope.cut]}
    for rows in _spans(_CLASSES, scope, values, scope.end):
        for bucket, principal, owner, behalf, classes, unmasked, count in rows:
            yield from _by_class(bucket, (principal, owner, behalf), classes, unmasked, count)


def _by_class(
    bucket: int, who: tuple[str, str, str], classes: list[str] | None, unmasked: list[str] | None, count: int
) -> Iterator[ClassGroup]:
    touched, seen = set(classes or ()), set(unmasked or ())
    if not touched:
        return
    for data_class in sorted(touched):
        yield ClassGroup(bucket, *who, data_class, count, count if data_class in seen else 0)
    yield ClassGroup(bucket, *who, None, count, count if seen else 0)
