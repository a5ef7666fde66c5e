"""The geometry of the verdict chart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.search import Bucket
from gateway.web.charts import HEIGHT, WIDTH, Chart, round_up, verdict_chart

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
counts = st.integers(0, 5000)


def chart_of(*amounts: tuple[int, int, int]) -> Chart:
    buckets = [Bucket(START + timedelta(minutes=n), *three) for n, three in enumerate(amounts)]
    return verdict_chart(buckets, timedelta(minutes=1))


@given(st.lists(st.tuples(counts, counts, counts), max_size=60))
def test_nothing_is_drawn_outside_the_chart(amounts: list[tuple[int, int, int]]) -> None:
    for bar in chart_of(*amounts).bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= WIDTH + 0.1
        for segment in bar.segments:
            assert 0 <= segment.y <= HEIGHT


def test_one_denial_among_thousands_is_still_seen() -> None:
    (bar,) = chart_of((5000, 0, 1)).bars
    assert [segment.verdict for segment in bar.segments] == ["allow", "deny"]
    assert bar.segments[1].height >= 2


def test_an_hour_without_statements_has_an_axis_and_no_bars() -> None:
    chart = chart_of((0, 0, 0))
    assert (chart.total, chart.top, chart.bars[0].segments) == (0, 4, ())


@pytest.mark.parametrize(
    ("value", "top"), [(0, 4), (4, 4), (5, 5), (7, 8), (11, 15), (24, 30), (101, 150), (4999, 5000)]
)
def test_the_axis_ends_at_a_round_number(value: int, top: int) -> None:
    assert round_up(value) == top
