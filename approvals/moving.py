"""How a request moves: a guarded UPDATE, its signal and its ledger entry, within the caller's transaction."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Any

from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from approvals.errors import UnknownRequest
from approvals.models import Request
from approvals.signals import request_moved
from approvals.states import Action, State, after, sources
from audit import ledger
from audit.events import clean_text

logger = logging.getLogger(__name__)

EVENT_OF = {
    Action.APPROVE: "request.approved",
    Action.REJECT: "request.rejected",
    Action.WITHDRAW: "request.withdrawn",
    Action.EXPIRE: "request.expired",
    Action.SETTLE: "request.settled",
    Action.DRIFT: "request.drifted",
}


class LostRace(Exception):
    """Somebody else moved the request first."""


def lock(request_id: uuid.UUID) -> Request:
    """The row, held until the transaction ends. Raises `UnknownRequest`."""
    related = ("agent", "owner", "datasource", "grant")
    locked = (
        Request.objects.select_for_update(no_key=True, of=["self"])
        .select_related(*related)
        .filter(pk=request_id)
        .first()
    )
    if locked is None:
        raise UnknownRequest
    return locked


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
        record(request, EVENT_OF[action], **fields, **(entry or {}))


def record(request: Request, kind: str, payload: Mapping[str, object] | None = None, /, **fields: Any) -> None:
    """An entry about the request. What is None is left out."""
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
        **{name: value for name, value in fields.items() if value is not None},
    )


def publish(request_id: uuid.UUID) -> None:
    """Hands an approved request to a worker. A broker that is away is no error: the sweep publishes again."""
    _send("gateway.execute", request_id, "execute")


def publish_when_due(request: Request) -> None:
    """Once the caller's transaction is durable, unless it is not to run yet, or the session that asked runs it. The sweep
    publishes what becomes due."""
    if request.carrier != Request.Carrier.WORKER:
        return
    if request.not_before is None or request.not_before <= timezone.now():
        transaction.on_commit(lambda: publish(request.pk))


def publish_measuring(request_id: uuid.UUID) -> None:
    """Has the impact measured. Here, too, the sweep publishes what a lost broker dropped."""
    _send("gateway.measure_impact", request_id, "parked")


def _send(task: str, request_id: uuid.UUID, queue: str) -> None:
    try:
        current_app.send_task(task, args=[str(request_id)], queue=queue, retry=False)
    except BrokerError:
        logger.warning("The broker did not take %s of request %s; the sweep will publish it again.", task, request_id)
