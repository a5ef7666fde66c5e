"""Celery tasks: exports are made by workers, in turns, so that long ones keep nobody else from theirs."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from celery import shared_task
from django.db.models import QuerySet
from django.utils import timezone

from audit.exports import publishing
from audit.exports.ending import is_waiting
from audit.exports.folder import clear
from audit.exports.making import make
from audit.models import Export

logger = logging.getLogger(__name__)

# A worker gives up its place after this long; the export goes to the end of the queue.
TURN_SECONDS = 30
# Workers run statements too: so many of them are busy with exports at most.
MOST_AT_ONCE = 2
# Without a sign of life for so long it has no process any more.
DEAD_AFTER = timedelta(seconds=15)


@shared_task(name=publishing.TASK)
def make_export(export_id: str) -> None:
    export = uuid.UUID(export_id)
    if _alive().exclude(pk=export).count() >= MOST_AT_ONCE:
        return  # The sweep brings it back.
    made = make(export, seconds=TURN_SECONDS)
    if made is not None and made.state == "running":
        publishing.publish(export)


@shared_task(name="audit.sweep_exports", expires=10)
def sweep_exports() -> int:
    """Those that wait, and those whose worker died. The rows are the truth: what the broker lost is found here."""
    now = timezone.now()
    alive = set(_alive().values_list("pk", flat=True))
    waiting = Export.objects.filter(state__in=("queued", "running")).exclude(pk__in=alive).order_by("created_at")
    due = [export for export in waiting[:200] if not is_waiting(export, now)]
    for export in due[: max(0, MOST_AT_ONCE - len(alive))]:
        publishing.publish(export.pk)
    return len(due)


@shared_task(name="audit.delete_expired_exports", expires=600)
def delete_expired_exports() -> int:
    """The row stays and says what was exported; the file goes."""
    expired = Export.objects.filter(state="done", expires_at__lte=timezone.now())
    for export in expired:
        clear(export.pk)
        Export.objects.filter(pk=export.pk).update(state="expired", file="")
    return len(expired)


def _alive() -> QuerySet[Export]:
    return Export.objects.filter(state="running", beat_at__gt=timezone.now() - DEAD_AFTER)
