"""Does a standing permission cover a statement that policy parks, and the claim of one run under it.

Coverage never turns a denial into anything else: it is asked only for what policy parks, and masks, row filters and limits
stay as they are decided now.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from approvals.grants.bounds import Statement, demands_no_more, narrowest_bound
from approvals.grants.errors import GrantOver
from approvals.grants.finding import standing, tells_of_masked_values
from approvals.grants.holding import held
from approvals.grants.policy import may_break_glass
from approvals.grants.recording import normal_field, record
from approvals.models import Grant, GrantUse
from governance.models import DataSource
from governance.policy.windows import is_open
from identity.principals import Principal


def covering(principal: Principal, datasource: DataSource, statement: Statement) -> Grant | None:
    """The one that ends first of those that hold for this statement, now."""
    now = timezone.now()
    found = held(principal, datasource, Grant.Kind.STATEMENT).filter(fingerprint=statement.fingerprint)
    return next((grant for grant in found if _covers(grant, statement, now)), None)


def _covers(grant: Grant, statement: Statement, now: datetime) -> bool:
    request = grant.request
    if request is None or not statement.fingerprint or not statement.shape:
        return False
    seen = {str(hazard["code"]) for hazard in request.facts.get("hazards", ())}
    return (
        grant.shape == statement.shape
        and set(grant.relations) == statement.relations
        and statement.hazards <= seen
        and (not statement.exact or request.digest == statement.digest)
        and request.on_behalf_of == statement.on_behalf_of
        and demands_no_more(statement.required, statement.terms, grant.required, request.terms)
        and now < grant.created_at + timedelta(seconds=statement.terms.grantable)
        and is_open(statement.terms.windows, now)
        and (not statement.writes or bound_of(grant) is not None)
    )


def bound_of(grant: Grant) -> int | None:
    """How many rows one run may change: what was given, and what the impact was measured to be if that came later."""
    return narrowest_bound([grant.row_bound, grant.request.row_bound if grant.request is not None else None])


def open_bound_of(grant: Grant) -> int | None:
    """The same where anybody who sees the grant may know it."""
    return None if tells_of_masked_values(grant) else bound_of(grant)


def broken_glass(principal: Principal, datasource: DataSource, door: str) -> Grant | None:
    """The policies are asked again: whoever may no longer break the glass does not run under it."""
    if not principal.is_person:
        return None
    grant = held(principal, datasource, Grant.Kind.BREAK_GLASS).first()
    if grant is None:
        return None
    minutes = round((grant.expires_at - grant.created_at).total_seconds() / 60)
    allowed = may_break_glass(principal, datasource, minutes=minutes, reason=grant.reason, door=door).required
    return grant if allowed else None


@transaction.atomic
def claim(grants: Sequence[Grant], query: uuid.UUID, normal: str) -> None:
    """One run under each of them, before it begins: counted, kept and recorded, or none of it. What runs and fails counts,
    too: a run is used up once it may have reached the database. Raises `GrantOver` when one of them ended meanwhile."""
    ordered = sorted(grants, key=lambda grant: grant.pk)
    for grant in ordered:
        if standing().filter(pk=grant.pk).update(uses=F("uses") + 1) != 1:
            raise GrantOver(
                "The standing permission under which this would have run ended this moment. Nothing was run.",
                remedy="Send it again: it is decided anew.",
            )
        GrantUse.objects.create(grant=grant, query=query, normal=normal)
    for grant in _fresh(ordered):
        record(grant, "grant.used", "used", None, query=str(query), sql_normal=normal_field(normal))


def _fresh(grants: Iterable[Grant]) -> Iterable[Grant]:
    for grant in grants:
        grant.refresh_from_db(fields=["uses"])
        yield grant
