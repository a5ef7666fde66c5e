"""Whether the approvals suffice. Each person counts once, for one group, however many groups they are in. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from governance.policy.decision import RequiredReview

_Seat = TypeVar("_Seat")
_Sitter = TypeVar("_Sitter")


def missing(required: Iterable[RequiredReview], approvals: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """How many approvals each group still lacks; empty when the quorum is met. `approvals`: person → their groups."""
    seats = [one.group for one in sorted(required) for _ in range(one.quorum)]
    people = sorted(approvals)
    taken = assign(seats, people, lambda group, person: group in approvals[person])
    lacking: dict[str, int] = {}
    for number, group in enumerate(seats):
        if number not in taken:
            lacking[group] = lacking.get(group, 0) + 1
    return lacking


def assign(seats: Sequence[_Seat], people: Sequence[_Sitter], fits: Callable[[_Seat, _Sitter], bool]) -> dict[int, int]:
    """The largest assignment (augmenting paths), as number of the seat → number of the person: nobody sits on two. Seats are
    filled in their order: one that can be filled is never left empty for the sake of a later one."""
    sitting: dict[int, int] = {}

    def fill(number: int, tried: set[int]) -> bool:
        for person, one in enumerate(people):
            if person not in tried and fits(seats[number], one):
                tried.add(person)
                if person not in sitting or fill(sitting[person], tried):
                    sitting[person] = number
                    return True
        return False

    for number in range(len(seats)):
        fill(number, set())
    return {number: person for person, number in sitting.items()}
