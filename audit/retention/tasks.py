"""Retention in the background. What fails is tried again with growing pauses, and told by `ledger archive --list`."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from audit.ledger import LedgerUnavailable
from audit.retention.archive_files import ArchiveUnavailable
from audit.retention.archives import NotArchived, archive
from audit.retention.erasure import sweep_erased

logger = logging.getLogger(__name__)

SYSTEM = "system"
_AGAIN: dict[str, Any] = {
    "autoretry_for": (ArchiveUnavailable, NotArchived, LedgerUnavailable, DatabaseError, OSError),
    "retry_backoff": 60,
    "retry_backoff_max": 3600,
    "max_retries": 8,
}


@shared_task(name="audit.keep_retention", **_AGAIN)
def keep_retention() -> None:
    """Once a day: what became too old goes to archives, and what an erasure may have left behind goes."""
    sweep_erased()
    if settings.RETENTION_DAYS:
        days = settings.RETENTION_DAYS
        _archive(timezone.now() - timedelta(days=days), SYSTEM, f"retention of {days} days")


@shared_task(name="audit.archive", **_AGAIN)
def archive_before(before: str, actor: str) -> None:
    _archive(datetime.fromisoformat(before), actor, "")


def _archive(before: datetime, actor: str, reason: str) -> None:
    moved, planned = archive(before, actor=actor, reason=reason)
    for one in moved:
        logger.info("archived entries %d to %d", one.first, one.end - 1)
    if planned.held:
        logger.warning("entries from %d on stay in the database: %s", planned.end, planned.held)
