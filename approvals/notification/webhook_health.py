"""How a webhook is doing. One that has failed for a day is paused, and so is one that says that it is gone."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from approvals.models import Notification, Webhook
from approvals.notification.mail import NotDelivered
from approvals.notification.webhook_door import ReceiverGone
from audit import ledger
from audit.events import clean_text
from audit.ledger import LedgerUnavailable

logger = logging.getLogger(__name__)

PAUSED_AFTER = timedelta(hours=24)
ACTOR = "notification"


def note_success(told: Notification) -> None:
    if told.webhook_id is not None:
        failing = Webhook.objects.filter(pk=told.webhook_id, failures__gt=0)
        failing.update(failures=0, failing_since=None, error="")


def note_failure(told: Notification, error: NotDelivered, now: datetime) -> None:
    if told.webhook_id is None:
        return
    hook = Webhook.objects.defer("address", "secret").filter(pk=told.webhook_id).first()
    if hook is None or not hook.is_active:
        return
    hook.failing_since = hook.failing_since or now
    hook.failures += 1
    hook.error = error.message
    hook.save(update_fields=["failing_since", "failures", "error"])
    if isinstance(error, ReceiverGone) or now - hook.failing_since >= PAUSED_AFTER:
        _pause(hook, error.message)


def _pause(hook: Webhook, why: str) -> None:
    logger.warning("Webhook %s is paused: %s", hook.name, why)
    try:
        with transaction.atomic():
            Webhook.objects.filter(pk=hook.pk).update(is_active=False)
            _drop_waiting(hook)
            ledger.append_within(
                "webhook.changed", actor=ACTOR, name=hook.name, is_active=False, reason=clean_text(why)
            )
    except LedgerUnavailable as error:
        logger.warning("Webhook %s is not paused yet, the ledger cannot record it: %s", hook.name, error)


def _drop_waiting(hook: Webhook) -> None:
    waiting = Notification.objects.filter(webhook=hook, state=Notification.State.WAITING)
    waiting.update(state=Notification.State.FAILED, next_at=None, error="The webhook is paused.")
