"""What is to be told, written in the transaction of what it tells: no message without the event, no event without its message.

A row's key is the event, what it is about and the recipient; the same key is written once. So it may be told again
whenever somebody new may have to know: those who were told already are left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from approvals.models import Grant, Notification, Request, Webhook
from approvals.notification.events import SHARED, Event, event_named
from approvals.notification.preferences import preferences_of, way_of
from approvals.notification.recipients import recipients
from identity.models import User

logger = logging.getLogger(__name__)

DELIVER = "approvals.deliver"
# One that no worker has taken by then is published again by the next beat.
LIVES_SECONDS = 10


def tell(
    name: str,
    *,
    request: Request | None = None,
    grant: Grant | None = None,
    people: Iterable[User] = (),
    about: str = "",
    context: dict[str, Any] | None = None,
) -> int:
    """Within the caller's transaction, before its entry in the ledger. Returns how many rows are new.

    `about` tells two events of one name apart that are both worth telling: the second reminder from the first.
    """
    event = event_named(name)
    subject = _subject(event, request, grant, about)
    told = recipients(event, request, grant, people)
    rows = [*_to_people(event, told, subject), *_to_webhooks(event, subject, request, grant)]
    for row in rows:
        row.request, row.grant, row.context = request, grant, context or {}
    return write(rows)


def write(rows: list[Notification]) -> int:
    """Those with a key that is there already are left out. A worker hears of the others once they are committed."""
    keys = [row.key for row in rows]
    known = set(Notification.objects.filter(key__in=keys).values_list("key", flat=True))
    new = [row for row in rows if row.key not in known]
    Notification.objects.bulk_create(new, ignore_conflicts=True)
    if any(row.next_at is not None for row in new):
        transaction.on_commit(kick)
    return len(new)


def kick() -> None:
    """Asks a worker to deliver. A broker that is away is no error: the scheduler asks again within seconds."""
    try:
        current_app.send_task(DELIVER, queue="notify", expires=LIVES_SECONDS, retry=False)
    except BrokerError:
        logger.warning("The broker did not take a task; messages wait for the scheduler.")


def _subject(event: Event, request: Request | None, grant: Grant | None, about: str) -> str:
    """A request's revision is part of it, and the stage where a review is wanted: another one is told anew."""
    stage = f".{request.stage}" if request and event.wants_review else ""
    parts = [f"{request.pk}.{request.revision}{stage}" if request else "", str(grant.pk) if grant else "", about]
    return "/".join(part for part in parts if part)


def _to_people(event: Event, people: list[User], subject: str) -> list[Notification]:
    preferences = preferences_of(people)
    return [_to_person(event, person, subject, preferences[person.pk]) for person in people]


def _to_person(event: Event, person: User, subject: str, preference: Any) -> Notification:
    way = way_of(preference, event)
    return Notification(
        key=f"{event.told_once_as}:{subject}:user:{person.pk}",
        event=event.name,
        user=person,
        state=Notification.State.DROPPED if way.why_not else Notification.State.WAITING,
        error=way.why_not,
        in_digest=way.in_digest,
        next_at=None if way.why_not or way.in_digest else timezone.now(),
    )


def _to_webhooks(event: Event, subject: str, request: Request | None, grant: Grant | None) -> list[Notification]:
    if event.name not in SHARED:
        return []
    asked = request.required if request else grant.required if grant else []
    groups = {one["group"] for one in asked}
    hooks = Webhook.objects.filter(is_active=True).defer("address", "secret").order_by("pk")
    return [
        Notification(
            key=f"{event.name}:{subject}:webhook:{hook.pk}", event=event.name, webhook=hook, next_at=timezone.now()
        )
        for hook in hooks
        if (not hook.events or event.name in hook.events) and (not hook.groups or groups.intersection(hook.groups))
    ]
