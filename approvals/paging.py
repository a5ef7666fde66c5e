"""Pages by key: a page starts after the row that the one before ended with, so none slows with depth, and rows that come or
go meanwhile neither repeat nor hide others."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from approvals.models import Request

_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "expires_at": datetime.fromisoformat,
    "created_at": datetime.fromisoformat,
    "risk": int,
    "id": uuid.UUID,
}
_CURSOR = re.compile(r"[0-9A-Za-z:.+~-]{1,120}")


@dataclass(frozen=True, slots=True)
class Order:
    """`columns` as in `order_by`. The last is unique; the first bounds what an index has to read."""

    word: str
    columns: tuple[str, ...]


ORDERS: Mapping[str, Order] = {
    "expires": Order("Expires first", ("expires_at", "id")),
    "risk": Order("Highest risk", ("-risk", "expires_at", "id")),
    "newest": Order("Newest", ("-created_at", "-id")),
}


@dataclass(frozen=True, slots=True)
class Page:
    """`previous` and `next` are cursors, or empty where there is nothing that way."""

    rows: Sequence[Request]
    previous: str = ""
    next: str = ""


def page_of(
    rows: QuerySet[Request], order: Order, *, size: int, after: str = "", before: str = "", skip: int = 0
) -> Page:
    """A cursor that cannot be read counts as none: that is the first page. `skip` is for who counts rows instead."""
    if before and (backwards := _before(rows, order, size, before)):
        return backwards
    start = _beyond(order.columns, after)
    found = list((rows.filter(start) if start else rows).order_by(*order.columns)[skip : skip + size + 1])
    shown = found[:size]
    return Page(
        shown,
        previous=cursor_of(shown[0], order) if start and shown else "",
        next=cursor_of(shown[-1], order) if len(found) > size else "",
    )


def _before(rows: QuerySet[Request], order: Order, size: int, before: str) -> Page | None:
    """None where less than a page is there: then the first page shows it, full."""
    reverse = tuple(_reversed(column) for column in order.columns)
    end = _beyond(reverse, before)
    if end is None:
        return None
    found = list(rows.filter(end).order_by(*reverse)[: size + 1])
    if len(found) <= size:
        return None
    shown = found[size - 1 :: -1]
    return Page(shown, previous=cursor_of(shown[0], order), next=cursor_of(shown[-1], order))


def cursor_of(row: Request, order: Order) -> str:
    return "~".join(_spelled(getattr(row, column.removeprefix("-"))) for column in order.columns)


def within(order: Order, start: str, end: str) -> Q:
    """From the row of one cursor up to that of the other; one that is empty, or cannot be read, bounds nothing."""
    from_start = _beyond(tuple(map(_reversed, order.columns)), start)
    to_end = _beyond(order.columns, end)
    return (~from_start if from_start else Q()) & (~to_end if to_end else Q())


def _beyond(columns: tuple[str, ...], cursor: str) -> Q | None:
    values = _read(columns, cursor)
    if values is None:
        return None
    later = Q()
    for column, value in reversed(list(zip(columns, values, strict=True))):
        name, step = column.removeprefix("-"), "lt" if column.startswith("-") else "gt"
        tied = Q(**{name: value}) & later if later else Q(pk__in=[])
        later = Q(**{f"{name}__{step}": value}) | tied
    first, value = columns[0], values[0]
    # The same again, coarser: the planner starts an index here, and cannot see it in what is joined by OR.
    return Q(**{f"{first.removeprefix('-')}__{'lte' if first.startswith('-') else 'gte'}": value}) & later


def _read(columns: tuple[str, ...], cursor: str) -> list[Any] | None:
    parts = cursor.split("~")
    if not _CURSOR.fullmatch(cursor) or len(parts) != len(columns):
        return None
    try:
        values = [_PARSERS[name.removeprefix("-")](part) for name, part in zip(columns, parts, strict=True)]
    except (ValueError, OverflowError):
        return None
    # A time without zone, a number past the column's range: not one of ours.
    odd = [v for v in values if (isinstance(v, datetime) and v.tzinfo is None) or (isinstance(v, int) and abs(v) > 999)]
    return None if odd else values


def _reversed(column: str) -> str:
    return column.removeprefix("-") if column.startswith("-") else f"-{column}"


def _spelled(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
