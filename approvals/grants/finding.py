"""Finding grants: what this principal may see of them, and what may be done to one. `fetch_grant_for` is the only way a door
obtains one."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from approvals.finding import AUDITORS
from approvals.grants.errors import UnknownGrant
from approvals.impact import access
from approvals.models import Grant, Review, Verdict
from identity.principals import Principal


class Status(StrEnum):
    STANDING = "standing"
    USED_UP = "used-up"
    EXPIRED = "expired"
    REVOKED = "revoked"


def status_of(grant: Grant, now: datetime | None = None) -> Status:
    if grant.revoked_at is not None:
        return Status.REVOKED
    if grant.max_uses is not None and grant.uses >= grant.max_uses:
        return Status.USED_UP
    return Status.STANDING if grant.expires_at > (now or timezone.now()) else Status.EXPIRED


def standing(grants: QuerySet[Grant] | None = None) -> QuerySet[Grant]:
    """Those under which something may run now: the guard of the UPDATE that claims one, too."""
    left = Q(max_uses__isnull=True) | Q(uses__lt=F("max_uses"))
    found = Grant.objects.all() if grants is None else grants
    return found.filter(left, revoked_at__isnull=True, expires_at__gt=timezone.now())


def tells_of_masked_values(grant: Grant) -> bool:
    """Whether its bound on rows, which follows from what was measured, would tell its holder of what is masked for them."""
    request = grant.request
    return request is not None and access.tells_of_masked_values(request.facts, request.decision)


def held_by(principal: Principal) -> Q:
    return Q(user_id=principal.id) if principal.is_person else Q(agent_id=principal.id)


def visible_to(principal: Principal) -> QuerySet[Grant]:
    """Own grants, those of own agents, those that one gave or whose groups one is in; auditors and administrators see all."""
    grants = Grant.objects.select_related("datasource", "user", "agent__owner", "owner", "request")
    grants = grants.prefetch_related("request__reviews__reviewer")
    if principal.is_administrator or AUDITORS in principal.groups:
        return grants
    mine = held_by(principal)
    if principal.is_person:
        reviewed = Review.objects.filter(reviewer_id=principal.id)
        mine |= Q(owner_id=principal.id) | Q(agent__owner_id=principal.id) | Q(request__in=reviewed.values("request"))
        for group in principal.groups:
            mine |= Q(required__contains=[{"group": group}])
    return grants.filter(mine)


def fetch_grant_for(principal: Principal, grant_id: uuid.UUID) -> Grant:
    """Raises `UnknownGrant`."""
    grant = visible_to(principal).filter(pk=grant_id).first()
    if grant is None:
        raise UnknownGrant(f"There is no grant {grant_id}, or it is not yours to see.", remedy="Look at GET grants.")
    return grant


def holds(grant: Grant, principal: Principal) -> bool:
    return (grant.user_id if principal.is_person else grant.agent_id) == principal.id


def approvers_of(grant: Grant) -> list[Review]:
    """The reviews that gave it: of the revision that was approved."""
    if grant.request is None:
        return []
    current = (review for review in grant.request.reviews.all() if review.revision == grant.request.revision)
    return [review for review in current if review.verdict == Verdict.APPROVE]


def may_cut(grant: Grant, principal: Principal) -> bool:
    """Who gave it, the owner (of then and of now), administrators; broken glass also whoever looks at it afterwards."""
    if not principal.is_person:
        return False
    owners = {grant.owner_id, grant.agent.owner_id if grant.agent is not None else grant.owner_id}
    if principal.is_administrator or principal.id in owners:
        return True
    if grant.kind == Grant.Kind.BREAK_GLASS:
        return bool(principal.groups & {one["group"] for one in grant.required})
    return any(review.reviewer_id == principal.id for review in approvers_of(grant))


def may_end(grant: Grant, principal: Principal) -> bool:
    """Whoever may cut it down, and whoever has it."""
    return holds(grant, principal) or may_cut(grant, principal)
