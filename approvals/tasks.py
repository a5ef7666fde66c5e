"""Celery tasks of approvals."""

from __future__ import annotations

from celery import shared_task

from approvals import services
from approvals.grants.tasks import close_grants
from approvals.notification.tasks import deliver, deliver_to, digest, forget_notifications
from governance.policy import proposals

__all__ = ["close_grants", "deliver", "deliver_to", "digest", "expire", "forget_notifications"]


@shared_task(name="approvals.expire")
def expire() -> int:
    """Requests, and proposed policy sets, that nobody decided in time: they end; before that, others are asked, and those who
    have not answered are told again."""
    return services.expire_due() + services.escalate_due() + services.remind_due() + proposals.expire_due()
