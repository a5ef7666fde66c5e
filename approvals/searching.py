"""What of the requests is asked for: one filter, for the inbox and for REST."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from approvals.models import Request
from approvals.states import OPEN, State

LONGEST_TEXT = 200
# Besides the states themselves.
OPEN_STATES, ENDED_STATES = "open", "ended"
STATES = (OPEN_STATES, ENDED_STATES, *(state.value for state in State))


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Empty: any. `principal` is a label (`agent:name`, `user:name`) or a name of either kind. `group`: one whose approval it
    needs. `since` counts, `until` does not."""

    state: str = ""
    datasource: str = ""
    environment: str = ""
    principal: str = ""
    group: str = ""
    kind: str = ""
    text: str = ""
    risk_min: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def narrow(requests: QuerySet[Request], wanted: RequestFilter) -> QuerySet[Request]:
    conditions = Q()
    if wanted.state:
        conditions &= _state(wanted.state)
    if wanted.datasource:
        conditions &= Q(datasource__name=wanted.datasource)
    if wanted.environment:
        conditions &= Q(datasource__environment=wanted.environment)
    if wanted.principal:
        labels = (
            [wanted.principal] if ":" in wanted.principal else [f"{k}:{wanted.principal}" for k in ("agent", "user")]
        )
        conditions &= Q(requester__in=labels)
    if wanted.group:
        conditions &= Q(required__contains=[{"group": wanted.group}])
    if wanted.kind:
        conditions &= Q(kind=wanted.kind)
    if wanted.text:
        conditions &= Q(normal__icontains=wanted.text) | Q(purpose__icontains=wanted.text)
    if wanted.risk_min:
        conditions &= Q(risk__gte=wanted.risk_min)
    if wanted.since:
        conditions &= Q(created_at__gte=wanted.since)
    if wanted.until:
        conditions &= Q(created_at__lt=wanted.until)
    return requests.filter(conditions)


def _state(state: str) -> Q:
    if state == OPEN_STATES:
        return Q(state__in=sorted(OPEN))
    if state == ENDED_STATES:
        return ~Q(state__in=sorted(OPEN))
    if state == State.PENDING:
        # What has run out of time and was not swept yet waits for nobody.
        return Q(state=state, expires_at__gt=timezone.now())
    return Q(state=state)
