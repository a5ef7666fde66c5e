"""The life of a request, as one table. Pure.

pending → approved → executing → executed | failed | unknown
pending → rejected | withdrawn | expired        approved → expired | drifted | withdrawn        approved → executed

What drifted goes back to people as a request of its own, which names the one that it follows. What needs no run (an
elevation, a review of broken glass) goes from approved to executed at once.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    EXECUTING = "executing"
    EXECUTED = "executed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    DRIFTED = "drifted"


class Action(StrEnum):
    """What moves a request. `release` puts an execution that certainly changed nothing back in line; `settle` ends what
    needs no run."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    SETTLE = "settle"
    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    LOSE = "lose"
    RELEASE = "release"
    DRIFT = "drift"


TRANSITIONS: dict[tuple[State, Action], State] = {
    (State.PENDING, Action.APPROVE): State.APPROVED,
    (State.PENDING, Action.REJECT): State.REJECTED,
    (State.PENDING, Action.WITHDRAW): State.WITHDRAWN,
    (State.PENDING, Action.EXPIRE): State.EXPIRED,
    (State.APPROVED, Action.START): State.EXECUTING,
    (State.APPROVED, Action.SETTLE): State.EXECUTED,
    (State.APPROVED, Action.EXPIRE): State.EXPIRED,
    (State.APPROVED, Action.WITHDRAW): State.WITHDRAWN,
    (State.APPROVED, Action.DRIFT): State.DRIFTED,
    (State.EXECUTING, Action.FINISH): State.EXECUTED,
    (State.EXECUTING, Action.FAIL): State.FAILED,
    (State.EXECUTING, Action.LOSE): State.UNKNOWN,
    (State.EXECUTING, Action.RELEASE): State.APPROVED,
    (State.EXECUTING, Action.DRIFT): State.DRIFTED,
}

OPEN = frozenset({State.PENDING, State.APPROVED, State.EXECUTING})


class ImpossibleTransition(Exception):
    """The request is not in a state from which this action leads anywhere."""


def after(state: State, action: Action) -> State:
    """The state that `action` leads to; raises `ImpossibleTransition`."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise ImpossibleTransition(f"a request that is {state} cannot {action}") from None


def sources(action: Action) -> tuple[State, ...]:
    """The states in which `action` is possible: the guard of the UPDATE that carries it out."""
    return tuple(state for state, possible in TRANSITIONS if possible is action)
