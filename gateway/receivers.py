"""What a request's fate means for the query that waits on it. In the same transaction as the move."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from approvals.models import Request
from approvals.signals import request_moved
from approvals.states import State
from audit.models import SubjectKey
from audit.retention.signals import subject_erased
from gateway import erasure
from gateway.models import Query, QueryState

ENDS = {
    State.REJECTED: (QueryState.REJECTED, "A reviewer rejected it."),
    State.WITHDRAWN: (QueryState.WITHDRAWN, "It was withdrawn before it ran."),
    State.EXPIRED: (QueryState.EXPIRED, "Nobody decided, or it could not run, in time."),
    State.DRIFTED: (QueryState.DRIFTED, "What was approved is no longer what would run."),
}


@receiver(request_moved)
def follow_request(sender: type[Request], request: Request, **_: Any) -> None:
    if State(request.state) not in ENDS:
        return
    state, detail = ENDS[State(request.state)]
    problem = {"code": state.value, "title": f"The request is {request.state}", "status": 409, "detail": detail}
    rejection = request.reviews.filter(verdict="reject").first()
    if rejection is not None:
        problem["remedy"] = f"{rejection.reviewer} wrote: {rejection.comment}"
    elif request.outcome and "problem" in request.outcome:
        problem["remedy"] = request.outcome["problem"]["detail"]
    Query.objects.filter(request=request).update(state=state, problem=problem, finished_at=timezone.now())


@receiver(subject_erased)
def follow_erasure(sender: type[SubjectKey], subject: str, erased_at: datetime, **_: Any) -> None:
    erasure.empty(subject, erased_at)
