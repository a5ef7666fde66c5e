"""What pages and REST show of an impact, to somebody who may see it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from approvals.impact.access import may_see_estimates, may_see_impact, tells_of_masked_values
from approvals.impact.content import Cell, Change, Content, Lock, SampleRow, from_json
from approvals.impact.sentences import CAUSES, blocks, lock_rank, mode_in_words, sentence
from approvals.models import Impact, Request
from identity.principals import Principal

# Modes that hold nobody up but those who change the definition are told in a line, not each.
WORTH_A_WORD = lock_rank("ShareUpdateExclusiveLock")
UNCHANGED_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ShownLock:
    lock: Lock
    mode: str
    blocks: str

    @property
    def stops_all(self) -> bool:
        return bool(self.lock.waiting) or self.lock.mode == "AccessExclusiveLock"


@dataclass(frozen=True, slots=True)
class ShownChange:
    change: Change
    why: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    """`name`: the row's key, in words. `cells`: what is worth showing of it; `left_out`: how many cells are not."""

    verb: str
    name: str
    cells: tuple[Cell, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class ShownSample:
    relation: str
    rows: tuple[ShownRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ShownImpact:
    """`problem` is set where it was not measured; `sentence` is empty until it is settled."""

    state: str
    sentence: str
    problem: str
    impact: Impact
    content: Content
    estimated_rows: int | None
    row_bound: int | None
    changes: tuple[ShownChange, ...]
    locks: tuple[ShownLock, ...]
    samples: tuple[ShownSample, ...]

    @property
    def is_waiting(self) -> bool:
        return self.state in (Impact.State.WAITING, Impact.State.MEASURING)

    @property
    def carried(self) -> bool:
        """Whether it changes more than the one relation that it names."""
        return len(self.changes) > 1 or any(one.change.cause != "statement" for one in self.changes)


def impact_of(request: Request) -> Impact | None:
    """The impact of the request as it is now; None for what is no statement, or older than measuring."""
    impact = Impact.objects.filter(request=request).first()
    return impact if impact is not None and impact.revision == request.revision else None


def shown(request: Request, viewer: Principal) -> ShownImpact | None:
    """None where there is none, or where it is not for this viewer."""
    impact = impact_of(request)
    if impact is None or not may_see_impact(request, viewer):
        return None
    content = from_json(impact.content or {})
    settled = impact.state not in (Impact.State.WAITING, Impact.State.MEASURING)
    estimated = impact.estimated_rows if may_see_estimates(request, viewer) else None
    return ShownImpact(
        state=impact.state,
        sentence=sentence(content, estimated) if settled else "",
        problem=impact.problem,
        impact=impact,
        content=content,
        estimated_rows=estimated,
        row_bound=request.row_bound,
        changes=tuple(ShownChange(change, CAUSES[change.cause]) for change in content.changes),
        locks=_locks(content.locks),
        samples=tuple(ShownSample(one.relation, tuple(map(_row, one.rows)), one.total) for one in content.samples),
    )


def _locks(locks: Sequence[Lock]) -> tuple[ShownLock, ...]:
    """The strongest first; those that hold nobody up only where somebody waits."""
    found = sorted(locks, key=lambda lock: (-lock_rank(lock.mode), lock.qualified))
    told = [lock for lock in found if lock_rank(lock.mode) >= WORTH_A_WORD or lock.waiting]
    told = told or [lock for lock in found if lock.mode == "RowExclusiveLock"]
    return tuple(ShownLock(lock, mode_in_words(lock.mode), blocks(lock)) for lock in told)


def _row(row: SampleRow) -> ShownRow:
    key = [cell for cell in row.cells if cell.is_key]
    name = ", ".join(f"{cell.column} {_value(cell)}" for cell in key) or "a row"
    rest = [cell for cell in row.cells if not cell.is_key or (row.verb == "update" and cell.changed)]
    if row.verb == "update":
        told = [cell for cell in rest if cell.changed]
        told = told or rest[:UNCHANGED_SHOWN]
    else:
        told = rest
    return ShownRow(row.verb, name, tuple(told), len(rest) - len(told))


def _value(cell: Cell) -> str:
    value = cell.before if cell.before is not None else cell.after
    return "NULL" if value is None else value


# --- REST ---------------------------------------------------------------------------------------------------------


def impact_json(request: Request, viewer: Principal) -> dict[str, Any] | None:
    """None where there is none, or where it is not for this viewer."""
    found = shown(request, viewer)
    if found is None:
        return None
    impact, content = found.impact, dataclasses.asdict(found.content)
    names = ("changes", "triggers", "locks", "waiting", "sequences", "rewritten", "samples", "failure", "undo", "sizes")
    return {
        "state": found.state,
        "sentence": found.sentence or None,
        "problem": found.problem or None,
        "rows": impact.rows,
        "estimated_rows": found.estimated_rows,
        "table_rows": impact.table_rows,
        "row_bound": found.row_bound,
        "duration_ms": impact.duration_ms,
        "measured_at": impact.measured_at.isoformat().replace("+00:00", "Z") if impact.measured_at else None,
        **{name: content[name] for name in names},
    }


def open_row_bound(request: Request) -> int | None:
    """The bound of rows where anybody who sees the request may know it: it follows from what was measured."""
    return None if tells_of_masked_values(request.facts, request.decision) else request.row_bound
