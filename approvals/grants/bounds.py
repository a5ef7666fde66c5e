"""When a grant covers a statement. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from governance.policy.decision import RequiredReview, Terms

MOST_RUNS = 1000


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that policy parks, as grants are compared with it. `relations` say how each is used; `shape` is that of the
    schema it touches, with role and search path; `writes`: it may change rows, so it needs a bound on them. `exact`: its
    fingerprint does not say what it does, as where a constant is code, or names whom something is granted to: then only the
    very same statement, by its `digest`, is covered."""

    fingerprint: str
    relations: frozenset[str]
    shape: str
    hazards: frozenset[str]
    required: tuple[RequiredReview, ...]
    terms: Terms
    on_behalf_of: str
    writes: bool
    exact: bool
    digest: str


def narrowest_bound(bounds: Iterable[int | None]) -> int | None:
    return min((bound for bound in bounds if bound is not None), default=None)


def demands_no_more(
    required: Iterable[RequiredReview], terms: Terms, given: Iterable[Mapping[str, Any]], given_terms: Mapping[str, Any]
) -> bool:
    """Whether what policy demands now is no stricter than what was fulfilled when the grant was given. `given` and
    `given_terms` are the request's own; older ones lack the newer keys."""
    fulfilled: dict[tuple[int, str], int] = {}
    for one in given:
        key = (int(one.get("stage", 1)), str(one["group"]))
        fulfilled[key] = max(fulfilled.get(key, 0), int(one["quorum"]))
    if any(fulfilled.get((one.stage, one.group), 0) < one.quorum for one in required):
        return False
    step_up = int(given_terms.get("step_up", 0))
    if terms.step_up and not 0 < step_up <= terms.step_up:
        return False
    return set(terms.windows) <= set(given_terms.get("windows", ()))
