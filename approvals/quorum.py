"""Who sits on which seat: what a request demands, what was approved, and what is still lacking. Pure.

An approval fills one seat: of a group that its giver (or the absent person for whom they spoke) is in, and of a stage whose
turn it was when it was given. A stage's turn comes once every seat of the stages below it is filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.policy.decision import RequiredReview
from governance.policy.quorum import assign, missing

__all__ = ["Approval", "Demand", "Standing", "demands_of", "missing", "standing_of"]


@dataclass(frozen=True, slots=True)
class Demand:
    """A required review as it stands. `escalated`: members of `escalate_to` may stand in by now."""

    review: RequiredReview
    escalated: bool = False

    @property
    def stage(self) -> int:
        return self.review.stage

    @property
    def open_to(self) -> frozenset[str]:
        """The groups whose members can fill its seats."""
        also = {self.review.escalate_to} if self.escalated and self.review.escalate_to else set()
        return frozenset({self.review.group} | also)


@dataclass(frozen=True, slots=True)
class Approval:
    """`authority`: whose groups it counts by: the giver, or the absent person for whom they spoke."""

    authority: int
    groups: frozenset[str]
    stage: int


@dataclass(frozen=True, slots=True)
class Standing:
    """`given` has how many seats are filled, for each demand in its order, and `seated` by whose authority. `stage` is the one
    whose turn it is, the last once all are filled."""

    demands: tuple[Demand, ...]
    given: tuple[int, ...]
    stage: int
    seated: tuple[tuple[int, ...], ...] = ()

    @property
    def lacking(self) -> dict[str, int]:
        """By group; empty once the quorum is met."""
        found: dict[str, int] = {}
        for demand, given in zip(self.demands, self.given, strict=True):
            if given < demand.review.quorum:
                found[demand.review.group] = found.get(demand.review.group, 0) + demand.review.quorum - given
        return found

    @property
    def is_met(self) -> bool:
        return not self.lacking

    @property
    def open_demands(self) -> tuple[Demand, ...]:
        """What may be reviewed for: the stages whose turn it is or was."""
        return tuple(demand for demand in self.demands if demand.stage <= self.stage)

    @property
    def unfilled(self) -> tuple[tuple[Demand, int], ...]:
        """Of the stage whose turn it is: the demands that lack somebody, and how many."""
        pairs = zip(self.demands, self.given, strict=True)
        return tuple(
            (one, one.review.quorum - given)
            for one, given in pairs
            if one.stage == self.stage and given < one.review.quorum
        )


def demands_of(required: Iterable[Mapping[str, Any]]) -> tuple[Demand, ...]:
    """As a request keeps them; what an older one lacks has the meaning of not having been demanded."""
    found = (
        Demand(
            RequiredReview(
                one["group"],
                one["quorum"],
                one.get("stage", 1),
                one.get("escalate_to", ""),
                one.get("escalate_after", 0),
            ),
            one.get("escalated", False),
        )
        for one in required
    )
    return tuple(sorted(found, key=lambda demand: (demand.stage, demand.review)))


def standing_of(demands: Sequence[Demand], approvals: Iterable[Approval]) -> Standing:
    """Of several approvals by one authority only the first counts."""
    counted: dict[int, Approval] = {}
    for approval in approvals:
        counted.setdefault(approval.authority, approval)
    ordered = sorted(demands, key=lambda demand: (demand.stage, demand.review))
    seats = [demand for demand in ordered for _ in range(demand.review.quorum)]
    people = list(counted.values())
    taken = assign(seats, people, _fits)
    seated: dict[int, list[int]] = {id(demand): [] for demand in ordered}
    for number in sorted(taken):
        seated[id(seats[number])].append(people[taken[number]].authority)
    given = {demand: len(sitting) for demand, sitting in seated.items()}
    return Standing(
        tuple(ordered),
        tuple(given[id(one)] for one in ordered),
        _turn(ordered, given),
        tuple(tuple(seated[id(one)]) for one in ordered),
    )


def _fits(demand: Demand, approval: Approval) -> bool:
    return demand.stage <= approval.stage and not demand.open_to.isdisjoint(approval.groups)


def _turn(demands: Sequence[Demand], given: Mapping[int, int]) -> int:
    short = [demand.stage for demand in demands if given[id(demand)] < demand.review.quorum]
    return min(short, default=max((demand.stage for demand in demands), default=1))
