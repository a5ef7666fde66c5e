"""Celery tasks of notification. The rows are the truth: what a broker lost is found by the next beat."""

from __future__ import annotations

import logging

from celery import current_app, shared_task
from kombu.exceptions import OperationalError as BrokerError

from approvals.notification import delivery, digests
from approvals.notification.outbox import DELIVER, LIVES_SECONDS

logger = logging.getLogger(__name__)

DELIVER_TO = "approvals.deliver_to"


@shared_task(name=DELIVER)
def deliver() -> int:
    """One task for each door that something is due at, so that one that hangs slows no other."""
    channels = delivery.due_channels()
    for channel in channels:
        _publish(channel)
    return len(channels)


@shared_task(name=DELIVER_TO)
def deliver_to(channel: str) -> None:
    if delivery.work(channel):
        _publish(channel)


@shared_task(name="approvals.digest")
def digest() -> int:
    return digests.make_due()


@shared_task(name="approvals.forget_notifications")
def forget_notifications() -> int:
    return delivery.forget_old()


def _publish(channel: str) -> None:
    try:
        current_app.send_task(DELIVER_TO, args=[channel], queue="notify", expires=LIVES_SECONDS, retry=False)
    except BrokerError as error:
        logger.warning("Messages for %s wait for the next beat, the broker does not answer: %s", channel, error)
