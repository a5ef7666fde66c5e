"""What a review demands, in words: for pages, the command line, the replay and the ledger. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from governance.policy.decision import Decision, RequiredReview, Terms
from governance.policy.words import in_words


def required_in_words(required: Sequence[RequiredReview]) -> tuple[str, ...]:
    """`2 of dba`; where there are several stages, which one; who may stand in, where somebody may."""
    several = len({one.stage for one in required}) > 1
    return tuple(_required(one, several=several) for one in sorted(required, key=lambda one: (one.stage, one)))


def _required(one: RequiredReview, *, several: bool) -> str:
    stage = f" in stage {one.stage}" if several else ""
    other = f", or of {one.escalate_to} after {in_words(one.escalate_after)}" if one.escalate_to else ""
    return f"{one.quorum} of {one.group}{stage}{other}"


def terms_in_words(terms: Terms) -> tuple[str, ...]:
    return tuple(_terms(terms))


def _terms(terms: Terms) -> Sequence[str]:
    told = []
    if terms.step_up:
        told.append(f"whoever approves has shown a second factor within {in_words(terms.step_up)}")
    told += [f"it runs only within {window}" for window in terms.windows]
    if terms.grantable:
        told.append(f"a review may give more runs, for {in_words(terms.grantable)} at most")
    if terms.remind_after:
        told.append(f"who has not decided is told again after {in_words(terms.remind_after)}")
    if terms.holds_locks:
        told.append("a session may wait for it although its transaction holds locks")
    return told


def demands_in_words(decision: Decision) -> tuple[str, ...]:
    """All of it; empty for a decision that parks nothing."""
    return (*required_in_words(decision.required), *terms_in_words(decision.terms)) if decision.required else ()
