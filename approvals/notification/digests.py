"""One e-mail a day for those who want it so: made at the hour of theirs, in their time zone, and not at all if it would be
empty."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from approvals.models import Notification, NotificationPreference
from approvals.notification.events import DIGEST
from approvals.notification.letters import waiting_for
from approvals.notification.outbox import kick
from approvals.notification.preferences import zone_of


def last_due(now: datetime, zone: ZoneInfo, hour: int) -> datetime:
    """The latest moment, not after `now`, at which clocks there showed the hour.

    An hour that clocks leap over counts when they have leapt; one that comes twice counts the first time. So each day has
    exactly one.
    """
    today = now.astimezone(zone).date()
    moments = (
        datetime.combine(today - timedelta(days=back), time(hour), zone).astimezone(UTC) for back in range(-1, 3)
    )
    return next(moment for moment in moments if moment <= now)


def make_due(now: datetime | None = None) -> int:
    """Writes the digests that are due. Returns how many have something in them."""
    at = now or timezone.now()
    wanting = NotificationPreference.objects.filter(email=NotificationPreference.Email.DIGEST, user__is_active=True)
    return sum(_make(one, at) for one in wanting.select_related("user"))


def _make(preference: NotificationPreference, now: datetime) -> bool:
    due = last_due(now, zone_of(preference), preference.digest_hour)
    not_yet = Q(digested_at=None) | Q(digested_at__lt=due)
    with transaction.atomic():
        mine = NotificationPreference.objects.filter(not_yet, pk=preference.pk, email=preference.email)
        if not mine.update(digested_at=now):
            return False
        told = list(waiting_in_digest(preference.user_id).select_for_update())
        if not told and not waiting_for(preference.user).exists():
            return False
        _write(preference, told, due, now)
        transaction.on_commit(kick)
    return True


def waiting_in_digest(user_id: int) -> QuerySet[Notification]:
    """What waits for the next digest, and is in none yet."""
    waiting = Notification.objects.filter(user_id=user_id, in_digest=True, state=Notification.State.WAITING)
    return waiting.exclude(event=DIGEST).exclude(context__has_key="digest")


def _write(preference: NotificationPreference, told: list[Notification], due: datetime, now: datetime) -> None:
    digest = Notification(
        id=uuid.uuid4(),
        key=f"digest:{due.isoformat()}:user:{preference.user_id}",
        event=DIGEST,
        user=preference.user,
        in_digest=True,
        next_at=now,
    )
    digest.save(force_insert=True)
    for one in told:
        one.context = {**one.context, "digest": str(digest.pk)}
    Notification.objects.bulk_update(told, ["context"])
