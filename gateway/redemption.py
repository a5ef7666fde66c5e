"""Redeem: the session that asked, or whoever asked by sending the same statement again, runs what people approved. Once.

    with redeem(principal, query, assessment) as claim:
        if claim is not None:
            …                                   # claim.assessment.texts, in a transaction of the session's own
            claim.make_durable(ending)          # before COMMIT: it raises if the transaction must be rolled back
            …                                   # COMMIT
            claim.finish(rows)

The same guards hold as for workers (`gateway/execution.py`): a claim that goes with the process, an attempt's number, a
transaction id that is durable before COMMIT. Whoever leaves the block without an end, or dies in it, is settled by that id.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from approvals.models import Request
from approvals.scheduling import wait_for_next_window
from approvals.services import LostRace
from approvals.states import ImpossibleTransition, State
from gateway import attempts, undo
from gateway.attempts import OutOfBounds
from gateway.binding import digest_of
from gateway.claims import held
from gateway.drifting import Drift, Finding, send_back
from gateway.drivers.base import Ending, Rows
from gateway.holding import AwaitsReview, NotApproved
from gateway.models import Query, QueryState, Result
from gateway.preparing import prepare, query_of
from gateway.recording import note_assessment, record_intent
from gateway.running import RunningStatement, running
from gateway.settling import reconcile_locked
from gateway.undo.capture import Capture
from gateway.work import CommitInDoubt, run
from governance.assessment import Assessment
from governance.errors import Cancelled, DataSourceUnavailable, GatewayError, ServiceUnavailable
from identity.principals import Principal


@dataclass(slots=True)
class Claim:
    """The one run of an approved request, by the session that holds this. `assessment` is as of now; `capture`, where there is
    one, takes the rows for an undo (`Work.capture`)."""

    query: Query
    request: Request
    attempt: int
    assessment: Assessment
    statement: RunningStatement
    capture: Capture | None = None
    ended: bool = False

    def make_durable(self, ending: Ending) -> None:
        """All is done but the COMMIT. Raises `OutOfBounds` or `Cancelled`: then roll back."""
        self.statement.still_wanted()
        try:
            attempts.make_durable(self.request, self.attempt, self.capture, ending)
        except LostRace as error:
            raise Cancelled("It was given up meanwhile; it was rolled back.") from error

    def finish(self, rows: Rows) -> None:
        """It has committed. Outcome, result and states are recorded together."""
        self.ended = True
        try:
            attempts.finish(self.query, self.request, self.attempt, rows, self.assessment)
        except (LostRace, ImpossibleTransition) as error:
            raise CommitInDoubt(
                "It was committed, and taken for lost meanwhile: its result is not kept.",
                remedy="Do not send it again.",
            ) from error

    def fail(self, error: GatewayError) -> None:
        """It certainly changed nothing, and is not run again."""
        attempts.fail(self.query, self.request, self.attempt, error)
        self.ended = True


@contextmanager
def redeem(principal: Principal, query: Query, assessment: Assessment) -> Iterator[Claim | None]:
    """None: nothing is approved for this, or somebody else is at it. `query` is the one that was parked, or a new one of the
    same principal with the same digest, which then takes the place of the old one.

    Raises `NotApproved` where what was approved drifted, `AwaitsReview` where its time has not come. A `GatewayError` that is
    raised inside the block ends the request as failed; anything else is settled by what the database says.
    """
    request = redeemable(principal, query, assessment)
    if request is None:
        yield None
        return
    with held(request.pk) as mine:
        attempt, finding = _begun(principal, query, request, assessment) if mine else (0, None)
        if finding is None or finding.assessment is None:
            yield None
            return
        request.refresh_from_db()
        with (
            _settled(principal, query, request, attempt, finding),
            running(query.pk, principal, grants=principal.grants) as statement,
        ):
            record_intent(query, finding.assessment, principal.owner, digest=request.digest)
            capture = undo.prepare(request, finding.assessment)
            claim = Claim(query, request, attempt, finding.assessment, statement, capture)
            try:
                yield claim
            except (CommitInDoubt, ServiceUnavailable):
                raise
            except GatewayError as error:
                if not claim.ended:
                    claim.fail(error)
                raise


@contextmanager
def _settled(principal: Principal, query: Query, request: Request, attempt: int, finding: Finding) -> Iterator[None]:
    """However the run ends, the request does not stay `executing` for longer than the database needs to tell."""
    try:
        yield
    except OutOfBounds as exceeded:
        beyond = Finding(finding.assessment, (Drift("size", str(exceeded)),))
        successor = send_back(principal, query, request, beyond, attempt=attempt)
        raise _no_longer(request, successor, str(exceeded)) from exceeded
    finally:
        request.refresh_from_db()
        if request.state == State.EXECUTING and request.attempt == attempt:
            with suppress(DataSourceUnavailable):  # the sweep asks again
                reconcile_locked(request)


def _begun(principal: Principal, query: Query, request: Request, assessment: Assessment) -> tuple[int, Finding | None]:
    """The attempt, if it is this one that runs it."""
    original = query_of(request.pk)
    request.refresh_from_db()
    if original is None or request.state != State.APPROVED:
        return 0, None
    if original.pk != query.pk:
        note_assessment(query, assessment)
    finding = prepare(principal, original, request)
    if finding.drift or finding.assessment is None:
        try:
            successor = send_back(principal, original, request, finding)
        except (LostRace, ImpossibleTransition):
            return 0, None
        raise _no_longer(request, successor, " ".join(one.detail for one in finding.drift))
    if until := wait_for_next_window(request.pk):
        raise AwaitsReview(
            f"Request {request.pk} is approved, and may run from {until:%Y-%m-%d %H:%M} UTC on.",
            remedy="Send the same statement again then.",
        )
    try:
        with transaction.atomic():
            take_over(request, original, query)
            return attempts.begin(request), finding
    except (LostRace, ImpossibleTransition):
        return 0, None


def _no_longer(request: Request, successor: Request | None, why: str) -> NotApproved:
    remedy = "Look at what changed, and ask again if it is still right."
    if successor is not None:
        remedy = f"It waits for people again: {settings.PUBLIC_URL}/requests/{successor.pk}/"
    return NotApproved(f"What was approved with request {request.pk} is no longer what would run. {why}", remedy=remedy)


# --- Which request ------------------------------------------------------------------------------------------------


def redeemable(principal: Principal, query: Query, assessment: Assessment) -> Request | None:
    """What was approved, for exactly this statement of this principal, and is left to whoever asked."""
    return _standing(principal, query, assessment, State.APPROVED)


def waiting(principal: Principal, query: Query, assessment: Assessment) -> Request | None:
    """What already waits for people: a session that comes back joins it (`take_over`) instead of asking twice."""
    return _standing(principal, query, assessment, State.PENDING)


def _standing(principal: Principal, query: Query, assessment: Assessment, state: State) -> Request | None:
    left_to_sessions = Request.objects.select_related("datasource", "owner", "agent__owner").filter(
        state=state,
        kind=Request.Kind.STATEMENT,
        carrier=Request.Carrier.CALLER,
        requester=principal.label,
        datasource=query.datasource,
        on_behalf_of=query.on_behalf_of,
        expires_at__gt=timezone.now(),
    )
    if query.request_id is not None:
        return left_to_sessions.filter(pk=query.request_id).first()
    return left_to_sessions.filter(digest=digest_of(query, assessment)).order_by("created_at").first()


def take_over(request: Request, old: Query, new: Query) -> None:
    """Within the caller's transaction: the new query is the request's from now on, and the old one says where it went."""
    if old.pk == new.pk:
        return
    problem = {
        "code": "sent-again",
        "title": "It was sent again",
        "status": 409,
        "detail": "Its session had ended, and whoever asked sent the same statement again.",
        "remedy": f"It goes on as query {new.pk}.",
        "successor": {"query": str(new.pk), "request": str(request.pk)},
    }
    left = {"request": None, "state": QueryState.WITHDRAWN, "problem": problem, "finished_at": timezone.now()}
    Query.objects.filter(pk=old.pk).update(**left)
    new.request, new.state, new.digest = request, QueryState.PARKED, request.digest
    new.save()
    request.refresh_from_db()


# --- By a door of single statements -------------------------------------------------------------------------------


def run_redeemed(principal: Principal, query: Query, assessment: Assessment) -> dict[str, Any] | None:
    """Runs what was approved for this, and gives its result; None where nothing was. Raises `GatewayError`."""
    with redeem(principal, query, assessment) as claim:
        if claim is None:
            return None
        before_commit = None if claim.assessment.facts.reads_only else claim.make_durable
        rows = run(
            query, claim.assessment, claim.statement, before_commit=before_commit, isolated=True, capture=claim.capture
        )
        claim.finish(rows)
    content: dict[str, Any] = Result.objects.get(query=query).content
    query.refresh_from_db()
    return content
