"""Celery tasks: one turn for each forwarder that has something to send, so that one that is down slows no other."""

from __future__ import annotations

import logging

from celery import current_app, shared_task
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from audit.forwarding.running import work
from audit.models import Forwarder, Head

logger = logging.getLogger(__name__)

TASK = "audit.forward_one"
# One that no worker has taken by then is published again by the next beat.
LIVES_SECONDS = 10


@shared_task(name="audit.forward")
def forward() -> int:
    """The rows are the truth: what the broker lost is found here."""
    size = Head.objects.values_list("size", flat=True).get(id=1)
    may_go = Q(retry_at=None) | Q(retry_at__lte=timezone.now())
    due = Forwarder.objects.filter(may_go, is_active=True, next__lt=size).values_list("name", flat=True)
    names = list(due)
    for name in names:
        publish(name)
    return len(names)


@shared_task(name=TASK)
def forward_one(name: str) -> None:
    if work(name):
        publish(name)


def publish(name: str) -> None:
    try:
        current_app.send_task(TASK, args=[name], expires=LIVES_SECONDS, retry=False)
    except OperationalError as error:
        logger.warning("Forwarder %s waits for the next beat, the broker does not answer: %s", name, error)
