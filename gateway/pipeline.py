"""The life of a statement. Every door calls `submit`; the steps below are the product.

    authenticate → analyse → decide → (claim, redeem or park) → record intent → run, masked and bounded
    → record outcome → release

Each step raises a `GatewayError` (governance/errors.py) when it refuses; nothing after it then happens. Denials and
failures are in the ledger before the caller hears of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from approvals.grants.services import elevated
from gateway import catalogues
from gateway.admission import asking_of, authenticate, receive
from gateway.granting import Permission, claim
from gateway.holding import AwaitsReview, NotApproved
from gateway.models import Query, QueryState
from gateway.parking import park
from gateway.recording import (
    durable,
    note_assessment,
    record_check,
    record_failure,
    record_intent,
    record_outcome,
    refuse,
)
from gateway.recovery import settle_in_doubt
from gateway.redemption import run_redeemed
from gateway.release import release, replay
from gateway.running import running
from gateway.submission import Submission
from gateway.work import CommitInDoubt, masked_names, run
from governance.assessment import Assessment, assess
from governance.datasources import fetch_datasource_for
from governance.errors import Cancelled, Denied, GatewayError, Unreadable
from governance.policy.decision import Verdict
from identity.principals import Principal


@dataclass(frozen=True, slots=True)
class Outcome:
    """`content` is the result (columns, rows, truncated) of an executed statement; None while it is parked."""

    query: Query
    content: dict[str, Any] | None


def submit(submission: Submission) -> Outcome:
    principal = authenticate(submission)
    received = receive(principal, submission)
    query = received.query
    if received.replayed:
        return Outcome(query, replay(principal, query, submission.door))
    acting = elevated(principal, query.datasource)
    assessment = decide(acting, query)
    if assessment.decision.verdict is Verdict.DENY:
        raise refuse(principal, query, _denied(assessment), assessment)
    permission = claim(principal, acting, query, assessment)
    if permission is None:
        content = redeem(acting, query, assessment)
        return Outcome(query, content) if content else Outcome(park(principal, query, assessment), None)
    return Outcome(query, execute(principal, query, assessment, permission))


def check(submission: Submission) -> Assessment:
    """Facts and decision; nothing is run. That it was asked is recorded before it is told."""
    principal = authenticate(submission)
    datasource = fetch_datasource_for(principal, submission.datasource)
    try:
        assessment = assess(datasource, submission.sql, asking_of(elevated(principal, datasource), submission))
    except Unreadable as error:
        record_check(submission, datasource, None, error.code)
        raise
    record_check(submission, datasource, assessment)
    return assessment


def decide(principal: Principal, query: Query) -> Assessment:
    """Analyse and decide. A text that cannot be read is refused and recorded like any denial (P1)."""
    try:
        assessment = assess(query.datasource, query.sql, asking_of(principal, query))
    except Unreadable as error:
        raise refuse(principal, query, error, None) from error
    note_assessment(query, assessment)
    return assessment


def redeem(acting: Principal, query: Query, assessment: Assessment) -> dict[str, Any] | None:
    """What a session asked for earlier, and people have approved since, runs once when it is sent again; None: nothing was."""
    try:
        return run_redeemed(acting, query, assessment)
    except (NotApproved, AwaitsReview) as error:
        if query.request_id is None:
            raise refuse(acting, query, error, assessment) from error
        error.query = query
        raise
    except GatewayError as error:
        error.query = query
        raise


def execute(principal: Principal, query: Query, assessment: Assessment, permission: Permission) -> dict[str, Any]:
    """Record intent, run, record outcome, release: in this order, or not at all (P3)."""
    with running(query.pk, principal, grants=permission.grants) as statement:
        intent = record_intent(query, assessment, principal.owner)
        try:
            before_commit = durable(query, assessment, permission.before_commit)
            rows = run(query, assessment, statement, before_commit=before_commit, isolated=permission.is_bounded)
        except CommitInDoubt as error:
            raise settle_in_doubt(query, error) from error
        except GatewayError as error:
            state = QueryState.CANCELLED if isinstance(error, Cancelled) else QueryState.FAILED
            record_failure(query, principal.owner, intent, error, state)
            error.query = query
            raise
    masked = masked_names(assessment, rows)
    hidden = [column.name for column, is_masked in zip(rows.columns, masked, strict=True) if is_masked]
    record_outcome(query, assessment, principal.owner, intent, rows, hidden)
    catalogues.read_after(query.datasource, assessment.facts)
    return release(query, rows, masked)


def _denied(assessment: Assessment) -> Denied:
    decision = assessment.decision
    place = next((unknown.place for unknown in assessment.facts.unknown if unknown.place is not None), None)
    return Denied(decision.message, remedy=decision.remedy, place=place)
