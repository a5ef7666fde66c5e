"""Verdicts over time as the geometry of a stacked bar chart; the template only writes it down. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

WIDTH = 600
HEIGHT = 120
GAP = 0.22


class Counted(Protocol):
    """What `audit.search.verdict_counts` gives for each stretch of time."""

    @property
    def start(self) -> datetime: ...
    @property
    def allow(self) -> int: ...
    @property
    def review(self) -> int: ...
    @property
    def deny(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Segment:
    verdict: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """`x` and `width` are the bar's; `left` and `room` are the whole stretch's, for pointing at it."""

    start: datetime
    end: datetime
    allow: int
    review: int
    deny: int
    left: float
    room: float
    x: float
    width: float
    segments: tuple[Segment, ...]

    @property
    def total(self) -> int:
        return self.allow + self.review + self.deny


@dataclass(frozen=True, slots=True)
class Chart:
    bars: tuple[Bar, ...]
    top: int
    lines: tuple[float, ...]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def allow(self) -> int:
        return sum(bar.allow for bar in self.bars)

    @property
    def review(self) -> int:
        return sum(bar.review for bar in self.bars)

    @property
    def deny(self) -> int:
        return sum(bar.deny for bar in self.bars)

    @property
    def total(self) -> int:
        return self.allow + self.review + self.deny


def verdict_chart(counts: Sequence[Counted], step: timedelta) -> Chart:
    top = round_up(max((c.allow + c.review + c.deny for c in counts), default=0))
    room = WIDTH / max(1, len(counts))
    bars = tuple(_bar(count, step, number * room, room, top) for number, count in enumerate(counts))
    return Chart(bars, top, tuple(HEIGHT * part / 4 for part in range(1, 4)))


def round_up(value: int) -> int:
    """The top of the axis: the next round number, at least 4."""
    if value <= 4:
        return 4
    power = 10 ** math.floor(math.log10(value))
    return next(int(factor * power) for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if factor * power >= value)


def _bar(count: Counted, step: timedelta, left: float, room: float, top: int) -> Bar:
    segments, y = [], float(HEIGHT)
    for verdict, amount in (("allow", count.allow), ("review", count.review), ("deny", count.deny)):
        if amount:
            # What is rare must still be seen beside what is frequent.
            height = max(2.0, HEIGHT * amount / top)
            y = max(0.0, y - height)
            segments.append(Segment(verdict, round(y, 2), round(height, 2)))
    return Bar(
        start=count.start,
        end=count.start + step,
        allow=count.allow,
        review=count.review,
        deny=count.deny,
        left=round(left, 2),
        room=round(room, 2),
        x=round(left + room * GAP / 2, 2),
        width=round(room * (1 - GAP), 2),
        segments=tuple(segments),
    )
