"""What a request's fate means for the query that waits on it. In the same transaction as the move."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from approvals.models import Request
from approvals.signals import request_moved
from approvals.states import State
from audit.models import SubjectKey
from audit.retention.signals import subject_erased
from gateway import erasure
from gateway.models import Query, QueryState
from gateway.running import announce_move

ENDS = {
    State.REJECTED: (QueryState.REJECTED, "A reviewer rejected it."),
    State.WITHDRAWN: (QueryState.WITHDRAWN, "It was withdrawn before it ran."),
    State.EXPIRED: (QueryState.EXPIRED, "Nobody decided, or it could not run, in time."),
    State.DRIFTED: (QueryState.DRIFTED, "What was approved is no longer what would run."),
}


@receiver(request_moved)
def follow_request(sender: type[Request], request: Request, **_: Any) -> None:
    if request.carrier == Request.Carrier.CALLER:
        transaction.on_commit(partial(announce_move, request.pk))
    if State(request.state) not in ENDS:
        return
    state, detail = ENDS[State(request.state)]
    problem = {"code": state.value, "title": f"The request is {request.state}", "status": 409, "detail": detail}
    rejection = request.reviews.filter(verdict="reject").first()
    if rejection is not None:
        problem["remedy"] = f"{rejection.reviewer} wrote: {rejection.comment}"
    elif state is QueryState.DRIFTED and request.outcome:
        problem |= _of_drift(detail, request.outcome)
    elif request.outcome and "problem" in request.outcome:
        problem["remedy"] = request.outcome["problem"]["detail"]
    Query.objects.filter(request=request).update(state=state, problem=problem, finished_at=timezone.now())


def _of_drift(detail: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """What changed, and where it is asked for again."""
    told: dict[str, Any] = {"detail": f"{detail} {outcome['problem']['detail']}"}
    if "successor" not in outcome:
        return {**told, "remedy": "Look at what changed, and ask again if it is still right."}
    url = f"{settings.PUBLIC_URL}/requests/{outcome['successor']}/"
    query = str(Query.objects.values_list("pk", flat=True).get(request_id=outcome["successor"]))
    return {
        **told,
        "remedy": f"It is asked for again as query {query}, which waits for people: {url}",
        "successor": {"query": query, "request": outcome["successor"], "url": url},
    }


@receiver(subject_erased)
def follow_erasure(sender: type[SubjectKey], subject: str, erased_at: datetime, **_: Any) -> None:
    erasure.empty(subject, erased_at)
