"""Verification in the background."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.db import DatabaseError
from psycopg import Error as DriverError

from audit.ledger import LedgerUnavailable
from audit.verification.recording import TASK, verify_and_record

_AGAIN: dict[str, Any] = {
    "autoretry_for": (DatabaseError, DriverError, LedgerUnavailable),
    "retry_backoff": 30,
    "retry_backoff_max": 1800,
    "max_retries": 5,
}


@shared_task(name=TASK, **_AGAIN)
def verify_log(actor: str) -> None:
    """What is wrong is logged, recorded, and shown on the page; what keeps it from being done is tried again."""
    verify_and_record(actor)
