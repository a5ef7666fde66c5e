"""Everything that happens to a request. Each change is a guarded UPDATE, its rows and its ledger entry in one transaction.

Who acts comes from authentication only. Celery carries approved requests to the gateway; the row is the truth, and the
gateway's sweep publishes again what a lost broker dropped.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from approvals.eligibility import Eligibility, lacking, may_review, owners_of, reviewers_of
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.finding import AUDITORS, fetch_request_for, list_requests_for, waiting_count
from approvals.models import Request, Review, Revision, Verdict
from approvals.signals import request_moved
from approvals.states import Action, State, after, sources
from audit import ledger
from audit.events import clean_text
from governance.models import DataSource
from governance.policy.decision import RequiredReview
from identity.principals import Principal

logger = logging.getLogger(__name__)

__all__ = [
    "AUDITORS",
    "Asked",
    "Eligibility",
    "LostRace",
    "create_request",
    "expire_due",
    "fetch_request_for",
    "lacking",
    "list_requests_for",
    "may_review",
    "move",
    "owners_of",
    "publish",
    "review",
    "reviewers_of",
    "waiting_count",
    "withdraw",
]
EVENT_OF = {
    Action.APPROVE: "request.approved",
    Action.REJECT: "request.rejected",
    Action.WITHDRAW: "request.withdrawn",
    Action.EXPIRE: "request.expired",
    Action.DRIFT: "request.drifted",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: a statement with its digest, who asked, and what was decided about it. JSON-ready values."""

    requester: Principal
    datasource: DataSource
    sql: str
    params: list[Any]
    normal: str
    fingerprint: str
    digest: str
    purpose: str
    on_behalf_of: str
    risk: int
    risk_parts: list[dict[str, Any]]
    facts: dict[str, Any]
    decision: dict[str, Any]
    required: list[RequiredReview]
    expires_in: int
    relations: list[str]


# --- Asking -------------------------------------------------------------------------------------------------------


def create_request(asked: Asked) -> Request:
    """Within the caller's transaction: the row and its entry."""
    request = Request.objects.create(
        datasource=asked.datasource,
        requester=asked.requester.label,
        agent_id=None if asked.requester.is_person else asked.requester.id,
        owner_id=asked.requester.owner_id,
        sql=asked.sql,
        params=asked.params,
        normal=asked.normal,
        digest=asked.digest,
        purpose=asked.purpose,
        on_behalf_of=asked.on_behalf_of,
        risk=asked.risk,
        risk_parts=asked.risk_parts,
        facts=asked.facts,
        decision=asked.decision,
        required=[{"group": one.group, "quorum": one.quorum} for one in asked.required],
        expires_at=timezone.now() + timedelta(seconds=asked.expires_in),
    )
    Revision.objects.create(
        request=request,
        number=request.revision,
        sql=asked.sql,
        params=asked.params,
        normal=asked.normal,
        digest=asked.digest,
        by=asked.requester.label,
    )
    ledger.append_within(
        "request.created",
        request=str(request.id),
        principal=asked.requester.label,
        owner=asked.requester.owner,
        datasource=asked.datasource.name,
        environment=asked.datasource.environment,
        digest=asked.digest,
        fingerprint=asked.fingerprint,
        risk=asked.risk,
        relations=asked.relations,
        required=[f"{one.quorum} of {one.group}" for one in asked.required],
        expires_at=request.expires_at.isoformat(),
    )
    return request


# --- Reviewing ----------------------------------------------------------------------------------------------------


@transaction.atomic
def review(request_id: uuid.UUID, reviewer: Principal, verdict: str, comment: str) -> Request:
    """One rejection rejects; approvals count until every group has its quorum. Raises `ReviewRefused`, `UnknownRequest`."""
    request = Request.objects.select_for_update(of=["self"]).select_related("agent").filter(pk=request_id).first()
    if request is None:
        raise UnknownRequest
    eligibility = may_review(request, reviewer)
    if not eligibility.allowed:
        raise ReviewRefused(eligibility.reason)
    if verdict not in Verdict.values:
        raise ReviewRefused(f"The verdict must be approve or reject, not {verdict!r}.", code="invalid")
    if verdict == Verdict.REJECT and not comment.strip():
        raise ReviewRefused("Say in the comment why it is rejected: whoever asked will read it.", code="invalid")
    Review.objects.create(request=request, reviewer_id=reviewer.id, verdict=verdict, comment=comment.strip())
    # What people write can quote data: it is sealed.
    payload = {"comment": comment.strip()} if comment.strip() else None
    _record(request, "review.given", payload, actor=reviewer.label, review=verdict, groups=sorted(reviewer.groups))
    if verdict == Verdict.REJECT:
        move(request, Action.REJECT, actor=reviewer.label, decided_at=timezone.now())
    elif not lacking(request):
        move(request, Action.APPROVE, actor=reviewer.label, decided_at=timezone.now())
        transaction.on_commit(lambda: publish(request.pk))
    return request


@transaction.atomic
def withdraw(request_id: uuid.UUID, principal: Principal) -> Request:
    """By whoever asked, or the owner of the agent that asked, as long as it has not started."""
    request = Request.objects.select_for_update(of=["self"]).filter(pk=request_id).first()
    owns = request is not None and principal.is_person and principal.id in owners_of(request)
    if request is None or not (owns or request.requester == principal.label):
        raise UnknownRequest
    if request.state not in sources(Action.WITHDRAW):
        raise ReviewRefused(f"It is {request.state} and cannot be withdrawn.")
    move(request, Action.WITHDRAW, actor=principal.label, finished_at=timezone.now())
    return request


def expire_due() -> int:
    """Ends what nobody decided, or ran, in time. Returns how many."""
    due = Request.objects.filter(state__in=sources(Action.EXPIRE), expires_at__lte=timezone.now())
    expired = 0
    for pk in due.values_list("pk", flat=True)[:500]:
        with transaction.atomic():
            locked = Request.objects.select_for_update(skip_locked=True, of=["self"]).filter(pk=pk).first()
            if locked is not None and locked.state in sources(Action.EXPIRE) and locked.expires_at <= timezone.now():
                move(locked, Action.EXPIRE, finished_at=timezone.now())
                expired += 1
    return expired


# --- Moving -------------------------------------------------------------------------------------------------------


def move(
    request: Request,
    action: Action,
    *,
    actor: str = "",
    reason: str = "",
    guard: Mapping[str, Any] | None = None,
    entry: Mapping[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Carries out an action within the caller's transaction, if the request is still where it can be.

    `guard` narrows the UPDATE (an execution's attempt). Raises `ImpossibleTransition` or `LostRace` when somebody else was
    first: then nothing has changed.
    """
    state = after(State(request.state), action)
    guarded = Request.objects.filter(pk=request.pk, state__in=sources(action), **(guard or {}))
    if guarded.update(state=state, **changes) != 1:
        raise LostRace(f"request {request.pk} was no longer where it could {action}")
    request.refresh_from_db(fields=["state", *changes])
    request_moved.send(Request, request=request)
    if action in EVENT_OF:
        fields: dict[str, Any] = {"state": state.value}
        if actor:
            fields["actor"] = actor
        if reason:
            fields["reason"] = clean_text(reason)
        _record(request, EVENT_OF[action], **fields, **(entry or {}))


class LostRace(Exception):
    """Somebody else moved the request first."""


def _record(request: Request, kind: str, payload: Mapping[str, object] | None = None, /, **fields: Any) -> None:
    ledger.append_within(
        kind,
        payload=payload,
        request=str(request.pk),
        principal=request.requester,
        owner=request.owner.username,
        datasource=request.datasource.name,
        environment=request.datasource.environment,
        risk=request.risk,
        digest=request.digest,
        **fields,
    )


def publish(request_id: uuid.UUID) -> None:
    """Hands an approved request to a worker. A broker that is away is no error: the sweep publishes again."""
    try:
        current_app.send_task("gateway.execute", args=[str(request_id)], queue="execute", retry=False)
    except BrokerError:
        logger.warning("The broker did not take request %s; the sweep will publish it again.", request_id)
