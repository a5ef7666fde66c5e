"""A message, or a day's digest, as an e-mail."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from approvals import finding
from approvals.models import Notification, NotificationPreference, Request
from approvals.notification.events import DIGEST, event_named
from approvals.notification.mail import Letter
from approvals.notification.messages import message_of, what_of
from approvals.notification.phrases import harmless, span
from approvals.notification.preferences import preference_of, zone_of
from identity.models import User
from identity.principals import principal_of_user

MOST_LISTED = 25


def letter_of(told: Notification, now: datetime | None = None) -> Letter:
    assert told.user is not None  # noqa: S101  narrows the type: a webhook gets no letter
    preference = preference_of(told.user)
    made = _digest if told.event == DIGEST else _single
    return made(told, told.user, preference, now or timezone.now())


def _single(told: Notification, user: User, preference: NotificationPreference, now: datetime) -> Letter:
    message = message_of(told, zone_of(preference), now)
    context = {"message": message, "footer": _footer(user)}
    thread = told.request_id or told.grant_id
    return Letter(
        identity=str(told.pk),
        to=user.email,
        subject=f"[Countersign] {message.subject}",
        text=render_to_string("notify/message.txt", context),
        html=render_to_string("notify/message.html", context),
        thread=f"about-{thread}" if thread else "",
    )


def _digest(told: Notification, user: User, preference: NotificationPreference, now: datetime) -> Letter:
    zone = zone_of(preference)
    waits = list(waiting_for(user)[: MOST_LISTED + 1])
    ended = [one for one in included_in(told) if not event_named(one.event).wants_review]
    context = {
        "waits": [(what_of(one), _beside(one, now), _page(one)) for one in waits[:MOST_LISTED]],
        "more_wait": len(waits) > MOST_LISTED,
        "ended": [message_of(one, zone, now) for one in ended[:MOST_LISTED]],
        "more_ended": max(0, len(ended) - MOST_LISTED),
        "inbox": f"{settings.PUBLIC_URL}{reverse('request-list')}",
        "footer": _footer(user),
    }
    many = f"{MOST_LISTED}+" if context["more_wait"] else str(len(waits))
    return Letter(
        identity=str(told.pk),
        to=user.email,
        subject=f"[Countersign] Digest: {many} waiting for you, {len(ended)} more to know",
        text=render_to_string("notify/digest.txt", context),
        html=render_to_string("notify/digest.html", context),
    )


def included_in(digest: Notification) -> list[Notification]:
    rows = Notification.objects.filter(user=digest.user, context__digest=str(digest.pk)).order_by("created_at")
    return list(rows.select_related("request__datasource", "request__owner", "grant__datasource", "grant__owner"))


def waiting_for(user: User) -> QuerySet[Request]:
    return finding.list_requests_for(principal_of_user(user), "mine").order_by("expires_at", "id")


def _beside(request: Request, now: datetime) -> str:
    source = request.datasource
    beside = f"{harmless(source.name)} ({source.environment}), risk {request.risk}"
    if request.kind == Request.Kind.AFTERWARDS:
        return beside
    return f"{beside}, {span(request.expires_at - now)} left"


def _page(request: Request) -> str:
    return f"{settings.PUBLIC_URL}{reverse('request-detail', args=[request.pk])}"


def _footer(user: User) -> dict[str, str]:
    return {"name": user.username, "settings": f"{settings.PUBLIC_URL}{reverse('notifications')}"}
