"""Where the bars of a plot are, once for the page's SVG and for paper. Pure; coordinates are shares, from 0 to 1."""

from __future__ import annotations

import math
from dataclasses import dataclass

from audit.reports.model import Plot

GAP = 0.24
# What is rare must still be seen beside what is frequent.
LEAST_HEIGHT = 0.012
TICKS = 4
MOST_LABELS = 7


@dataclass(frozen=True, slots=True)
class Segment:
    """`y` is the distance of its lower edge from the axis."""

    tone: str
    y: float
    height: float

    @property
    def top(self) -> float:
        """From above, as SVG counts."""
        return round(1 - self.y - self.height, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    x: float
    width: float
    left: float
    room: float
    total: int
    segments: tuple[Segment, ...]
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Tick:
    value: int
    y: float

    @property
    def top(self) -> float:
        return round(1 - self.y, 5)


@dataclass(frozen=True, slots=True)
class Geometry:
    """`labels` are those of the bars that have room for one: text and the middle of the bar."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[tuple[str, float], ...]
    total: int

    @property
    def percents(self) -> list[tuple[str, float]]:
        return [(label, round(100 * middle, 3)) for label, middle in self.labels]


def geometry_of(plot: Plot) -> Geometry:
    totals = plot.totals
    top, step = _axis(max(totals, default=0))
    room = 1 / max(1, len(totals))
    bars = tuple(_bar(plot, place, room, top) for place in range(len(totals)))
    every = max(1, math.ceil(len(bars) / MOST_LABELS))
    labels = tuple((bar.label, bar.left + bar.room / 2) for bar in bars[::every])
    ticks = tuple(Tick(value, value / top) for value in range(0, top + 1, step))
    return Geometry(bars, ticks, labels, sum(totals))


def _axis(highest: int) -> tuple[int, int]:
    """The axis ends at a whole number of round steps, above the highest bar."""
    least = max(1, math.ceil(max(highest, TICKS) / TICKS))
    power = 10 ** math.floor(math.log10(least))
    step = next(math.ceil(factor * power) for factor in (1, 2, 2.5, 5, 10) if math.ceil(factor * power) >= least)
    return step * math.ceil(max(highest, step) / step), step


def _bar(plot: Plot, place: int, room: float, top: int) -> Bar:
    segments, y = [], 0.0
    for series in plot.series:
        if value := series.values[place]:
            height = min(max(LEAST_HEIGHT, value / top), 1 - y)
            segments.append(Segment(series.tone, y, height))
            y += height
    left = place * room
    return Bar(
        label=plot.labels[place],
        x=left + room * GAP / 2,
        width=room * (1 - GAP),
        left=left,
        room=room,
        total=plot.totals[place],
        segments=tuple(segments),
        parts=tuple((series.name, series.values[place]) for series in plot.series if series.values[place]),
    )
