"""Standing permissions on a statement's way: does one cover what policy parks, and the claim of one run before it begins.

A denial is not asked about: no grant changes it, and masks, row filters and limits stay as they are decided. An elevation
counts as used only where the decision is another without it.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, transaction

from approvals.grants import services as grants
from approvals.grants.bounds import Statement
from approvals.grants.errors import GrantOver
from approvals.grants.giving import relations_of
from approvals.impact.service import carried_bound
from approvals.models import Grant
from audit.ledger import LedgerUnavailable
from gateway.admission import asking_of
from gateway.binding import bound_shape, digest_of
from gateway.drivers.base import Ending
from gateway.models import Query
from gateway.recording import refuse
from governance.analysis.facts import Kind
from governance.assessment import Asking, Assessment, assess, facts_json
from governance.errors import GatewayError, ServiceUnavailable
from governance.policy.decision import Verdict
from identity.principals import Principal

# Somebody else may take the last run of a grant meanwhile; then another grant is looked for.
MOST_TRIES = 5
# Of these kinds, and without these hazards, statements with the same fingerprint do the same to other values. A fingerprint
# tells apart neither the roles of a GRANT, nor the bodies of DO and CREATE FUNCTION, nor SQL in a text.
PLAIN = frozenset({Kind.READ, Kind.WRITE})
CODE = frozenset({"side-effects", "dynamic-sql", "file-access", "program-execution", "session-escape"})


class BoundExceeded(GatewayError):
    """It would have changed more rows than the grant lets one run change, so it was rolled back."""

    code = "grant-exceeded"
    title = "More rows than the standing permission covers"
    status = 409


@dataclass(frozen=True, slots=True)
class Permission:
    """What it runs under besides the decision: the grants that one run was claimed of, and how many rows it may change, by
    itself and (`carried_bound`) with what it carries on to other relations. `is_secret`: numbers of rows would tell whoever
    asked of values that are masked for them."""

    grants: tuple[uuid.UUID, ...] = ()
    row_bound: int | None = None
    carried_bound: int | None = None
    is_secret: bool = False

    @property
    def is_bounded(self) -> bool:
        return self.row_bound is not None

    @property
    def before_commit(self) -> Callable[[Ending], None] | None:
        return None if self.row_bound is None else self.check

    def check(self, ending: Ending) -> None:
        """Raises `BoundExceeded`: then nothing was changed."""
        if self.row_bound is not None and ending.changed > self.row_bound:
            raise self._exceeded(ending.changed, self.row_bound, "")
        if ending.touched is not None and self.carried_bound is not None and ending.touched > self.carried_bound:
            raise self._exceeded(ending.touched, self.carried_bound, " in all relations")

    def _exceeded(self, rows: int, most: int, where: str) -> BoundExceeded:
        told = f"It would have changed {rows:,} rows{where}; the standing permission covers {most:,} a run."
        if self.is_secret:
            told = f"It would have changed more rows{where} than the standing permission covers."
        return BoundExceeded(
            f"{told} It was rolled back, and nothing was changed.",
            remedy="Change fewer rows, or send it again as it is: then it waits for a review of its own.",
        )


NOTHING_BESIDES = Permission()


def claim(principal: Principal, acting: Principal, query: Query, assessment: Assessment) -> Permission | None:
    """What a statement that policy allows, or parks, runs under besides the decision; None: it has to wait for people. It was
    decided as `acting`, the principal with its elevations. Raises `GrantOver`, `ServiceUnavailable`."""
    try:
        return _permission(acting, query, assessment, asking_of(principal, query))
    except GrantOver as error:
        raise refuse(principal, query, error, assessment) from error


def _permission(acting: Principal, query: Query, assessment: Assessment, plain: Asking) -> Permission | None:
    parked = assessment.decision.verdict is Verdict.REVIEW
    if not parked and not acting.grants:
        return NOTHING_BESIDES
    elevations = _elevations_used(acting, query, assessment, plain)
    for _ in range(MOST_TRIES):
        standing = _standing(plain.principal, query, assessment) if parked else None
        if parked and standing is None:
            return None
        try:
            return _claimed(query, assessment, [*([standing] if standing else []), *elevations])
        except GrantOver as over:
            lost = over
            if grants.standing().filter(pk__in=[one.pk for one in elevations]).count() < len(elevations):
                break
    raise lost


def _elevations_used(acting: Principal, query: Query, assessment: Assessment, plain: Asking) -> Sequence[Grant]:
    if not acting.grants:
        return []
    without, decided = assess(query.datasource, query.sql, plain).decision, assessment.decision
    if dataclasses.replace(without, policies=(), message="", remedy="") == dataclasses.replace(
        decided, policies=(), message="", remedy=""
    ):
        return []
    return list(Grant.objects.filter(pk__in=acting.grants).select_related("datasource", "owner"))


def _standing(plain: Principal, query: Query, assessment: Assessment) -> Grant | None:
    grant = grants.covering(plain, query.datasource, _statement(query, assessment))
    if grant is not None and not _exceeded_before(grant, query, assessment):
        return grant
    if assessment.facts.unknown:
        # Nobody has looked at it, and what it does cannot be known (P1): also in an emergency another person must.
        return None
    return grants.broken_glass(plain, query.datasource, query.door)


def _statement(query: Query, assessment: Assessment) -> Statement:
    facts, decision = assessment.facts, assessment.decision
    return Statement(
        fingerprint=facts.fingerprint,
        relations=frozenset(relations_of(facts_json(facts))),
        shape=bound_shape(query, assessment),
        hazards=facts.hazard_codes,
        required=decision.required,
        terms=decision.terms,
        on_behalf_of=query.on_behalf_of,
        writes=not facts.reads_only,
        exact=not facts.kinds <= PLAIN or bool(facts.unknown) or not CODE.isdisjoint(facts.hazard_codes),
        digest=digest_of(query, assessment),
    )


def _exceeded_before(grant: Grant, query: Query, assessment: Assessment) -> bool:
    """Exactly this statement went past the bound under this grant: it would again, so now people look at it."""
    same = Query.objects.filter(grant=grant, digest=digest_of(query, assessment), problem__code=BoundExceeded.code)
    return same.exists()


def _claimed(query: Query, assessment: Assessment, used: Sequence[Grant]) -> Permission:
    if not used:
        return NOTHING_BESIDES
    digest = digest_of(query, assessment)
    try:
        with transaction.atomic():
            Query.objects.filter(pk=query.pk).update(grant=used[0], digest=digest)
            grants.claim(used, query.pk, assessment.facts.normal)
    except (LedgerUnavailable, DatabaseError) as error:
        raise ServiceUnavailable(
            "That a standing permission is used could not be recorded, so nothing was run.",
            remedy="Send it again shortly.",
        ) from error
    query.grant, query.digest = used[0], digest
    return _bounded(used[0], tuple(grant.pk for grant in used), assessment)


def _bounded(grant: Grant, used: tuple[uuid.UUID, ...], assessment: Assessment) -> Permission:
    if grant.kind != Grant.Kind.STATEMENT or grant.request is None or assessment.facts.reads_only:
        return Permission(used)
    bound = grants.bound_of(grant)
    return Permission(used, bound, carried_bound(grant.request, bound), grants.tells_of_masked_values(grant))
