"""What a person was told lately, and a test that tells them something now."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from approvals.models import Notification, Webhook
from approvals.notification.events import DIGEST, TEST, event_named
from approvals.notification.messages import message_of
from approvals.notification.outbox import write
from approvals.notification.preferences import PreferenceRefused, preference_of, way_of
from identity.models import User

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the list: `about` says what in a few words, `url` where; `path` is the same on these pages."""

    row: Notification
    title: str
    about: str
    url: str

    @property
    def path(self) -> str:
        return self.url.removeprefix(settings.PUBLIC_URL)


def told_to(user: User) -> list[Told]:
    return [_told(row) for row in _rows().filter(user=user)[:MOST_SHOWN]]


def told_to_webhook(hook: Webhook) -> list[Told]:
    return [_told(row) for row in _rows().filter(webhook=hook)[:MOST_SHOWN]]


def _rows() -> QuerySet[Notification]:
    related = ("request__datasource", "request__owner", "request__agent", "grant__datasource", "grant__owner")
    return Notification.objects.select_related(*related).order_by("-created_at")


def _told(row: Notification) -> Told:
    event = event_named(row.event)
    if row.event in (TEST, DIGEST):
        return Told(row, event.title, "", "")
    message = message_of(row)
    return Told(row, event.subject, message.subject.partition(": ")[2] or message.subject, message.url)


def send_test(user: User) -> None:
    """Raises `PreferenceRefused` where nothing could arrive."""
    preference = preference_of(user)
    if why_not := way_of(preference, event_named(TEST)).why_not:
        raise PreferenceRefused("email", why_not)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        waiting = Notification.objects.filter(user=user, event=TEST, state=Notification.State.WAITING)
        if waiting.exists():
            raise PreferenceRefused("email", "A test is on its way already: the list below says how it stands.")
        write([Notification(key=f"test:{uuid.uuid4()}", event=TEST, user=user, next_at=timezone.now())])
