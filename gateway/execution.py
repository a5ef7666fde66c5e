"""Runs what people approved: the same steps as the pipeline, at most once, also through a crash (P4).

 1. An advisory lock on the control database says that somebody is at it; it goes with the process that held it.
 2. The request is assessed again; if digest, verdict or reviews no longer hold, it has drifted and does not run.
 3. approved → executing, with a new attempt, and its entry, in one transaction. Then the intent, durable.
 4. The statement runs; its transaction id is durable in the request before COMMIT, guarded by the attempt.
 5. Outcome, result and state are recorded together.
After a crash between 3 and 5, `reconcile` asks the database what became of the transaction id.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.db import connection, transaction
from django.utils import timezone

from approvals import services as approvals
from approvals.models import Request
from approvals.services import LostRace
from approvals.states import Action, ImpossibleTransition, State
from audit import ledger
from audit.events import clean_text
from gateway import catalogues
from gateway.drivers import driver_for
from gateway.drivers.base import Ending, Fate, Rows
from gateway.models import Query, QueryState
from gateway.parking import digest_of
from gateway.pipeline import asking_of
from gateway.queries import without_database_text
from gateway.recording import problem_of, record_intent
from gateway.results import store_result
from gateway.running import RunningStatement, running
from gateway.work import CommitInDoubt, masked_names, run, source_of
from governance.assessment import Assessment, assess
from governance.catalogue import store as catalogue_store
from governance.errors import Cancelled, Denied, GatewayError, ServiceUnavailable, Unreadable
from governance.policy.decision import RequiredReview, Verdict
from identity.errors import NotAuthenticated
from identity.models import Credential, User
from identity.principals import Principal, principal_of_agent, principal_of_user

logger = logging.getLogger(__name__)


def execute_request(request_id: uuid.UUID) -> str:
    """Runs an approved request and returns the state that it is left in. Safe to call any number of times."""
    with held(request_id) as mine:
        if not mine:
            return "busy"
        query = _query_of(request_id)
        if query is None or query.request is None or query.request.state != State.APPROVED:
            return query.request.state if query and query.request else "gone"
        if query.request.expires_at <= timezone.now():
            approvals.expire_due()
            return State.EXPIRED
        return _execute(query, query.request)


def _execute(query: Query, request: Request) -> str:
    principal = _principal_of(query)
    assessment, drift = _assess_again(principal, query, request)
    if assessment is None or drift:
        return _drifted(request, drift)
    try:
        attempt = _start(request)
    except (LostRace, ImpossibleTransition):
        return "busy"
    try:
        with running(query.pk, principal, allow_expired=True) as statement:
            rows = _run(query, request, assessment, statement, attempt, principal)
    except (CommitInDoubt, ServiceUnavailable):
        return reconcile_locked(request)
    except LostRace:
        return "busy"
    except NotAuthenticated:
        return _ended(lambda: _failed(query, request, attempt, Denied("The credential that asked has been revoked.")))
    except GatewayError as error:
        failure = error
        return _ended(lambda: _failed(query, request, attempt, failure))
    return _ended(lambda: _finished(query, request, attempt, rows, assessment))


def _ended(record: Callable[[], str]) -> str:
    """What became of it, unless another worker found that out first."""
    try:
        return record()
    except (LostRace, ImpossibleTransition):
        return "busy"


# --- Before it runs -----------------------------------------------------------------------------------------------


def _query_of(request_id: uuid.UUID) -> Query | None:
    related = ("request__datasource", "request__owner", "datasource", "agent__owner", "user")
    return Query.objects.select_related(*related).filter(request_id=request_id).first()


def _principal_of(query: Query) -> Principal:
    """Exactly one of agent and user is set (the table's check constraint)."""
    if query.agent is not None:
        return principal_of_agent(query.agent, query.credential)
    return principal_of_user(cast(User, query.user), query.credential)


def _assess_again(principal: Principal, query: Query, request: Request) -> tuple[Assessment | None, str]:
    """The assessment as of now, and why it must not run if so. The catalogue is read anew: P4 binds to the schema."""
    if reason := _no_longer_allowed(query):
        return None, reason
    try:
        catalogue_store.synchronise(query.datasource, actor="gateway")
        assessment = assess(query.datasource, query.sql, asking_of(principal, query))
    except Unreadable as error:
        # The parser's message quotes the text, and the reason is in the open part of the ledger's entry.
        logger.warning("Request %s can no longer be read: %s", request.pk, error.title)
        return None, "It can no longer be read."
    if digest_of(query, assessment) != request.digest:
        return assessment, "The schema, the role or the search path is no longer what was approved."
    if assessment.decision.verdict is Verdict.DENY:
        return assessment, f"Policy now denies it: {assessment.decision.message}"
    asked = {RequiredReview(one["group"], one["quorum"]) for one in request.required}
    if not set(assessment.decision.required) <= asked:
        return assessment, "Policy now asks for other reviews than it was given."
    if lacking := approvals.lacking(request):
        return assessment, f"Approvals no longer hold: {', '.join(lacking)} must approve again."
    return assessment, ""


def _no_longer_allowed(query: Query) -> str:
    """Revoked means now (P8): also for what was approved and waits to run. An expiry is no revocation."""
    if query.agent is not None and not (query.agent.is_active and query.agent.owner.is_active):
        return "The agent, or its owner, is no longer active."
    if query.user is not None and not query.user.is_active:
        return "Whoever asked is no longer active."
    if query.credential and not Credential.objects.filter(pk=query.credential, revoked_at__isnull=True).exists():
        return "The credential that asked has been revoked."
    return ""


@transaction.atomic
def _drifted(request: Request, reason: str) -> str:
    approvals.move(
        request, Action.DRIFT, reason=reason, outcome={"problem": {"code": "drifted", "detail": reason}},
        finished_at=timezone.now(),
    )  # fmt: skip
    return State.DRIFTED


@transaction.atomic
def _start(request: Request) -> int:
    """The attempt's number. Two workers cannot both get here: the UPDATE is guarded by state and attempt."""
    attempt = request.attempt + 1
    approvals.move(request, Action.START, guard={"attempt": request.attempt}, attempt=attempt, xid="")
    _entry("execution.started", request, attempt=attempt)
    return attempt


# --- The run ------------------------------------------------------------------------------------------------------


def _run(
    query: Query,
    request: Request,
    assessment: Assessment,
    statement: RunningStatement,
    attempt: int,
    principal: Principal,
) -> Rows:
    record_intent(query, assessment, principal.owner, digest=request.digest)

    def make_durable(ending: Ending) -> None:
        """Before COMMIT. If the attempt was taken away meanwhile, the transaction is rolled back."""
        mine = Request.objects.filter(pk=request.pk, state=State.EXECUTING, attempt=attempt)
        if mine.update(xid=ending.transaction_id) != 1:
            raise LostRace(f"attempt {attempt} of request {request.pk} was taken away")

    before_commit = None if assessment.facts.reads_only else make_durable
    return run(query, assessment, statement, before_commit=before_commit, isolated=True)


def _finished(query: Query, request: Request, attempt: int, rows: Rows, assessment: Assessment) -> str:
    request.refresh_from_db(fields=["xid"])
    outcome = {"row_count": rows.count, "duration_ms": rows.duration_ms}
    with transaction.atomic():
        approvals.move(request, Action.FINISH, guard={"attempt": attempt}, outcome=outcome, finished_at=timezone.now())
        store_result(query, rows, masked_names(assessment, rows))
        receipt = _entry(
            "execution.finished", request, attempt=attempt, status="executed", rows=rows.count, bytes=rows.bytes,
            duration_ms=round(rows.duration_ms), transaction_id=request.xid or None,
        )  # fmt: skip
        _close(query, QueryState.EXECUTED, receipt, row_count=rows.count, duration_ms=rows.duration_ms)
    catalogues.read_after(query.datasource, assessment.facts)
    return State.EXECUTED


def _failed(query: Query, request: Request, attempt: int, error: GatewayError) -> str:
    state = QueryState.CANCELLED if isinstance(error, Cancelled) else QueryState.FAILED
    problem = problem_of(error)
    with transaction.atomic():
        approvals.move(
            request, Action.FAIL, guard={"attempt": attempt}, outcome={"problem": without_database_text(problem)},
            finished_at=timezone.now(),
        )  # fmt: skip
        receipt = _entry(
            "execution.finished",
            request,
            attempt=attempt,
            status=state.value,
            sqlstate=error.sqlstate,
            error=error.code,
        )
        _close(query, state, receipt, problem=problem)
    return State.FAILED


# --- After a crash ------------------------------------------------------------------------------------------------


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
    """Without a durable transaction id nothing can have been committed; with one, the database knows."""
    request.refresh_from_db()
    fate = Fate.ABORTED
    if request.xid:
        fate = driver_for(request.datasource.engine).fate_of(source_of(request.datasource), request.xid)
    if fate is Fate.IN_PROGRESS:
        return State.EXECUTING
    query = Query.objects.select_related("datasource", "request").get(request=request)
    with transaction.atomic():
        return _settle(query, request, fate)


def _settle(query: Query, request: Request, fate: Fate) -> str:
    guard, fields = {"attempt": request.attempt}, {"attempt": request.attempt, "transaction_id": request.xid or None}
    if fate is Fate.ABORTED:
        _entry("execution.finished", request, status="not_executed", **fields)
        approvals.move(request, Action.RELEASE, guard=guard, xid="")
        Query.objects.filter(pk=query.pk).update(state=QueryState.PARKED)
        transaction.on_commit(lambda: approvals.publish(request.pk))
        return State.APPROVED
    if fate is Fate.COMMITTED:
        outcome = {"detail": "The change was committed; the worker ended before it could tell how many rows."}
        approvals.move(request, Action.FINISH, guard=guard, outcome=outcome, finished_at=timezone.now())
        _close(query, QueryState.EXECUTED, _entry("execution.finished", request, status="executed", **fields))
        return State.EXECUTED
    outcome = {"detail": "The database can no longer tell whether the change was committed. A person must look."}
    approvals.move(request, Action.LOSE, guard=guard, outcome=outcome, finished_at=timezone.now())
    _close(query, QueryState.UNKNOWN, _entry("execution.finished", request, status="unknown", **fields))
    return State.UNKNOWN


# --- Shared -------------------------------------------------------------------------------------------------------


def _entry(kind: str, request: Request, **fields: Any) -> ledger.Receipt:
    return ledger.append_within(
        kind,
        request=str(request.pk),
        query=str(request.query.pk),
        principal=request.requester,
        owner=request.owner.username,
        datasource=request.datasource.name,
        environment=request.datasource.environment,
        risk=request.risk,
        digest=request.digest,
        sql_normal=clean_text(request.normal, 4000),
        **fields,
    )


def _close(query: Query, state: QueryState, receipt: ledger.Receipt, **changes: Any) -> None:
    changes |= {
        "state": state,
        "finished_at": timezone.now(),
        "ledger_index": receipt.index,
        "ledger_leaf": receipt.leaf,
    }
    Query.objects.filter(pk=query.pk).update(**changes)


@contextmanager
def held(request_id: uuid.UUID) -> Iterator[bool]:
    """Whether this process is the one that executes the request. The lock lives with a session of its own on the control
    database, so the database lets go of it when the process dies."""
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    key = request_id.int & (2**63 - 1)
    with psycopg.connect(**parameters, autocommit=True) as session:
        row = session.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
        yield bool(row and row[0])
