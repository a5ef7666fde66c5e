"""Finding, waiting for and cancelling queries. `fetch_query_for` is the only way a door obtains one."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from approvals import services as approvals
from approvals.grants.services import visible_to
from approvals.services import AUDITORS, list_requests_for
from approvals.states import Action, sources
from audit import ledger
from audit.ledger import LedgerUnavailable
from gateway.models import END_STATES, Query
from governance.errors import DriverFailed, GatewayError
from identity.credentials import is_live
from identity.errors import NotAuthenticated
from identity.principals import Principal
from identity.revocations import order_end

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.15


class UnknownQuery(GatewayError):
    code = "unknown-query"
    title = "No such query"
    status = 404


class AlreadyEnded(GatewayError):
    code = "already-ended"
    title = "The query has ended"
    status = 409


def list_queries_for(principal: Principal) -> QuerySet[Query]:
    """Own queries, those of own agents, and those whose request or grant this person may see; auditors and administrators see
    all."""
    queries = Query.objects.select_related("datasource", "agent", "user", "request")
    if principal.is_administrator or AUDITORS in principal.groups:
        return queries
    mine = Q(requester=principal.label)
    if principal.is_person:
        mine |= Q(agent__owner_id=principal.id) | Q(request__in=list_requests_for(principal).values("pk"))
        # Whoever gave a standing permission, or looks at broken glass, sees what was run under it.
        mine |= Q(grant__in=visible_to(principal).values("pk"))
    return queries.filter(mine)


def fetch_query_for(principal: Principal, query_id: uuid.UUID) -> Query:
    """Raises `UnknownQuery`, also for one that is not this principal's to see."""
    query = list_queries_for(principal).filter(pk=query_id).first()
    if query is None:
        raise UnknownQuery(
            f"There is no query {query_id}, or it is not yours to see.", remedy="Use the id that POST queries returned."
        )
    return query


def may_read_result(principal: Principal, query: Query) -> bool:
    """Results are masked for whoever asked: only they, and the owner of the agent that asked, may have the rows."""
    return query.requester == principal.label or (
        principal.is_person and query.agent is not None and query.agent.owner_id == principal.id
    )


def problem_for(principal: Principal, query: Query) -> dict[str, Any] | None:
    """How the query failed. What the database said can quote rows, so it is for whom the rows are."""
    if query.problem is None or may_read_result(principal, query):
        return query.problem
    return without_database_text(query.problem)


def without_database_text(problem: dict[str, Any]) -> dict[str, Any]:
    if problem["code"] != DriverFailed.code:
        return problem
    told = f"The database refused it with SQLSTATE {problem['sqlstate']}. Whoever asked is told what it said."
    return {**problem, "detail": told}


def wait_for_end(query: Query, seconds: float, principal: Principal) -> Query:
    """Returns when the query has ended or the time is over. No database connection is held while it waits.

    Raises `NotAuthenticated` once the credential of whoever waits is revoked or has expired (P8).
    """
    deadline = time.monotonic() + min(seconds, settings.MAX_WAIT_SECONDS)
    while query.state not in END_STATES and (left := deadline - time.monotonic()) > 0:
        connection.close()
        time.sleep(min(POLL_SECONDS, left))
        if principal.credential_id and not is_live(principal.credential_id):
            raise NotAuthenticated("revoked or expired while it waited")
        query = Query.objects.select_related("datasource", "agent", "user", "request").get(pk=query.pk)
    return query


def cancel(principal: Principal, query: Query) -> None:
    """Breaks off what runs, at the database too, and withdraws what waits. Raises `AlreadyEnded`, `ReviewRefused`."""
    if not may_read_result(principal, query):
        raise UnknownQuery("Only whoever asked, or the agent's owner, can cancel it.")
    if query.state in END_STATES:
        raise AlreadyEnded(f"The query is {query.state}; there is nothing to cancel.")
    if query.request is not None and query.request.state in sources(Action.WITHDRAW):
        approvals.withdraw(query.request.pk, principal)
    else:
        order_end("query", query.pk)
        _record_cancelling(principal, query)


def _record_cancelling(principal: Principal, query: Query) -> None:
    """After the order: what is out of hand must be stopped although nothing can be recorded."""
    try:
        ledger.append(
            "statement.cancelled",
            actor=principal.label,
            principal=query.requester,
            datasource=query.datasource.name,
            environment=query.datasource.environment,
            query=str(query.pk),
        )
    except LedgerUnavailable:
        logger.exception("%s cancelled query %s; the ledger could not record it", principal.label, query.pk)
