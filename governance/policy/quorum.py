"""Whether the approvals suffice. Each person counts once, for one group, however many groups they are in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from governance.policy.decision import RequiredReview


def missing(required: Iterable[RequiredReview], approvals: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """How many approvals each group still lacks; empty when the quorum is met. `approvals`: person → their groups."""
    seats = [one.group for one in sorted(required) for _ in range(one.quorum)]
    taken = _assign(seats, approvals)
    lacking: dict[str, int] = {}
    for number, group in enumerate(seats):
        if number not in taken:
            lacking[group] = lacking.get(group, 0) + 1
    return lacking


def _assign(seats: Sequence[str], approvals: Mapping[str, frozenset[str]]) -> dict[int, str]:
    """The largest assignment of people to seats (augmenting paths): nobody sits on two."""
    taken: dict[int, str] = {}

    def seat(person: str, tried: set[int]) -> bool:
        for number, group in enumerate(seats):
            if group in approvals[person] and number not in tried:
                tried.add(number)
                if number not in taken or seat(taken[number], tried):
                    taken[number] = person
                    return True
        return False

    for person in sorted(approvals):
        seat(person, set())
    return taken
