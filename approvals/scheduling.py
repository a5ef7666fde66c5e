"""When an approved request may run: not before the time that was asked for, and only while its maintenance windows are open."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from approvals.asking import terms_of
from approvals.eligibility import voices_of
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.models import Request, Verdict
from approvals.moving import lock, publish_when_due, record
from approvals.parties import speaks_for_asker, why_party
from approvals.quorum import demands_of
from approvals.signals import request_noted
from approvals.states import State
from governance.policy.windows import NeverOpen, is_open, opening
from identity.principals import Principal

FARTHEST = timedelta(days=30)
# What may run from some moment on expires no sooner than this after it, so that a worker can take it.
TIME_TO_RUN = timedelta(hours=1)


def earliest_run(request: Request, now: datetime) -> datetime | None:
    """The first moment at which it may run; None where it may at any time. Raises `ReviewRefused`."""
    windows = terms_of(request).windows
    if request.run_at is None and not windows:
        return None
    try:
        earliest = opening(windows, max(now, request.run_at or now))
    except NeverOpen as error:
        raise ReviewRefused(f"It could never run: {error}.", code="no-window") from None
    # Setting the time again and again must not keep an approval alive for ever.
    if earliest > (request.decided_at or now) + FARTHEST:
        told = f"It could run on {earliest:%Y-%m-%d %H:%M} UTC at the earliest; no approval waits longer than 30 days."
        raise ReviewRefused(told, code="no-window")
    return earliest


def timing(request: Request, now: datetime) -> dict[str, datetime | None]:
    """The columns that say when an approved request may run, and until when it waits for that. Raises `ReviewRefused`."""
    earliest = earliest_run(request, now)
    if earliest is None:
        return {"not_before": None, "expires_at": request.expires_at}
    return {"not_before": earliest, "expires_at": max(request.expires_at, earliest + TIME_TO_RUN)}


def held_until(request: Request, now: datetime | None = None) -> datetime | None:
    """For whoever is about to run it: until when it must wait; None where it may start now."""
    now = now or timezone.now()
    if request.not_before is not None and request.not_before > now:
        return request.not_before
    windows = terms_of(request).windows
    return None if is_open(windows, now) else opening(windows, now)


@transaction.atomic
def wait_for_next_window(request_id: uuid.UUID) -> datetime | None:
    """The window closed before a worker came: an approved request waits for the next, if that is within its life. Returns when
    that is; None where it may run now, or waits no more. Raises nothing that a worker would have to know."""
    request = lock(request_id)
    until = held_until(request)
    if request.state != State.APPROVED or until is None:
        return None
    if until != request.not_before:
        Request.objects.filter(pk=request.pk).update(not_before=until)
        record(request, "request.scheduled", actor="gateway", not_before=until.isoformat(), reason="window closed")
    return until


@transaction.atomic
def schedule(request_id: uuid.UUID, principal: Principal, run_at: datetime | None) -> Request:
    """Sets, or with None lifts, the time before which it does not run. By whoever asked or owns the agent that asked, as long
    as nobody has approved it for another time; and by reviewers. Raises `ReviewRefused`, `UnknownRequest`."""
    request = lock(request_id)
    _check_who(request, principal)
    now = timezone.now()
    _check_time(request, run_at, now)
    request.run_at = run_at
    columns: dict[str, datetime | None] = {"run_at": run_at}
    if request.state == State.APPROVED:
        columns |= timing(request, now)
    else:
        earliest_run(request, now)
    # Guarded: a worker may have started it while this waited for nothing but its own checks.
    if Request.objects.filter(pk=request.pk, state=request.state).update(**columns) != 1:
        raise ReviewRefused("It has started meanwhile.")
    request.refresh_from_db(fields=list(columns))
    request_noted.send(Request, request=request, event="scheduled")
    moments = {name: moment.isoformat() for name, moment in columns.items() if moment and name != "expires_at"}
    record(request, "request.scheduled", actor=principal.label, expires_at=request.expires_at.isoformat(), **moments)
    if request.state == State.APPROVED:
        publish_when_due(request)
    return request


def may_schedule(request: Request, principal: Principal) -> str:
    """Why not; empty where they may. Raises nothing."""
    try:
        _check_who(request, principal)
    except (ReviewRefused, UnknownRequest) as refusal:
        return str(refusal) or "It is not yours to schedule."
    return ""


def _check_who(request: Request, principal: Principal) -> None:
    if request.kind != Request.Kind.STATEMENT:
        raise ReviewRefused("Only statements have a time at which they run.")
    if request.state not in (State.PENDING, State.APPROVED):
        raise ReviewRefused(f"It is {request.state}: its time can no longer be set.")
    if _reviews(request, principal):
        return
    if not speaks_for_asker(request, principal):
        raise UnknownRequest
    if request.reviews.filter(revision=request.revision, verdict=Verdict.APPROVE).exists():
        raise ReviewRefused("Somebody has approved it as it was: only a reviewer can change its time now.")


def _reviews(request: Request, principal: Principal) -> bool:
    """A reviewer of any stage, who is no party to it."""
    if not principal.is_person or why_party(request, principal.id):
        return False
    open_to = frozenset[str]().union(*(demand.open_to for demand in demands_of(request.required)))
    return any(not open_to.isdisjoint(voice.groups) for voice in voices_of(principal))


def _check_time(request: Request, run_at: datetime | None, now: datetime) -> None:
    if run_at is None:
        return
    if run_at <= now:
        raise ReviewRefused("That time is over. Without a time it runs as soon as it is approved.", code="invalid")
    if run_at > now + FARTHEST:
        raise ReviewRefused("Nothing waits longer than 30 days: choose an earlier time.", code="invalid")
