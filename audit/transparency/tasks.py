"""What publishes checkpoints in the background."""

from __future__ import annotations

import logging

from celery import shared_task

from audit.transparency.checkpoints import HistoryDiffers
from audit.transparency.keys import KeyUnusable
from audit.transparency.publication import publish

logger = logging.getLogger(__name__)


@shared_task(name="audit.publish_checkpoint")
def publish_checkpoint() -> None:
    """What goes wrong stays visible: the page of the ledger's integrity checks the same each time it is opened."""
    try:
        publish()
    except HistoryDiffers as error:
        logger.critical("NO CHECKPOINT IS SIGNED, the ledger contradicts what was signed before: %s", error)
    except KeyUnusable as error:
        logger.critical("No checkpoint is signed: %s", error)
