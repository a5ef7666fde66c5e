"""Celery tasks of approvals."""

from __future__ import annotations

from celery import shared_task

from approvals import services
from governance.policy import proposals


@shared_task(name="approvals.expire")
def expire() -> int:
    """Requests, and proposed policy sets, that nobody decided in time."""
    return services.expire_due() + proposals.expire_due()
