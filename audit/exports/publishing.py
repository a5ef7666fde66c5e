"""Tells workers that there is an export to make. Nothing rests on it: what is lost on the way is swept up."""

from __future__ import annotations

import logging
import uuid

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

TASK = "audit.make_export"
# One that no worker has taken by then is published again by the sweep.
LIVES_SECONDS = 30


def publish(export: uuid.UUID) -> None:
    try:
        current_app.send_task(TASK, args=[str(export)], expires=LIVES_SECONDS, retry=False)
    except OperationalError as error:
        logger.warning("Export %s waits for the next sweep, the broker does not answer: %s", export, error)
