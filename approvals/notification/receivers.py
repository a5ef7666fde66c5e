"""What happens to requests, grants and absences, and which of it is told: in the transaction of the change."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from approvals.models import Absence, Grant, Request
from approvals.notification.events import EVENTS
from approvals.notification.outbox import tell
from approvals.signals import grant_moved, request_moved, request_noted


@receiver(request_moved, dispatch_uid="approvals.notification.moved")
def tell_of_move(sender: type[Request], request: Request, **_: Any) -> None:
    if request.state in EVENTS:
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


@receiver(post_save, sender=Absence, dispatch_uid="approvals.notification.absence")
def tell_of_absence(sender: type[Absence], instance: Absence, created: bool, **_: Any) -> None:
    if created:
        tell("absence-set", people=[instance.delegate], about=str(instance.pk), context={
            "person": instance.person.username,
            "starts_at": instance.starts_at.isoformat(),
            "ends_at": instance.ends_at.isoformat(),
        })  # fmt: skip


def _moment(at: Any) -> str:
    return at.isoformat() if at else ""
