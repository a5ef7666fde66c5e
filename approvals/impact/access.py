"""Who may see what a request would do.

The numbers and the sample come from a run on the raw values. Where masked values steer what the run does, its numbers, and even
whether it fails, would tell of them: whoever has a part in asking is then told nothing of it (P2), whatever else they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from approvals.eligibility import voices_of
from approvals.finding import AUDITORS
from approvals.models import Request
from approvals.parties import why_party
from identity.principals import Principal

# Beside masked columns these let their raw values decide what happens, and where.
STEERED = frozenset({"cascade", "fires-trigger", "opaque-trigger", "security-definer"})


def may_see_impact(
    request: Request,
    principal: Principal,
    *,
    groups: Collection[str] | None = None,
    patterns: Mapping[int, str] | None = None,
) -> bool:
    """Reviewers and those who stand in for them, auditors and administrators; of those who asked, only where it tells of no
    masked value. `groups` (of all of the principal's voices) and `patterns` (`approvals.parties.patterns_of`) spare looking
    them up, for whoever asks of many requests."""
    if _has_a_part(request, principal, patterns):
        return not tells_of_masked_values(request.facts, request.decision)
    if not principal.is_person:
        return False
    if principal.is_administrator or AUDITORS in principal.groups:
        return True
    own = {group for voice in voices_of(principal) for group in voice.groups} if groups is None else set(groups)
    return any(not own.isdisjoint(_reviewing(one)) for one in request.required)


def may_see_estimates(request: Request, principal: Principal, *, patterns: Mapping[int, str] | None = None) -> bool:
    """Besides: the planner estimates by statistics of raw values."""
    return not (request.decision.get("masks") and _has_a_part(request, principal, patterns))


def _has_a_part(request: Request, principal: Principal, patterns: Mapping[int, str] | None = None) -> bool:
    """In asking: who asked, who answers for it, and for whom it runs."""
    if request.requester == principal.label:
        return True
    return principal.is_person and bool(why_party(request, principal.id, patterns))


def _reviewing(required: Mapping[str, Any]) -> set[str]:
    return {required["group"], required.get("escalate_to") or required["group"]}


def tells_of_masked_values(facts: Mapping[str, Any], decision: Mapping[str, Any]) -> bool:
    """Whether a run of it would show whoever asked something that depends on what is masked, or filtered away, for them."""
    hazards = {hazard["code"] for hazard in facts.get("hazards", ())}
    if "sensitive-in-write" in hazards or decision.get("row_filters"):
        return True
    masked = {(mask["schema"], mask["relation"], mask["column"]) for mask in decision.get("masks", ())}
    if not masked:
        return False
    return bool(hazards & STEERED) or "ddl" in facts.get("kinds", ()) or _writes(facts, masked)


def _writes(facts: Mapping[str, Any], masked: set[tuple[str, str, str]]) -> bool:
    """A value that is written can meet one that is there already, in a unique index: the failure would tell that it is."""
    relations = {(schema, relation) for schema, relation, _ in masked}
    for use in facts.get("columns", ()):
        if "write" not in use["clauses"]:
            continue
        relation = (use["schema"], use["relation"])
        if (*relation, use["column"]) in masked or (use["column"] == "*" and relation in relations):
            return True
    # An INSERT without a list of columns writes all of them, and names none.
    written = {(use["schema"], use["relation"]) for use in facts.get("columns", ()) if "write" in use["clauses"]}
    inserted = {(use["schema"], use["name"]) for use in facts.get("relations", ()) if use["use"] == "insert"}
    return bool((inserted - written) & relations)
