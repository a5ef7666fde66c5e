"""What happens to requests, grants and absences, and which of it is told: in the transaction of the change."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from approvals.models import Absence, Grant, Request
from approvals.notification.events import EVENTS
from approvals.notification.outbox import tell
from approvals.signals import absence_moved, grant_moved, request_moved, request_noted
from approvals.states import State


@receiver(request_moved, dispatch_uid="approvals.notification.moved")
def tell_of_move(sender: type[Request], request: Request, **_: Any) -> None:
    # What needs no run ends as it is approved, which is told already.
    ran = request.kind == Request.Kind.STATEMENT or request.state != State.EXECUTED
    if ran and request.state in EVENTS:
        tell(request.state, request=request)


@receiver(request_noted, dispatch_uid="approvals.notification.noted")
def tell_of_note(sender: type[Request], request: Request, event: str, **_: Any) -> None:
    if event == "stage-opened":
        tell("asked", request=request)
    elif event == "reminded":
        tell("reminded", request=request, about=_moment(request.reminded_at))
    elif event in EVENTS:
        tell(event, request=request)


@receiver(grant_moved, dispatch_uid="approvals.notification.grant")
def tell_of_grant(sender: type[Grant], grant: Grant, event: str, **_: Any) -> None:
    name = event if event.startswith("glass-") else f"grant-{event}"
    if name in EVENTS:
        about = f"{grant.max_uses}.{_moment(grant.expires_at)}" if event == "narrowed" else ""
        tell(name, grant=grant, about=about)


@receiver(absence_moved, dispatch_uid="approvals.notification.absence")
def tell_of_absence(sender: type[Absence], absence: Absence, event: str, **_: Any) -> None:
    if event in EVENTS:
        context = {
            "person": absence.person.username,
            "starts_at": absence.starts_at.isoformat(),
            "ends_at": absence.ends_at.isoformat(),
        }
        tell(event, people=[absence.delegate], about=str(absence.pk), context=context)


def _moment(at: Any) -> str:
    return at.isoformat() if at else ""
