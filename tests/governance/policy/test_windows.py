"""Maintenance windows: the clock on the wall there, summer time included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.policy.windows import NeverOpen, Window, WindowError, is_open, opening

NIGHT = "mon-fri 22:00-06:00 Europe/Stockholm"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "at", "expected"),
    [
        pytest.param(NIGHT, "2026-01-05 21:00", True, id="starts on Monday at ten, an hour before UTC"),
        pytest.param(NIGHT, "2026-01-05 20:59", False, id="not a minute earlier"),
        pytest.param(NIGHT, "2026-01-06 04:59", True, id="goes on past midnight"),
        pytest.param(NIGHT, "2026-01-06 05:00", False, id="its end is not in it"),
        pytest.param(NIGHT, "2026-01-10 04:00", True, id="Friday's night reaches into Saturday"),
        pytest.param(NIGHT, "2026-01-10 22:00", False, id="Saturday has none"),
        pytest.param(NIGHT, "2026-01-05 03:00", False, id="nor has the night before Monday"),
        pytest.param(NIGHT, "2026-07-06 20:00", True, id="two hours before UTC in summer"),
        pytest.param("sat,sun 00:00-24:00 UTC", "2026-01-10 00:00", True, id="a whole day"),
        pytest.param("fri-mon 01:00-02:00 UTC", "2026-01-11 01:30", True, id="days that go round the week"),
        pytest.param("daily 01:00-02:00 UTC; daily 05:00-06:00 UTC", "2026-01-11 05:30", True, id="any of several"),
        pytest.param("daily 02:15-02:45 Europe/Stockholm", "2026-10-25 00:30", True, id="the hour that comes twice"),
        pytest.param("daily 02:15-02:45 Europe/Stockholm", "2026-10-25 01:30", True, id="and comes again"),
        pytest.param("daily 02:15-02:45 Europe/Stockholm", "2026-10-25 00:50", False, id="but not between"),
    ],
)
def test_when_a_window_is_open(window: str, at: str, expected: bool) -> None:
    assert Window.parse(window).is_open(utc(at)) is expected


@pytest.mark.parametrize(
    ("windows", "after", "expected"),
    [
        pytest.param([], "2026-01-05 12:00", "2026-01-05 12:00", id="without windows at once"),
        pytest.param([NIGHT], "2026-01-05 22:00", "2026-01-05 22:00", id="at once while it is open"),
        pytest.param([NIGHT], "2026-01-05 12:00", "2026-01-05 21:00", id="tonight"),
        pytest.param([NIGHT], "2026-01-10 12:00", "2026-01-12 21:00", id="after the weekend"),
        pytest.param(
            [NIGHT, "daily 00:00-24:00 America/New_York"], "2026-01-05 12:00", "2026-01-05 21:00", id="within another"
        ),
        pytest.param(
            ["daily 22:00-02:00 UTC", "tue 00:00-12:00 UTC"], "2026-01-05 00:00", "2026-01-06 00:00", id="where both are"
        ),
        pytest.param(
            ["daily 02:30-05:00 Europe/Stockholm"], "2026-03-29 00:00", "2026-03-29 01:00",
            id="what starts in the hour that is skipped starts with the next"),
        pytest.param(
            ["daily 02:15-02:45 Europe/Stockholm"], "2026-03-29 00:00", "2026-03-30 00:15",
            id="what lies in the hour that is skipped is the next day"),
        pytest.param(
            ["sun 01:00-02:30 Europe/Stockholm"], "2026-10-25 00:40", "2026-10-25 01:00",
            id="when the clock is set back, it opens again"),
    ],
)  # fmt: skip
def test_the_next_opening(windows: list[str], after: str, expected: str) -> None:
    assert opening(windows, utc(after)) == utc(expected)


def test_windows_that_never_meet_are_told() -> None:
    with pytest.raises(NeverOpen, match="never open together within a year"):
        opening(["mon 01:00-02:00 UTC", "tue 01:00-02:00 UTC"], utc("2026-01-01 00:00"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        (" ; ", "it is empty"),
        ("22:00-06:00 UTC", "days, a span and a time zone"),
        ("weekdays 22:00-06:00 UTC", "'weekdays' names no days"),
        ("mon- 22:00-06:00 UTC", "names no days"),
        ("mon 22-06 UTC", "no span of the clock"),
        ("mon 24:00-06:00 UTC", "no span of the clock"),
        ("mon 22:00-24:30 UTC", "no span of the clock"),
        ("mon 22:60-23:00 UTC", "no span of the clock"),
        ("mon 22:00-22:00 UTC", "for a whole day"),
        ("mon 22:00-23:00 Stockholm", "no time zone"),
        ("mon 22:00-23:00 ../../etc/passwd", "no time zone"),
        (";".join(["mon 22:00-23:00 UTC"] * 21), "at most 20"),
    ],
)
def test_what_is_no_window_is_told_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(WindowError, match=reason):
        Window.parse(text)


quarters = st.integers(0, 95).map(lambda number: number * 15)
zones = st.sampled_from(["Europe/Stockholm", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
days = st.sampled_from(["daily", "mon-fri", "sat,sun", "sun", "fri-mon"])
# Weeks in which clocks are set, in one hemisphere or the other.
moments = st.builds(
    lambda day, minute: utc(day) + timedelta(minutes=minute),
    st.sampled_from(["2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31"]),
    st.integers(0, 2880),
)


@st.composite
def windows(draw: st.DrawFn) -> str:
    start, end = draw(st.lists(quarters, min_size=2, max_size=2, unique=True))
    clock = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    return f"{draw(days)} {clock} {draw(zones)}"


@given(st.lists(windows(), min_size=1, max_size=2), moments)
def test_the_next_opening_is_the_first_open_minute(found: list[str], after: datetime) -> None:
    """Held against looking at every minute of the next days; what opens later than that must not be open before."""
    minutes = (after + timedelta(minutes=number) for number in range(60 * 48))
    first = next((minute for minute in minutes if is_open(found, minute)), None)
    try:
        told = opening(found, after)
    except NeverOpen:
        told = None
    if first is None:
        assert told is None or told >= after + timedelta(hours=47)
    else:
        assert told == first
