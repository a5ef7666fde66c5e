"""What publishes checkpoints in the background."""

from __future__ import annotations

import logging

from celery import current_app, shared_task
from kombu.exceptions import OperationalError as BrokerError

from audit.transparency.checkpoints import HistoryDiffers
from audit.transparency.keys import KeyUnusable
from audit.transparency.publication import publish

logger = logging.getLogger(__name__)


TASK = "audit.publish_checkpoint"


def ask_to_publish() -> bool:
    """Hands publishing to a worker; whether the broker took it."""
    try:
        current_app.send_task(TASK, kwargs={"all_now": True}, retry=False)
    except BrokerError:
        return False
    return True


@shared_task(name=TASK)
def publish_checkpoint(*, all_now: bool = False) -> None:
    """What goes wrong stays visible: the page of the ledger's integrity checks the same each time it is opened."""
    try:
        publish(all_now=all_now)
    except HistoryDiffers as error:
        logger.critical("NO CHECKPOINT IS SIGNED, the ledger contradicts what was signed before: %s", error)
    except KeyUnusable as error:
        logger.critical("No checkpoint is signed: %s", error)
