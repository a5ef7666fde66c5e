"""Finding requests: what this principal may see of them. `fetch_request_for` is the only way a door obtains one."""

from __future__ import annotations

import uuid

from django.db.models import Q, QuerySet
from django.utils import timezone

from approvals.eligibility import voices_of
from approvals.errors import UnknownRequest
from approvals.models import Request
from approvals.states import OPEN, State
from approvals.waiting import waits_for
from identity.principals import Principal

AUDITORS = "auditors"


def _visible_to(principal: Principal) -> QuerySet[Request]:
    """Own requests, those of own agents, and those that one of the own groups must review (or one of somebody for whom one
    stands in); auditors and administrators see all."""
    requests = Request.objects.select_related("datasource", "agent", "owner").prefetch_related("reviews__reviewer")
    if principal.is_administrator or AUDITORS in principal.groups:
        return requests
    if not principal.is_person:
        return requests.filter(requester=principal.label)
    visible = _asked_by(principal)
    for group in sorted({group for voice in voices_of(principal) for group in voice.groups}):
        visible |= Q(required__contains=[{"group": group}])
        visible |= Q(required__contains=[{"escalate_to": group, "escalated": True}])
    return requests.filter(visible)


def _asked_by(principal: Principal) -> Q:
    """By the person, or by an agent of theirs."""
    return Q(requester=principal.label) | Q(owner_id=principal.owner_id)


def fetch_request_for(principal: Principal, request_id: uuid.UUID) -> Request:
    """Raises `UnknownRequest`."""
    request = _visible_to(principal).filter(pk=request_id).first()
    if request is None:
        raise UnknownRequest
    return request


def list_requests_for(principal: Principal, which: str = "all", door: str = "web") -> QuerySet[Request]:
    """`mine` this person may review it now · `asked` by this principal or an own agent · `waiting` pending · `decided` ended ·
    `all` that this principal may see."""
    if which == "mine":
        # Whoever may review a request may see it.
        related = Request.objects.select_related("datasource", "agent", "owner").prefetch_related("reviews__reviewer")
        return related.filter(waits_for(principal, door))
    requests = _visible_to(principal)
    if which == "asked":
        return requests.filter(_asked_by(principal))
    if which == "waiting":
        return requests.filter(state=State.PENDING, expires_at__gt=timezone.now())
    if which == "decided":
        return requests.exclude(state__in=OPEN)
    return requests


def waiting_count(principal: Principal) -> int:
    return Request.objects.filter(waits_for(principal)).count()
