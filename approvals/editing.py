"""Changing or taking back what waits. An edited request stays, and what reviewers said of what it was before is void."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from approvals.asking import Asked, columns_of, note_revision, told
from approvals.eligibility import owners_of
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.impact import service as impact
from approvals.models import Request
from approvals.moving import lock, move, record
from approvals.parties import speaks_for_asker
from approvals.signals import request_noted
from approvals.states import Action, State, sources
from audit.events import clean_text
from identity.principals import Principal

LONGEST_NORMAL = 2000


def why_not_edit(request: Request, principal: Principal) -> str:
    """Why it cannot be edited; empty where it can. Raises `UnknownRequest` for one that is not theirs to edit."""
    if not speaks_for_asker(request, principal):
        raise UnknownRequest
    if request.kind != Request.Kind.STATEMENT:
        return "Only statements can be edited. Withdraw it and ask again."
    if request.reverts_id is not None:
        return "It takes back a change, row by row: it cannot be edited. Withdraw it and ask for another."
    if request.state != State.PENDING:
        return f"It is {request.state}: what was decided cannot be edited. Ask again."
    return ""


def _asked_by(request: Request, principal: Principal) -> bool:
    owns = principal.is_person and principal.id in owners_of(request)
    return owns or request.requester == principal.label


@transaction.atomic
def edit(request_id: uuid.UUID, principal: Principal, asked: Asked, *, revision: int) -> Request:
    """By whoever asked, or the owner of the agent that asked. `asked` has been analysed and decided again by the gateway;
    `revision` is the one that was read before. Raises `ReviewRefused`, `UnknownRequest`."""
    request = lock(request_id)
    if why := why_not_edit(request, principal):
        raise ReviewRefused(why)
    if request.revision != revision:
        raise ReviewRefused("It was edited meanwhile: read it again.", code="changed-meanwhile")
    void = request.reviews.filter(revision=revision).count()
    cleared = {"row_bound": None, "row_floor": None, "reminded_at": None, "escalated_at": None}
    columns = {**columns_of(asked), **cleared, "revision": revision + 1}
    for name, value in columns.items():
        setattr(request, name, value)
    request.save(update_fields=list(columns))
    note_revision(request, principal.label)
    impact.expect(request)
    request_noted.send(Request, request=request, event="edited")
    record(
        request,
        "request.edited",
        # The exact text and its parameters are as sensitive as when it was asked for.
        {"sql": request.sql, "params": request.params},
        actor=principal.label,
        revision=request.revision,
        fingerprint=asked.fingerprint,
        relations=asked.relations,
        sql_normal=clean_text(asked.normal, LONGEST_NORMAL),
        required=told(asked.required),
        expires_at=request.expires_at.isoformat(),
        reason=f"{void} reviews void" if void else None,
    )
    return request


@transaction.atomic
def withdraw(request_id: uuid.UUID, principal: Principal) -> Request:
    """By whoever asked, or the owner of the agent that asked, as long as it has not started."""
    request = lock(request_id)
    if not _asked_by(request, principal):
        raise UnknownRequest
    if request.kind == Request.Kind.AFTERWARDS:
        raise ReviewRefused("It is about what was done with broken glass: somebody else has to look at that.")
    if request.state not in sources(Action.WITHDRAW):
        raise ReviewRefused(f"It is {request.state} and cannot be withdrawn.")
    move(request, Action.WITHDRAW, actor=principal.label, finished_at=timezone.now())
    return request
