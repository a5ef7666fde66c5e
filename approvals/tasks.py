"""Celery tasks of approvals."""

from __future__ import annotations

from celery import shared_task

from approvals import services


@shared_task(name="approvals.expire")
def expire() -> int:
    return services.expire_due()
