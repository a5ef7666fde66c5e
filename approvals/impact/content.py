"""What was measured of a request, as values that go into a sealed JSON column and come back. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Cause = Literal["statement", "partition", "foreign-key", "trigger"]
Verb = Literal["insert", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a relation is. `rows` is None where nobody knows; `exact`: they were counted, and are no estimate."""

    schema: str
    name: str
    rows: int | None
    exact: bool
    bytes: int

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Change:
    """Rows of one relation that the trial run changed, as the database counted them. `cause`: what changed them."""

    schema: str
    name: str
    inserted: int
    updated: int
    deleted: int
    cause: Cause = "statement"

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def rows(self) -> int:
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True, slots=True)
class Lock:
    """The strongest lock on a relation while it runs. `others`: sessions that held a lock on it at that moment; `waiting`:
    sessions that already waited behind the trial run."""

    schema: str
    name: str
    mode: str
    others: int = 0
    waiting: int = 0

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Fired:
    """A trigger that fires. `conditional`: only for rows for which its WHEN holds."""

    relation: str
    name: str
    timing: str
    events: tuple[str, ...]
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a sample's row, masked in the database. A side that is not there, and NULL, are both None."""

    column: str
    before: str | None
    after: str | None
    changed: bool
    masked: bool
    is_key: bool


@dataclass(frozen=True, slots=True)
class SampleRow:
    verb: Verb
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """`rows` are some of what changes in one relation; `total` is how many there are."""

    relation: str
    rows: tuple[SampleRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Failure:
    """What the database would refuse it with. The sentence is ours: the database's own may quote values."""

    sqlstate: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Undo:
    possible: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """`tried`: it ran, and was rolled back. `passing`: it could not be, for a reason that passes. `targets`: the relations that
    the statement names. `waiting`: sessions that waited behind it when it was done. `sequences` are those that it took
    numbers from, which no rollback gives back; `rewritten` relations that it would write anew, whole."""

    tried: bool = False
    passing: bool = False
    reads_only: bool = False
    defines: bool = False
    targets: tuple[str, ...] = ()
    sizes: tuple[Size, ...] = ()
    changes: tuple[Change, ...] = ()
    truncated: tuple[str, ...] = ()
    triggers: tuple[Fired, ...] = ()
    locks: tuple[Lock, ...] = ()
    waiting: int = 0
    sequences: tuple[str, ...] = ()
    rewritten: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()
    no_sample: str = ""
    failure: Failure | None = None
    undo: Undo | None = None

    def size_of(self, qualified: str) -> Size | None:
        return next((size for size in self.sizes if size.qualified == qualified), None)


PLAIN = ("tried", "passing", "reads_only", "defines", "waiting", "no_sample")
NAMES = ("targets", "truncated", "sequences", "rewritten")


def to_json(content: Content) -> dict[str, Any]:
    return dataclasses.asdict(content)


def from_json(kept: Mapping[str, Any]) -> Content:
    """Of what `to_json` made, also an earlier version of it: what was not known then has its default."""
    failure, undo = kept.get("failure"), kept.get("undo")
    plain: dict[str, Any] = {name: kept[name] for name in PLAIN if name in kept}
    names: dict[str, Any] = {name: tuple(kept[name]) for name in NAMES if name in kept}
    return Content(
        **plain,
        **names,
        sizes=tuple(Size(**one) for one in kept.get("sizes", ())),
        changes=tuple(Change(**one) for one in kept.get("changes", ())),
        triggers=tuple(Fired(**{**one, "events": tuple(one["events"])}) for one in kept.get("triggers", ())),
        locks=tuple(Lock(**one) for one in kept.get("locks", ())),
        samples=tuple(_sample(one) for one in kept.get("samples", ())),
        failure=Failure(**failure) if failure else None,
        undo=Undo(**undo) if undo else None,
    )


def _sample(kept: Mapping[str, Any]) -> Sample:
    rows = (SampleRow(row["verb"], tuple(Cell(**cell) for cell in row["cells"])) for row in kept["rows"])
    return Sample(kept["relation"], tuple(rows), kept["total"])
