"""What a report is made of. Built once, rendered as a page, as a PDF and as JSON, so that no report is written twice. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Tone = Literal["", "allow", "review", "deny", "soft"]
# What a column's cells are: this decides how they are set, not what they hold.
Form = Literal["text", "number", "time", "duration", "code", "principal", "entry", "mark"]
Value = str | int | float | datetime | None


@dataclass(frozen=True, slots=True)
class Cell:
    """`value` is what was counted or found; `note` stands small below it; `search` narrows the ledger to what it counts."""

    value: Value
    note: str = ""
    tone: Tone = ""
    search: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """`weight` is its share of the width on paper."""

    title: str
    form: Form = "text"
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    value: Value
    form: Form = "number"
    tone: Tone = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    items: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`total` is how many rows there are; `rows` may be fewer, where a report has a bound. `empty` says what none means."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int
    empty: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    tone: Literal["allow", "review", "deny", "neutral", "accent"]
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """Stacked bars: each series has one value for each of `labels`. `what` is what is counted."""

    key: str
    title: str
    what: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]

    @property
    def totals(self) -> tuple[int, ...]:
        return tuple(map(sum, zip(*(one.values for one in self.series), strict=True)))


@dataclass(frozen=True, slots=True)
class Text:
    """What must be said in words: how something was counted, or what is wrong."""

    title: str
    paragraphs: tuple[str, ...]
    tone: Tone = ""


Section = Figures | Table | Plot | Text


@dataclass(frozen=True, slots=True)
class Period:
    """`until` is not included. `zone` is the IANA name of the zone that times are shown in."""

    since: datetime
    until: datetime
    zone: str = "UTC"
    preset: str = "custom"


@dataclass(frozen=True, slots=True)
class Basis:
    """What the figures were computed from: entries `first` to before `end`, under the tree of `size` entries and `root`.

    `note` is the signed checkpoint's text, empty where the log is empty.
    """

    first: int
    end: int
    size: int
    root: str
    note: str = ""
    time: datetime | None = None

    @property
    def count(self) -> int:
        return self.end - self.first


@dataclass(frozen=True, slots=True)
class Control:
    """A place in a standard that a report speaks to: a reference, not a claim that it is met."""

    framework: str
    reference: str
    asks: str


@dataclass(frozen=True, slots=True)
class Report:
    name: str
    title: str
    question: str
    period: Period
    basis: Basis
    summary: str
    sections: tuple[Section, ...]
    controls: tuple[Control, ...] = field(default=())

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(section for section in self.sections if isinstance(section, Table))
