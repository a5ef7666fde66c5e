"""Finding requests: what this principal may see of them. `fetch_request_for` is the only way a door obtains one."""

from __future__ import annotations

import uuid

from django.db.models import Q, QuerySet
from django.utils import timezone

from approvals.errors import UnknownRequest
from approvals.models import Request
from approvals.states import OPEN, State
from identity.principals import Principal

AUDITORS = "auditors"


def _visible_to(principal: Principal) -> QuerySet[Request]:
    """Own requests, those of own agents, and those that one of the own groups must review; auditors and
    administrators see all."""
    requests = Request.objects.select_related("datasource", "agent", "owner").prefetch_related("reviews__reviewer")
    if principal.is_administrator or AUDITORS in principal.groups:
        return requests
    mine = Q(requester=principal.label)
    if principal.is_person:
        mine |= Q(owner_id=principal.owner_id)
        for group in principal.groups:
            mine |= Q(required__contains=[{"group": group}])
    return requests.filter(mine)


def fetch_request_for(principal: Principal, request_id: uuid.UUID) -> Request:
    """Raises `UnknownRequest`."""
    request = _visible_to(principal).filter(pk=request_id).first()
    if request is None:
        raise UnknownRequest
    return request


def list_requests_for(principal: Principal, which: str = "all") -> QuerySet[Request]:
    """`waiting` pending · `mine` pending, and this person may review it · `decided` ended · `all`."""
    requests = _visible_to(principal)
    if which == "waiting":
        return requests.filter(state=State.PENDING, expires_at__gt=timezone.now())
    if which == "mine":
        groups = Q(pk__in=[])
        for group in principal.groups:
            groups |= Q(required__contains=[{"group": group}])
        waiting = requests.filter(groups, state=State.PENDING, expires_at__gt=timezone.now())
        waiting = waiting.exclude(owner_id=principal.owner_id).exclude(agent__owner_id=principal.owner_id)
        return waiting.exclude(reviews__reviewer_id=principal.id)
    if which == "decided":
        return requests.exclude(state__in=OPEN)
    return requests


def waiting_count(principal: Principal) -> int:
    return list_requests_for(principal, "mine").count()
