"""Keeps tiles up with the log, so that whoever asks for a proof finds little left to make."""

from __future__ import annotations

import logging

from celery import shared_task

from audit.transparency.tiles import LogDamaged, bring_up_to_date

logger = logging.getLogger(__name__)


@shared_task(name="audit.make_tiles")
def make_tiles() -> None:
    """Nothing is written over a hole in the log: until it is put right, proofs that need the tile are refused."""
    try:
        bring_up_to_date()
    except LogDamaged as error:
        logger.critical("no further tiles of the ledger are made: %s", error)
