"""Policies that do nothing: their condition is never true, or another refuses all that they are about. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime

from cedarpy import pst

from governance.policy.problems import PolicyProblem
from governance.policy.program import Policy, PolicyProgram, scope_of
from governance.policy.windows import NeverOpen, opening

_APPROVE = frozenset({"approve"})
_EXPORT = frozenset({"export"})
# Windows come back every week: a year from any day tells. Pairs are looked at of so many at most.
_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)
MOST_WINDOWED = 40


def idle_policies(program: PolicyProgram) -> list[PolicyProblem]:
    return [
        PolicyProblem(policy.line, policy.id, reason, "warning")
        for policy in program.policies.values()
        for reason in _reasons(policy, program)
    ] + list(_shut(program))


def _shut(program: PolicyProgram) -> Iterator[PolicyProblem]:
    """Reviews whose maintenance windows never meet: a statement that both park is refused."""
    windowed = [policy for policy in program.policies.values() if policy.parking and policy.parking.window]
    for one, other in itertools.combinations(windowed[:MOST_WINDOWED], 2):
        windows = {policy.parking.window for policy in (one, other) if policy.parking}
        try:
            opening(windows, _ANY_DAY)
        except NeverOpen:
            reason = (
                f"its window is never open together with that of {one.id} (line {one.line}): what both park is refused"
            )
            yield PolicyProblem(other.line, other.id, reason, "warning")


def _reasons(policy: Policy, program: PolicyProgram) -> Iterator[str]:
    scope = scope_of(policy.node)
    if _never_holds(policy):
        yield "it never holds: its condition is always false"
    elif above := next((one for one in program.policies.values() if _swallows(one, policy)), None):
        yield f"it changes nothing: {above.id} (line {above.line}) forbids all that it is about"
    if policy.permits and scope.within(_APPROVE):
        yield "approve needs no permit: who may review follows from the reviews, and a forbid keeps somebody from it"
    if scope.within(_EXPORT) and _elsewhere(policy.node.resource):
        yield 'what is exported is Countersign::"ledger": nothing asks for export on tables and data sources'
    if scope.within(_EXPORT) and policy.parking:
        yield "an export is never parked: this refuses it"
    if policy.permits and scope.within(frozenset({"activate"})):
        yield "activate needs no permit: administrators may, and nobody else"


def _elsewhere(resource: pst.PrincipalOrResourceConstraint) -> bool:
    """It names something else than Countersign itself."""
    match resource:
        case pst.ScopeEq(entity=entity) | pst.ScopeIn(entity=entity):
            return isinstance(entity, pst.EntityUid) and entity.type.basename != "Countersign"
        case pst.ScopeIs(entity_type=kind) | pst.ScopeIsIn(entity_type=kind):
            return kind.basename != "Countersign"
    return False


def _never_holds(policy: Policy) -> bool:
    return any(
        (isinstance(clause, pst.When) and clause.expr == pst.BoolLit(value=False))
        or (isinstance(clause, pst.Unless) and clause.expr == pst.BoolLit(value=True))
        for clause in policy.node.clauses
    )


def _swallows(above: Policy, below: Policy) -> bool:
    """`above` refuses, whatever the circumstances, everything that `below` is about."""
    if above is below or above.permits or above.parking or not _always_holds(above):
        return False
    if above.node == below.node or (not below.permits and not below.parking):
        return False  # Two refusals do no harm beside each other: each says its own why.
    mine, theirs = scope_of(above.node).actions, scope_of(below.node).actions
    if mine is not None and (theirs is None or not theirs <= mine):
        return False
    return _covers(above.node.principal, below.node.principal) and _covers(above.node.resource, below.node.resource)


def _always_holds(policy: Policy) -> bool:
    return all(clause.expr == pst.BoolLit(value=isinstance(clause, pst.When)) for clause in policy.node.clauses)


def _covers(wide: pst.PrincipalOrResourceConstraint, narrow: pst.PrincipalOrResourceConstraint) -> bool:
    if isinstance(wide, pst.ScopeAny) or wide == narrow:
        return True
    match wide, narrow:
        case pst.ScopeIs(entity_type=one), pst.ScopeIsIn(entity_type=other):
            return one == other
        case pst.ScopeIs(entity_type=one), pst.ScopeEq(entity=pst.EntityUid(type=other)):
            return one == other
        case pst.ScopeIn(entity=place), pst.ScopeIsIn(entity=inner) | pst.ScopeEq(entity=inner):
            return place == inner
    return False
