"""Celery tasks of the gateway."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.db.models import Q, QuerySet
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
AT_ONCE = 200


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
    """Finds what a dead worker or a lost broker left behind. The rows are the truth; this only reads them.

    What goes wrong with one part, or one request, keeps nothing else waiting.
    """
    for part in (_publish_due, _settle_dead, _measure_late, close_open_queries, close_open_intents):
        try:
            part()
        except Exception:
            logger.exception("A part of the sweep failed (%s); the others go on.", part.__name__)


def _publish_due() -> None:
    now = timezone.now()
    due = Request.objects.filter(
        Q(not_before__isnull=True) | Q(not_before__lte=now),
        state=State.APPROVED,
        kind=Request.Kind.STATEMENT,
        carrier=Request.Carrier.WORKER,
        decided_at__lt=now - OVERDUE,
        expires_at__gt=now,
    )
    for request_id in _some(due):
        if coordination().set(f"republished:{request_id}", 1, nx=True, ex=REPUBLISH):
            approvals.publish(request_id)


def _settle_dead() -> None:
    for request_id in _some(Request.objects.filter(state=State.EXECUTING)):
        try:
            execution.reconcile(request_id)
        except GatewayError as error:
            # A data source that is away keeps its own requests waiting, not everybody's.
            logger.warning("Request %s cannot be settled yet: %s", request_id, error.message)
        except Exception:
            logger.exception("Request %s cannot be settled.", request_id)


def _measure_late() -> None:
    for request_id in _some(measuring.overdue(OVERDUE)):
        if coordination().set(f"remeasured:{request_id}", 1, nx=True, ex=REPUBLISH):
            approvals.publish_measuring(request_id)


def _some(rows: QuerySet[Any]) -> Iterable[uuid.UUID]:
    """In no order: however many there are that cannot be helped, the others get their turn."""
    return rows.order_by("?").values_list("pk", flat=True)[:AT_ONCE]


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
