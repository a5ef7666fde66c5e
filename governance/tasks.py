"""Celery tasks of governance."""

from __future__ import annotations

import logging

from celery import shared_task

from governance.errors import GatewayError
from governance.models import ClassScan
from governance.scanning import scan as scanning

logger = logging.getLogger(__name__)


@shared_task(name=scanning.TASK)
def scan(scan_id: int) -> None:
    """What goes wrong stands in the scan's own row, where people look; a scan that was taken already is left alone."""
    found = ClassScan.objects.select_related("datasource").filter(pk=scan_id).first()
    if found is None:
        return
    try:
        scanning.run(found)
    except GatewayError as error:
        logger.warning("Scan %s ended early: %s", scan_id, error.message)
