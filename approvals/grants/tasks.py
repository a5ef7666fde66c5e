"""Celery tasks of grants."""

from __future__ import annotations

from celery import shared_task

from approvals.grants import ending


@shared_task(name="approvals.close_grants", expires=30)
def close_grants() -> int:
    """Notes the end of grants that ran out, and reminds of broken glass that nobody has looked at."""
    return ending.close_ended() + ending.remind_of_glass()
