"""Runs what people approved: the same steps as the pipeline, at most once, also through a crash (P4).

 1. A claim (`gateway/claims.py`) says that this process is at it; it goes with the process.
 2. The request is assessed again. What is no longer as approved goes back to people (`gateway/drifting.py`).
 3. approved → executing, with a new attempt, and its entry, in one transaction. Then the intent, durable.
 4. The statement runs; its transaction id is durable in the request before COMMIT, guarded by the attempt and by the bound on
    rows (`gateway/attempts.py`).
 5. Outcome, result and state are recorded together.
After a crash between 3 and 5, `gateway/settling.py` asks the database what became of the transaction id.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from functools import partial

from django.utils import timezone

from approvals import services as approvals
from approvals.models import Request
from approvals.scheduling import wait_for_next_window
from approvals.services import LostRace
from approvals.states import ImpossibleTransition, State
from gateway import attempts, undo
from gateway.admission import asker_of
from gateway.attempts import OutOfBounds
from gateway.claims import held
from gateway.drifting import Drift, Finding, send_back
from gateway.drivers.base import Rows
from gateway.models import Query
from gateway.preparing import prepare, query_of
from gateway.recording import record_intent
from gateway.running import RunningStatement, running
from gateway.settling import reconcile, reconcile_locked
from gateway.work import CommitInDoubt, run
from governance.assessment import Assessment
from governance.errors import Denied, GatewayError, ServiceUnavailable
from identity.errors import NotAuthenticated
from identity.principals import Principal

__all__ = ["execute_request", "query_of", "reconcile"]

logger = logging.getLogger(__name__)
BUSY, NOT_DUE, LEFT = "busy", "not due", "left to its session"


def execute_request(request_id: uuid.UUID) -> str:
    """Runs an approved request and returns the state that it is left in. Safe to call any number of times."""
    with held(request_id) as mine:
        if not mine:
            return BUSY
        query = query_of(request_id)
        if query is None or query.request is None:
            return "gone"
        return _not_now(query.request) or _execute(query, query.request)


def _not_now(request: Request) -> str:
    """Why it is not run now; empty if it is."""
    if request.state != State.APPROVED:
        return request.state
    if request.carrier == Request.Carrier.CALLER:
        return LEFT
    if request.expires_at <= timezone.now():
        approvals.expire_due()
        return State.EXPIRED
    return NOT_DUE if request.not_before and request.not_before > timezone.now() else ""


def _execute(query: Query, request: Request) -> str:
    principal = asker_of(query)
    finding = prepare(principal, query, request)
    if finding.drift or finding.assessment is None:
        return _ended(partial(_sent_back, principal, query, request, finding, None))
    if wait_for_next_window(request.pk):
        return NOT_DUE
    try:
        attempt = attempts.begin(request)
    except (LostRace, ImpossibleTransition):
        return BUSY
    try:
        with running(query.pk, principal, grants=principal.grants, allow_expired=True) as statement:
            rows = _run(query, request, finding.assessment, statement, attempt, principal)
    except (CommitInDoubt, ServiceUnavailable):
        return reconcile_locked(request)
    except LostRace:
        return BUSY
    except OutOfBounds as exceeded:
        beyond = Finding(finding.assessment, (Drift("size", str(exceeded)),))
        return _ended(lambda: _sent_back(principal, query, request, beyond, attempt))
    except NotAuthenticated:
        revoked = Denied("The credential that asked has been revoked.")
        return _ended(partial(attempts.fail, query, request, attempt, revoked))
    except GatewayError as error:
        return _ended(partial(attempts.fail, query, request, attempt, error))
    return _ended(partial(attempts.finish, query, request, attempt, rows, finding.assessment))


def _ended(record: Callable[[], str]) -> str:
    """What became of it, unless another worker found that out first, or it was withdrawn."""
    try:
        return record()
    except (LostRace, ImpossibleTransition):
        return BUSY


def _sent_back(principal: Principal, query: Query, request: Request, finding: Finding, attempt: int | None) -> str:
    send_back(principal, query, request, finding, attempt=attempt)
    return State.DRIFTED


# --- The run ------------------------------------------------------------------------------------------------------


def _run(
    query: Query,
    request: Request,
    assessment: Assessment,
    statement: RunningStatement,
    attempt: int,
    principal: Principal,
) -> Rows:
    capture = undo.prepare(request, assessment)
    record_intent(query, assessment, principal.owner, digest=request.digest)
    durable = partial(attempts.make_durable, request, attempt, capture)
    before_commit = None if assessment.facts.reads_only else durable
    return run(query, assessment, statement, before_commit=before_commit, isolated=True, capture=capture)
