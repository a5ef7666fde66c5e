"""Handing messages over: claim a row, send it, note that it arrived; again, until nothing is due.

A claim is a guarded UPDATE that counts the attempt and moves the row's next turn behind a lease. What a worker had in hand
when it died is due again once the lease is over; what was handed over is never sent again. Only a crash between the two
sends twice, under the same Message-ID or delivery id.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from approvals.models import Notification
from approvals.notification import mooting, webhook_health
from approvals.notification.events import DIGEST
from approvals.notification.letters import included_in, letter_of
from approvals.notification.mail import NotDelivered, mailer
from approvals.notification.webhook_door import webhook_door
from audit import ledger
from audit.events import clean_text
from audit.ledger import LedgerUnavailable

logger = logging.getLogger(__name__)

MAIL = "mail"
TURN_SECONDS = 30
# Longer than one message can take, so that two workers never have the same one in hand.
LEASE = timedelta(seconds=120)
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 3600.0
TRIED_FOR = timedelta(hours=24)
LOCKS = 0x4E6F7469
State = Notification.State
Send = Callable[[Notification], None]
RELATED = (
    "user", "webhook", "request__datasource", "request__owner", "request__agent", "grant__datasource", "grant__owner",
)  # fmt: skip


def due_channels(now: datetime | None = None) -> list[str]:
    """`mail`, and the ids of webhooks, for which something is due."""
    waiting = _due(now or timezone.now())
    hooks = waiting.filter(webhook__isnull=False).values_list("webhook_id", flat=True).distinct()
    mail = [MAIL] if waiting.filter(user__isnull=False).exists() else []
    return [*mail, *map(str, hooks)]


def work(channel: str, *, seconds: float = TURN_SECONDS, now: Callable[[], datetime] = timezone.now) -> bool:
    """Delivers what is due there. Whether more is left to deliver at once; False where another process is at it."""
    until = time.monotonic() + seconds
    with _alone(channel) as alone:
        if not alone:
            return False
        with _door(channel) as send:
            while (told := claim(channel, now())) is not None:
                if not _deliver(told, send, now):
                    return False
                if time.monotonic() >= until:
                    return True
    return False


def claim(channel: str, now: datetime) -> Notification | None:
    while True:
        told = (
            _of(channel, _due(now)).select_related(*RELATED).defer(*_SEALED).order_by("next_at", "created_at").first()
        )
        if told is None:
            return None
        mine = Notification.objects.filter(
            pk=told.pk, state=State.WAITING, attempts=told.attempts, next_at=told.next_at
        )
        if mine.update(attempts=F("attempts") + 1, next_at=now + LEASE):
            told.attempts += 1
            return told


# Opened by whoever delivers there, so that one that does not open holds up no other.
_SEALED = ("webhook__address", "webhook__secret")


def _due(now: datetime) -> QuerySet[Notification]:
    return Notification.objects.filter(state=State.WAITING, next_at__lte=now)


def _of(channel: str, rows: QuerySet[Notification]) -> QuerySet[Notification]:
    return rows.filter(user__isnull=False) if channel == MAIL else rows.filter(webhook_id=uuid.UUID(channel))


@contextmanager
def _door(channel: str) -> Iterator[Send]:
    if channel != MAIL:
        with webhook_door(uuid.UUID(channel)) as send:
            yield send
        return
    with mailer() as post:
        yield lambda told: post.send(letter_of(told))


def _deliver(told: Notification, send: Send, now: Callable[[], datetime]) -> bool:
    """Whether the door is worth another try at once."""
    if why_not := mooting.why_not(told):
        _drop(told, why_not)
        return True
    try:
        send(told)
    except NotDelivered as error:
        return _note_failure(told, error, now())
    except DatabaseError:
        raise
    except Exception:  # one that cannot be written must not hold up those behind it
        logger.exception("Message %s (%s) cannot be made", told.pk, told.event)
        fault = NotDelivered("a fault of Countersign's own; the reason is in the worker's log", only_this=True)
        return _note_failure(told, fault, now())
    mark_sent(told, now())
    return True


# --- How it ended -------------------------------------------------------------------------------------------------


def mark_sent(told: Notification, now: datetime) -> None:
    """With its entry; without, if the ledger cannot write: what has arrived is never sent again."""
    included = included_in(told) if told.event == DIGEST else []
    try:
        with transaction.atomic():
            _end([told, *included], State.SENT, sent_at=now)
            webhook_health.note_success(told)
            ledger.append_within("notification.sent", **_entry(told), count=len(included) or None)
    except LedgerUnavailable as error:
        logger.warning("Message %s was sent, and the ledger could not record it: %s", told.pk, error)
        _end([told, *included], State.SENT, sent_at=now)


def _note_failure(told: Notification, error: NotDelivered, now: datetime) -> bool:
    over = error.for_good or now >= told.created_at + TRIED_FOR
    logger.warning("Message %s (%s) did not arrive at attempt %d: %s", told.pk, told.event, told.attempts, error)
    webhook_health.note_failure(told, error, now)
    if over:
        _give_up(told, error.message)
    else:
        retry_at = min(now + timedelta(seconds=pause_after(told.attempts)), told.created_at + TRIED_FOR)
        _postpone(told, error, retry_at)
    return error.only_this


def _postpone(told: Notification, error: NotDelivered, retry_at: datetime) -> None:
    """Guarded by the attempt. Where nothing gets through at all, the others wait too: in their order, without a try each."""
    mine = Notification.objects.filter(pk=told.pk, state=State.WAITING, attempts=told.attempts)
    mine.update(next_at=retry_at, error=error.message)
    if not error.only_this:
        channel = MAIL if told.webhook_id is None else str(told.webhook_id)
        _of(channel, _due(retry_at)).update(next_at=retry_at)


def _give_up(told: Notification, why: str) -> None:
    included = included_in(told) if told.event == DIGEST else []
    try:
        with transaction.atomic():
            _end([told, *included], State.FAILED, error=why)
            ledger.append_within("notification.failed", **_entry(told), error=clean_text(why))
    except LedgerUnavailable as error:
        # It stays due, and is given up once that can be recorded.
        logger.warning("Message %s cannot be given up yet: %s", told.pk, error)


def _drop(told: Notification, why_not: str) -> None:
    included = included_in(told) if told.event == DIGEST else []
    _end([told, *included], State.DROPPED, error=why_not)


def _end(rows: list[Notification], state: str, *, sent_at: datetime | None = None, error: str = "") -> None:
    ended = Notification.objects.filter(pk__in=[row.pk for row in rows], state=State.WAITING)
    ended.update(state=state, next_at=None, sent_at=sent_at, error=error)


def _entry(told: Notification) -> dict[str, Any]:
    """Who was told, by name: addresses are nobody's business in a log that is kept for ever."""
    recipient = f"user:{told.user.username}" if told.user else f"webhook:{told.webhook}"
    return {
        "recipient": clean_text(recipient),
        "event": told.event,
        "notification": str(told.pk),
        "request": str(told.request_id) if told.request_id else None,
        "grant": str(told.grant_id) if told.grant_id else None,
        "attempts": told.attempts,
    }


def pause_after(attempts: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds until the next try: 15, 30, 60, … up to an hour, each up to a quarter shorter."""
    longest: float = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return longest * (1 - chance() / 4)


def forget_old(now: datetime | None = None, *, kept_for: timedelta = timedelta(days=90)) -> int:
    """What was told long ago, and ended; the ledger still says that it was."""
    over = Q(created_at__lt=(now or timezone.now()) - kept_for) & ~Q(state=State.WAITING)
    return Notification.objects.filter(over).delete()[0]


# --- One process at a time ----------------------------------------------------------------------------------------


@contextmanager
def _alone(channel: str) -> Iterator[bool]:
    """A door that hangs holds one worker, not one for each message."""
    key = [LOCKS, zlib.crc32(channel.encode()) - 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s::int, %s::int)", key)
        alone = bool(cursor.fetchone()[0])
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s::int, %s::int)", key)
