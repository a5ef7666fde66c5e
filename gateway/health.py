"""`/healthz`: whether Countersign could run a statement now. For load balancers; says no more than that."""

from __future__ import annotations

import logging

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from psycopg_pool import PoolTimeout

from audit import ledger
from audit.ledger import LedgerUnavailable
from gateway.services_check import require_coordination
from governance.errors import ServiceUnavailable

logger = logging.getLogger(__name__)


def healthz(_request: HttpRequest) -> JsonResponse:
    try:
        require_coordination()
        ledger.check()
    except (ServiceUnavailable, LedgerUnavailable, DatabaseError, PoolTimeout) as error:
        logger.warning("Not healthy: %s", error)
        return JsonResponse({"status": "unavailable"}, status=503)
    return JsonResponse({"status": "ok"})
