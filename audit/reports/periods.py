"""From `month` or two dates to a stretch of time, in a named time zone; and how it is cut for a plot. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from audit.reports.model import Period

PRESETS = {"week": "This week", "month": "This month", "quarter": "This quarter", "year": "This year"}
# A plot has about this many bars at most; the first step that needs no more is taken.
MOST_BARS = 62
LONGEST = timedelta(days=3660)


class PeriodError(ValueError):
    """The period makes no sense. The message says what would."""


@dataclass(frozen=True, slots=True)
class Bucket:
    start: datetime
    end: datetime
    label: str


def zone_named(name: str) -> tzinfo:
    """Raises `PeriodError` for a name that is not an IANA time zone."""
    if name == "UTC":
        return UTC
    # Names become paths of files, so only those that are known are looked up.
    if name not in available_timezones():
        raise PeriodError(f"There is no time zone {name!r}. Use a name like UTC, Europe/Stockholm or America/New_York.")
    return ZoneInfo(name)


def preset_period(preset: str, now: datetime, zone: str = "UTC") -> Period:
    """From the start of the week (Monday), month, quarter or year in that zone to the start of the next one."""
    inside = now.astimezone(zone_named(zone))
    if preset not in PRESETS:
        raise PeriodError(f"The period must be one of {', '.join(PRESETS)}, or two dates.")
    first, after = _bounds(preset, inside.date())
    return Period(_midnight(first, zone), _midnight(after, zone), zone, preset)


def custom_period(since: str, until: str, zone: str = "UTC") -> Period:
    """Dates, or times as ISO 8601 writes them; without an offset they are in `zone`. A last date is included."""
    start, end = _moment(since, zone, "from", whole_day=False), _moment(until, zone, "until", whole_day=True)
    if end <= start:
        raise PeriodError("The period must end after it begins.")
    if end - start > LONGEST:
        raise PeriodError("The period must be ten years at most.")
    return Period(start, end, zone)


def _moment(text: str, zone: str, which: str, *, whole_day: bool) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise PeriodError(
                f"{which!r} must be a date like 2026-01-31 or a time like 2026-01-31T12:00:00Z, not {text[:40]!r}."
            ) from None
        return _bounded(moment if moment.tzinfo else moment.replace(tzinfo=zone_named(zone)), which)
    try:
        return _bounded(_midnight(day + timedelta(days=1) if whole_day else day, zone), which)
    except OverflowError:
        raise PeriodError(f"{which!r} must be from 1970 to 9998.") from None


def _bounded(moment: datetime, which: str) -> datetime:
    if not 1970 <= moment.year <= 9998:
        raise PeriodError(f"{which!r} must be from 1970 to 9998.")
    return moment.astimezone(UTC)


def _bounds(preset: str, day: date) -> tuple[date, date]:
    if preset == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    if preset == "month":
        return day.replace(day=1), _months_on(day.replace(day=1), 1)
    if preset == "quarter":
        first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        return first, _months_on(first, 3)
    return day.replace(month=1, day=1), day.replace(year=day.year + 1, month=1, day=1)


def _months_on(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    return first.replace(year=first.year + years, month=month + 1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), zone_named(zone)).astimezone(UTC)


def buckets(period: Period) -> tuple[Bucket, ...]:
    """Hours for up to two and a half days, then days, weeks and months, as the zone's calendar has them."""
    length = period.until - period.since
    if length <= timedelta(hours=MOST_BARS):
        return tuple(_cut(period, "hour"))
    days = length / timedelta(days=1)
    return tuple(_cut(period, "day" if days <= MOST_BARS else "week" if days <= MOST_BARS * 7 else "month"))


def step_word(period: Period) -> str:
    """What one bar stands for."""
    length = period.until - period.since
    days = length / timedelta(days=1)
    if length <= timedelta(hours=MOST_BARS):
        return "hour"
    return "day" if days <= MOST_BARS else "week" if days <= MOST_BARS * 7 else "month"


def _cut(period: Period, step: str) -> Iterator[Bucket]:
    start, inside = period.since, period.since.astimezone(zone_named(period.zone))
    while start < period.until:
        end = min(_next(inside, step, period.zone), period.until)
        yield Bucket(start, end, _label(inside, step))
        start, inside = end, end.astimezone(zone_named(period.zone))


def _next(inside: datetime, step: str, zone: str) -> datetime:
    if step == "hour":
        # In UTC, so that the hour that a change of clocks repeats or skips has its true length.
        exact = inside.astimezone(UTC)
        return (
            exact
            + timedelta(hours=1)
            - timedelta(minutes=exact.minute, seconds=exact.second, microseconds=exact.microsecond)
        )
    day = inside.date()
    if step == "day":
        return _midnight(day + timedelta(days=1), zone)
    return _midnight(_bounds("week" if step == "week" else "month", day)[1], zone)


def _label(inside: datetime, step: str) -> str:
    if step == "hour":
        return f"{inside.day} {inside:%b %H:%M}"
    return f"{inside:%b %Y}" if step == "month" else f"{inside.day} {inside:%b}"


def place_of(moment: datetime, cut: tuple[Bucket, ...]) -> int:
    """Which of the buckets holds this moment; the nearest one for moments outside."""
    low, high = 0, len(cut) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if cut[middle].start <= moment else (low, middle - 1)
    return low
