"""Periods: presets in a time zone, dates and times, and how they are cut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from audit.reports.model import Period
from audit.reports.periods import PRESETS, PeriodError, buckets, custom_period, place_of, preset_period
from audit.reports.wording import period_text, quantile, share_text, span_text

NOW = datetime(2026, 5, 13, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("preset", "since", "until"),
    [
        ("week", "2026-05-11", "2026-05-18"),
        ("month", "2026-05-01", "2026-06-01"),
        ("quarter", "2026-04-01", "2026-07-01"),
        ("year", "2026-01-01", "2027-01-01"),
    ],
)
def test_a_preset_is_the_calendar_s(preset: str, since: str, until: str):
    period = preset_period(preset, NOW)
    assert (f"{period.since:%Y-%m-%d}", f"{period.until:%Y-%m-%d}") == (since, until)


def test_a_preset_begins_at_midnight_of_its_zone():
    period = preset_period("month", datetime(2026, 5, 31, 22, 30, tzinfo=UTC), "Europe/Stockholm")
    assert period.since == datetime(2026, 5, 31, 22, tzinfo=UTC)


def test_a_last_date_is_included_and_a_last_time_is_not():
    assert custom_period("2026-01-01", "2026-01-31").until == datetime(2026, 2, 1, tzinfo=UTC)
    assert custom_period("2026-01-01", "2026-01-31T12:00Z").until == datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "zone"),
    [
        ("yesterday", "2026-01-01", "UTC"),
        ("2026-01-02", "2026-01-01", "UTC"),
        ("2026-01-01", "2026-01-02", "Mars/Phobos"),
        ("2026-01-01", "2026-01-02", "../../etc/passwd"),
        ("2000-01-01", "2026-01-02", "UTC"),
        ("0001-01-01", "2026-01-02", "UTC"),
        ("2026-01-01", "9999-12-31", "UTC"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(since: str, until: str, zone: str):
    with pytest.raises(PeriodError):
        custom_period(since, until, zone)


@pytest.mark.parametrize("days", [1, 2, 3, 31, 62, 63, 365, 3000])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Stockholm", "America/New_York", "Asia/Kolkata"])
def test_buckets_cover_the_period_without_gap_or_overlap(days: int, zone: str):
    since = datetime(2026, 3, 20, 7, 13, tzinfo=UTC)
    period = Period(since, since + timedelta(days=days), zone)
    cut = buckets(period)
    assert cut[0].start == period.since
    assert cut[-1].end == period.until
    assert all(one.end == after.start and one.start < one.end for one, after in pairwise(cut))
    assert len(cut) <= 102


def test_a_moment_is_in_the_bucket_that_holds_it():
    cut = buckets(preset_period("month", NOW))
    assert [place_of(bucket.start, cut) for bucket in cut] == list(range(31))
    assert place_of(cut[3].end - timedelta(microseconds=1), cut) == 3


@pytest.mark.parametrize("preset", PRESETS)
def test_a_period_says_itself_in_words(preset: str):
    assert "2026" in period_text(preset_period(preset, NOW))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "200 ms"), (45, "45 s"), (720, "12 min"), (12_000, "3 h 20 min"), (187_200, "2 d 4 h")]
)
def test_spans_are_said_in_two_units_at_most(seconds: float, text: str):
    assert span_text(seconds) == text


def test_a_quantile_is_a_value_that_occurred():
    assert quantile([5, 1, 9, 3], 0.5) == 3
    assert quantile(list(range(1, 101)), 0.95) == 95
    assert quantile([], 0.5) is None


def test_a_rare_share_is_not_rounded_to_nothing():
    assert share_text(1, 10_000) == "under 1 %"
    assert share_text(9_999, 10_000) == "over 99 %"
