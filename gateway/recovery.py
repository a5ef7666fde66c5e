"""Closes queries that a process left open when it died: whoever polls gets an answer, and the log says what is known."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from audit import ledger
from gateway.models import Query, QueryState

GRACE = timedelta(minutes=2)


def close_open_queries() -> int:
    """Those that no request carries, and that no process can still be running. Returns how many."""
    closed = 0
    for query in _left_open():
        longest = timedelta(milliseconds=query.datasource.statement_timeout_ms)
        if query.created_at > timezone.now() - GRACE - longest:
            continue
        before = {QueryState.RECEIVED: "not_executed", QueryState.RUNNING: _fate_of(query)}[QueryState(query.state)]
        state = QueryState.UNKNOWN if before == "unknown" else QueryState.FAILED
        receipt = ledger.append(
            "statement.outcome",
            principal=query.requester,
            datasource=query.datasource.name,
            query=str(query.pk),
            door=query.door,
            status=before,
            error="process-ended",
        )
        problem = {
            "code": "process-ended",
            "title": "The process that ran the query ended",
            "status": 500,
            "detail": DETAILS[before],
        }
        Query.objects.filter(pk=query.pk, state=query.state).update(
            state=state,
            problem=problem,
            finished_at=timezone.now(),
            ledger_index=receipt.index,
            ledger_leaf=receipt.leaf,
        )
        closed += 1
    return closed


DETAILS = {
    "not_executed": "It had not changed anything when the process ended.",
    "unknown": "It was changing data when the process ended: look whether the change is there.",
}


def _left_open() -> QuerySet[Query]:
    begun = Query.objects.filter(request__isnull=True, state__in=(QueryState.RECEIVED, QueryState.RUNNING))
    return begun.select_related("datasource").filter(created_at__lt=timezone.now() - GRACE)[:200]


def _fate_of(query: Query) -> str:
    kinds = (query.facts or {}).get("kinds", [])
    return "not_executed" if kinds == ["read"] else "unknown"
