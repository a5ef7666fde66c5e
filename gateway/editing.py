"""Changing a statement that waits for people: analysed and decided again as if it had just come, then put in the place of the
earlier one. A statement that policy denies, or that cannot be read, leaves the request as it was."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import DatabaseError, transaction

from approvals import services as approvals
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.models import Request
from audit import ledger
from audit.ledger import LedgerUnavailable
from gateway.admission import asker_of, asking_of
from gateway.models import Query
from gateway.parking import asked_of
from gateway.recording import note_assessment, statement_fields
from governance.assessment import Assessment, assess
from governance.errors import Denied, GatewayError, ServiceUnavailable, Unreadable
from governance.policy.decision import Verdict
from identity.principals import Principal

_FOLLOWS = ("sql", "params", "normal", "fingerprint", "digest", "facts", "decision", "verdict", "risk")


class NothingToReview(GatewayError):
    """The edited statement would run without anybody's approval."""

    code = "needs-no-review"
    title = "The edited statement needs no review"
    status: ClassVar[int] = 409


def edit(principal: Principal, query: Query, sql: str, params: Sequence[Any]) -> Query:
    """By whoever asked, or the owner of the agent that asked; policy decides as of whoever asked.

    Raises `UnknownRequest`, `ReviewRefused`, `Denied`, `Unreadable`, `NothingToReview`, `ServiceUnavailable`.
    """
    request = _editable(principal, query)
    if (sql, list(params)) == (query.sql, query.params):
        raise ReviewRefused("That is what it says already: nothing was changed.", code="invalid")
    asker = asker_of(query)
    edited = copy.copy(query)
    edited.sql, edited.params = sql, list(params)
    assessment = _decided(principal, asker, edited)
    note_assessment(edited, assessment)
    asked = asked_of(asker, edited, assessment)
    edited.digest = asked.digest
    try:
        with transaction.atomic():
            edited.request = approvals.edit(request.pk, principal, asked, revision=request.revision)
            edited.save(update_fields=list(_FOLLOWS))
    except (LedgerUnavailable, DatabaseError) as error:
        raise ServiceUnavailable(
            "The edit could not be recorded, so the request is as it was.", remedy="Send it again shortly."
        ) from error
    return edited


def _editable(principal: Principal, query: Query) -> Request:
    if query.request is None:
        raise UnknownRequest
    if why := approvals.why_not_edit(query.request, principal):
        raise ReviewRefused(why)
    return query.request


def _decided(principal: Principal, asker: Principal, edited: Query) -> Assessment:
    """What is refused is in the ledger before the caller hears of it."""
    try:
        assessment = assess(edited.datasource, edited.sql, asking_of(asker, edited))
    except Unreadable as error:
        raise _refused(principal, asker, edited, error, None) from error
    decision = assessment.decision
    if decision.verdict is Verdict.DENY:
        denied = Denied(f"{decision.message} The request is as it was.", remedy=decision.remedy)
        raise _refused(principal, asker, edited, denied, assessment)
    if decision.verdict is Verdict.ALLOW:
        raise NothingToReview(
            "It would run without a review, so it does not belong into a request, which is as it was.",
            remedy="Withdraw the request and send the statement by itself.",
        )
    return assessment


def _refused(
    principal: Principal, asker: Principal, edited: Query, error: GatewayError, assessment: Assessment | None
) -> GatewayError:
    around = {
        "principal": edited.requester, "owner": asker.owner, "datasource": edited.datasource.name,
        "environment": edited.datasource.environment, "query": str(edited.pk), "request": str(edited.request_id),
    }  # fmt: skip
    fields = statement_fields(edited, assessment, asker.owner) if assessment else around
    told = {**fields, "actor": principal.label, "verdict": "deny", "code": error.code, "reason": "edit refused"}
    payload = {"sql": edited.sql, "params": edited.params, "message": error.message}
    try:
        ledger.append("statement.denied", payload=payload, **told)
    except LedgerUnavailable as unavailable:
        raise ServiceUnavailable(
            "The ledger cannot record the edit, so the request is as it was.", remedy="Send it again shortly."
        ) from unavailable
    return error
