"""What a search finds over time as the geometry of stacked bars; the template only writes it down. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from audit.search.summary import Bar

WIDTH = 600
HEIGHT = 80
GAP = 0.16
PARTS = ("other", "allow", "review", "deny")
ENOUGH_TO_SEE = 2.0


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """`query` is the search within the bar's time."""

    bar: Bar
    left: float
    room: float
    x: float
    width: float
    parts: tuple[Part, ...]
    query: str


@dataclass(frozen=True, slots=True)
class Histogram:
    columns: tuple[Column, ...]
    top: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def start(self) -> datetime:
        return self.columns[0].bar.start

    @property
    def middle(self) -> datetime:
        return self.columns[len(self.columns) // 2].bar.start

    @property
    def end(self) -> datetime:
        return self.columns[-1].bar.end

    @property
    def has_verdicts(self) -> bool:
        return any(column.bar.total > column.bar.other for column in self.columns)


def histogram(bars: tuple[Bar, ...], query_within: Callable[[datetime, datetime], str]) -> Histogram | None:
    top = max((bar.total for bar in bars), default=0)
    if not top:
        return None
    room = WIDTH / len(bars)
    columns = (
        Column(
            bar, round(place * room, 2), round(room, 2), round(place * room + room * GAP / 2, 2),
            round(room * (1 - GAP), 2), _parts(bar, top), query_within(bar.start, bar.end),
        )
        for place, bar in enumerate(bars)
    )  # fmt: skip
    return Histogram(tuple(columns), top)


def _parts(bar: Bar, top: int) -> tuple[Part, ...]:
    """What is rare must still be seen beside what is frequent."""
    parts, y = [], float(HEIGHT)
    for name in PARTS:
        amount = getattr(bar, name)
        if amount:
            height = max(ENOUGH_TO_SEE, HEIGHT * amount / top)
            y = max(0.0, y - height)
            parts.append(Part(name, round(y, 2), round(height, 2)))
    return tuple(parts)
