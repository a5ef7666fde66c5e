"""Celery tasks of the gateway."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from approvals import services as approvals
from approvals.impact import service as measuring
from approvals.models import Request
from approvals.states import State
from gateway import catalogues, execution, impact, results
from gateway.recovery import close_open_intents, close_open_queries
from gateway.services_check import coordination
from gateway.undo import emptying
from governance.errors import GatewayError

logger = logging.getLogger(__name__)
# An approved request that no worker has taken after this long is published again, then once every REPUBLISH seconds.
OVERDUE = timedelta(seconds=5)
REPUBLISH = 20


@shared_task(name="gateway.execute")
def execute(request_id: str) -> str:
    state = execution.execute_request(uuid.UUID(request_id))
    logger.info("Request %s: %s", request_id, state)
    return state


@shared_task(name="gateway.measure_impact")
def measure_impact(request_id: str) -> str:
    state = impact.measure(uuid.UUID(request_id))
    logger.info("Impact of request %s: %s", request_id, state)
    return state


@shared_task(name="gateway.sweep", expires=5)
def sweep() -> None:
    """Finds what a dead worker or a lost broker left behind. The rows are the truth; this only reads them."""
    overdue = Request.objects.filter(state=State.APPROVED, decided_at__lt=timezone.now() - OVERDUE)
    for request_id in overdue.values_list("pk", flat=True)[:200]:
        if coordination().set(f"republished:{request_id}", 1, nx=True, ex=REPUBLISH):
            approvals.publish(request_id)
    for request_id in Request.objects.filter(state=State.EXECUTING).values_list("pk", flat=True)[:200]:
        try:
            execution.reconcile(request_id)
        except GatewayError as error:
            # A data source that is away keeps its own requests waiting, not everybody's.
            logger.warning("Request %s cannot be settled yet: %s", request_id, error.message)
    for request_id in measuring.overdue(OVERDUE).values_list("pk", flat=True)[:200]:
        if coordination().set(f"remeasured:{request_id}", 1, nx=True, ex=REPUBLISH):
            measuring.publish(request_id)
    close_open_queries()
    close_open_intents()


@shared_task(name="gateway.delete_expired_results")
def delete_expired_results() -> int:
    return results.delete_expired()


@shared_task(name="gateway.read_catalogues", expires=600)
def read_catalogues() -> int:
    """What has been changed past the gateway is known by then, even if no statement names it."""
    return catalogues.read_all()


@shared_task(name="gateway.empty_undo", expires=600)
def empty_undo() -> int:
    return emptying.empty_due()
