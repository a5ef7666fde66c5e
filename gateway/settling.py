"""After a crash: what became of an approved statement whose process ended, or lost sight of it.

Nothing commits before its transaction id is durable in the request. So without an id nothing was changed; with one, the
governed database knows (`pg_xact_status`). What runs outside transactions has no id: nobody can tell, and a person looks.
"""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from approvals import services as approvals
from approvals.models import Request
from approvals.services import LostRace
from approvals.states import Action, ImpossibleTransition, State
from gateway.attempts import close, entry
from gateway.binding import address_of
from gateway.claims import held
from gateway.drivers import driver_for
from gateway.drivers.base import Fate
from gateway.models import Query, QueryState
from gateway.work import source_of

COMMITTED = "The change was committed; the process that ran it ended before it could keep the result."
UNKNOWN = (
    "The database can no longer tell whether the change was committed. Look at the data before anybody asks again."
)
OUTSIDE = (
    "It runs outside transactions, and nobody saw its end: the database cannot tell how far it came. Look before anybody asks"
    " again; an index that was being built may have stayed behind as INVALID."
)


def reconcile(request_id: uuid.UUID) -> str:
    """For a request that is `executing`: if nobody is at it any more, finds out what became of it."""
    with held(request_id) as mine:
        if not mine:
            return "busy"
        request = Request.objects.select_related("datasource", "owner", "agent").filter(pk=request_id).first()
        if request is None or request.state != State.EXECUTING:
            return request.state if request else "gone"
        return reconcile_locked(request)


def reconcile_locked(request: Request) -> str:
    """Raises `DataSourceUnavailable` while the database that would know is away."""
    request.refresh_from_db()
    fate = _fate_of(request)
    if fate is Fate.IN_PROGRESS:
        return State.EXECUTING
    query = Query.objects.select_related("datasource", "request").get(request=request)
    try:
        with transaction.atomic():
            return _settle(query, request, fate)
    except (LostRace, ImpossibleTransition):
        # It was not dead: it has just made its id durable, or ended.
        return "busy"


def _fate_of(request: Request) -> Fate:
    if request.outside_transaction:
        return Fate.UNKNOWN
    if not request.xid:
        return Fate.ABORTED
    if _elsewhere(request):
        # Another server knows nothing of it, and would answer all the same.
        return Fate.UNKNOWN
    return driver_for(request.datasource.engine).fate_of(source_of(request.datasource), request.xid)


def _elsewhere(request: Request) -> bool:
    """The data source has another address than when it was asked for. Older requests do not say."""
    here = address_of(request.datasource)
    return bool(request.bound.get("address", here) != here)


def _settle(query: Query, request: Request, fate: Fate) -> str:
    """Guarded by the id that was looked at too: whoever made one durable since is alive, and may commit."""
    guard = {"attempt": request.attempt, "xid": request.xid}
    fields = {"attempt": request.attempt, "transaction_id": request.xid or None}
    if fate is Fate.ABORTED:
        approvals.move(request, Action.RELEASE, guard=guard, xid="", outcome=None)
        entry("execution.finished", request, status="not_executed", **fields)
        Query.objects.filter(pk=query.pk).update(state=QueryState.PARKED)
        if request.carrier == Request.Carrier.WORKER:
            transaction.on_commit(lambda: approvals.publish(request.pk))
        return State.APPROVED
    if fate is Fate.COMMITTED:
        count = (request.outcome or {}).get("row_count")
        outcome = {"row_count": count, "detail": COMMITTED}
        approvals.move(request, Action.FINISH, guard=guard, outcome=outcome, finished_at=timezone.now())
        receipt = entry("execution.finished", request, status="executed", rows=count, **fields)
        close(query, QueryState.EXECUTED, receipt, row_count=count)
        return State.EXECUTED
    detail = OUTSIDE if request.outside_transaction else UNKNOWN
    approvals.move(request, Action.LOSE, guard=guard, outcome={"detail": detail}, finished_at=timezone.now())
    receipt = entry("execution.finished", request, status="unknown", **fields)
    problem = {"code": "outcome-unknown", "title": "What became of it is not known", "status": 500, "detail": detail}
    close(query, QueryState.UNKNOWN, receipt, problem=problem)
    return State.UNKNOWN
