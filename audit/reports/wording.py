"""How reports say things: names, spans of time, shares, middles. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from audit.reports.model import Cell, Period
from audit.reports.periods import zone_named

SYSTEM = "the system"


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def number_or_no(count: int, one: str, many: str = "") -> str:
    return plural(count, one, many) if count else f"no {many or one + 's'}"


def name_of(label: str | None) -> str:
    """`agent:bot` and `user:rita` without their kind."""
    return (label or SYSTEM).partition(":")[2] or (label or SYSTEM)


def owned(principal: str | None, owner: str | None) -> str:
    """Who answers for it, where that is somebody else."""
    return f"owned by {owner}" if owner and owner != name_of(principal) else ""


def listed(names: Iterable[str], most: int = 4) -> str:
    """`a, b and c`; what is beyond `most` as a number."""
    known = list(names)
    shown = known[:most] + ([f"{len(known) - most} more"] if len(known) > most else [])
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def span_text(seconds: float | None) -> str:
    """As people say it, two units at most: 45 s, 12 min, 3 h 20 min, 2 d 4 h."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if whole < 120:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, left = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {left} min" if left else f"{hours} h"
    days, left = divmod(hours, 24)
    return f"{days} d {left} h" if left else f"{days} d"


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else max(0.0, (end - start).total_seconds())


def quantile(values: Sequence[float], share: float) -> float | None:
    """By nearest rank: always a value that occurred."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def share_text(part: int, whole: int) -> str:
    if not whole:
        return "–"
    share = 100 * part / whole
    return "under 1 %" if 0 < share < 1 else "over 99 %" if 99 < share < 100 else f"{share:.0f} %"


def time_text(moment: datetime, zone: str, *, seconds: bool = True) -> str:
    inside = moment.astimezone(zone_named(zone))
    return f"{inside.day} {inside:%b %Y, %H:%M:%S}" if seconds else f"{inside.day} {inside:%b %Y, %H:%M}"


def period_text(period: Period) -> str:
    """`1 to 30 November 2026`, or both ends with their times where they are not whole days."""
    zone = zone_named(period.zone)
    start, end = period.since.astimezone(zone), period.until.astimezone(zone)
    if start.time() != end.time() or start.hour or start.minute or start.second:
        return f"{time_text(start, period.zone, seconds=False)} to {time_text(end, period.zone, seconds=False)} ({period.zone})"
    last = end - timedelta(days=1)
    if last.date() == start.date():
        return f"{start.day} {start:%B %Y} ({period.zone})"
    if (start.year, start.month) == (last.year, last.month):
        return f"{start.day} to {last.day} {last:%B %Y} ({period.zone})"
    head = f"{start.day} {start:%B}" if start.year == last.year else f"{start.day} {start:%B %Y}"
    return f"{head} to {last.day} {last:%B %Y} ({period.zone})"


def entry_cell(index: int) -> Cell:
    return Cell(index)
