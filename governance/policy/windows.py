"""Maintenance windows: when what was approved may run. Pure.

`mon-fri 22:00-06:00 Europe/Stockholm; sat,sun 00:00-24:00 UTC`: days, a span of the clock, a time zone; any of those that `;`
separates. A span that ends at or before its start crosses midnight and belongs to the day on which it starts. What counts is
the clock on the wall there: where it is set back, an hour that comes twice is in the window twice; one that is skipped is not.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SPANS = 20
FARTHEST = timedelta(days=366)
_DAY = timedelta(days=1)
_FULL_DAY = 24 * 60
_CLOCK = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])\Z")
_EXAMPLE = 'such as "mon-fri 22:00-06:00 Europe/Stockholm"'


class WindowError(ValueError):
    """The text is not a window. Says what is wrong with it."""


class NeverOpen(Exception):
    """No moment within a year lies in all of the windows."""


@dataclass(frozen=True, slots=True)
class Span:
    """On `days` (0 is Monday), from `start` to `end` in minutes of the day; `end` is above a day's where it crosses one."""

    days: frozenset[int]
    start: int
    end: int
    zone: ZoneInfo

    def holds(self, at: datetime) -> bool:
        local = at.astimezone(self.zone)
        minute, day = local.hour * 60 + local.minute, local.weekday()
        today = day in self.days and self.start <= minute < self.end
        return today or ((day - 1) % 7 in self.days and minute < self.end - _FULL_DAY)

    def openings(self, day: date) -> Iterator[datetime]:
        """The moments on this day, there, at which the clock comes to its start; and those at which the clock is set."""
        if day.weekday() in self.days:
            start = datetime.combine(day, time(self.start // 60, self.start % 60), self.zone)
            yield from (start.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        yield from _set(self.zone, day)


@dataclass(frozen=True, slots=True)
class Window:
    text: str
    spans: tuple[Span, ...]

    @staticmethod
    def parse(text: str) -> Window:
        """Raises `WindowError`."""
        return _parsed(text)

    def is_open(self, at: datetime) -> bool:
        return any(span.holds(at) for span in self.spans)


def is_open(windows: Iterable[Window | str], at: datetime) -> bool:
    """All of them, which is so where there are none."""
    return all(window.is_open(at) for window in _windows(windows))


def opening(windows: Iterable[Window | str], after: datetime) -> datetime:
    """The first moment from `after` on at which all of them are open. Raises `NeverOpen`."""
    wanted = _windows(windows)
    if is_open(wanted, after):
        return after
    spans = [span for window in wanted for span in window.spans]
    # Most open within days; a year is looked at where they do not.
    for days in (9, FARTHEST.days):
        horizon = after + timedelta(days=days)
        moments = sorted({moment for moment in _moments(spans, after, days) if after < moment <= horizon})
        if found := next((moment for moment in moments if is_open(wanted, moment)), None):
            return found
    raise NeverOpen(f"{' and '.join(repr(window.text) for window in wanted)} are never open together within a year")


def _moments(spans: Sequence[Span], after: datetime, days: int) -> Iterator[datetime]:
    """All at which what is closed can open. Days are taken with one to spare on both sides, for the zones' sake."""
    first = after.astimezone(UTC).date() - _DAY
    for number in range(days + 3):
        for span in spans:
            yield from span.openings(first + number * _DAY)


def _windows(windows: Iterable[Window | str]) -> tuple[Window, ...]:
    return tuple(Window.parse(one) if isinstance(one, str) else one for one in windows)


@lru_cache(maxsize=4096)
def _set(zone: ZoneInfo, day: date) -> tuple[datetime, ...]:
    """The moment on this day, if any, at which the clocks there are set, to the second."""
    before = datetime.combine(day, time(), UTC) - timedelta(hours=14)
    after = before + timedelta(hours=52)
    if before.astimezone(zone).utcoffset() == after.astimezone(zone).utcoffset():
        return ()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        same = middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset()
        before, after = (middle, after) if same else (before, middle)
    return (after,)


# --- Reading ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _parsed(text: str) -> Window:
    parts = [part.strip() for part in text.split(";")]
    if not any(parts):
        raise WindowError(f"it is empty; write days, a span and a time zone, {_EXAMPLE}")
    if len(parts) > MOST_SPANS:
        raise WindowError(f"it names {len(parts)} spans, at most {MOST_SPANS} are read")
    return Window("; ".join(parts), tuple(map(_span, parts)))


def _span(text: str) -> Span:
    words = text.split()
    if len(words) != 3:
        raise WindowError(f"{text!r} must be days, a span and a time zone, {_EXAMPLE}")
    start, end = _clocks(words[1])
    return Span(_days(words[0]), start, end, _zone(words[2]))


def _days(text: str) -> frozenset[int]:
    if text == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise WindowError(f"{part!r} names no days; days are {', '.join(DAYS)}, mon-fri, sat,sun or daily")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(found)


def _clocks(text: str) -> tuple[int, int]:
    start, _, end = text.partition("-")
    minutes = [_minute(one) for one in (start, end)]
    if None in minutes or minutes[0] == _FULL_DAY:
        raise WindowError(f"{text!r} is no span of the clock; write one such as 22:00-06:00 or 00:00-24:00")
    first, last = (minute or 0 for minute in minutes)
    if first == last:
        raise WindowError(f"{text!r} starts when it ends; for a whole day write 00:00-24:00")
    return first, last if last > first else last + _FULL_DAY


def _minute(text: str) -> int | None:
    match = _CLOCK.match(text)
    minute = int(match[1]) * 60 + int(match[2]) if match else None
    return minute if minute is None or minute <= _FULL_DAY else None


def _zone(name: str) -> ZoneInfo:
    # What is no name of a zone must not be looked for among files.
    if name not in _zones():
        raise WindowError(f"{name!r} is no time zone; write one such as Europe/Stockholm or UTC")
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
