"""The page for what went wrong on our side: a service that is away is told apart from a fault."""

from __future__ import annotations

import sys

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from psycopg_pool import PoolTimeout

from audit.ledger import LedgerUnavailable
from gateway.services_check import drop_control_connections
from governance.errors import ServiceUnavailable

AWAY = {
    OperationalError: "The control database does not answer.",
    PoolTimeout: "The control database does not answer.",
    InterfaceError: "The control database does not answer.",
    InternalError: "The control database does not answer.",
    LedgerUnavailable: "The ledger cannot record, so nothing may happen.",
    ServiceUnavailable: "A service that Countersign needs does not answer.",
}


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. The templates stand alone: whatever a context would need may be what is broken."""
    error = sys.exc_info()[1]
    for kind, reason in AWAY.items():
        if isinstance(error, kind):
            drop_control_connections()
            return HttpResponse(loader.render_to_string("503.html", {"reason": reason}), status=503)
    return HttpResponse(loader.render_to_string("500.html"), status=500)
