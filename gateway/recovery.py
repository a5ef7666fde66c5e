"""Closes what a process left open when it died: whoever polls gets an answer, and the log says what is known.

Two things can be left: a query's row that never moved to an end, and an intent in the ledger that nothing closes, because
its row is gone, or ended without an entry (an append whose answer was lost). Rows are asked first, the ledger after them,
from where the last look ended.

    not_executed  nothing can have been changed: it only read, or no transaction id of it was durable
    committed     its transaction id is, and the governed database says that it committed
    aborted       … that it did not
    unknown       nobody can tell: a person must look

What people approved is settled by `gateway/settling.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from approvals.models import Request
from approvals.states import State
from audit import ledger
from audit.intents import CLOSING, OpenIntent, catch_up_to_the_end, open_intents
from audit.ledger import LedgerUnavailable
from audit.models import Entry, Follower, Head, SearchEntry
from gateway.drivers import driver_for
from gateway.drivers.base import Fate
from gateway.models import Query, QueryState
from gateway.work import CommitInDoubt, source_of
from governance.errors import GatewayError

logger = logging.getLogger(__name__)

GRACE = timedelta(minutes=2)
FOLLOWER = "intents"
MOST_AT_ONCE = 50_000
MOST_CLOSED = 200
PROBLEM = {"code": "process-ended", "title": "The process that ran the query ended", "status": 500}
DETAILS = {
    "not_executed": "It had not changed anything when the process ended.",
    "committed": "The change was committed; the process ended before it could answer. Do not send it again.",
    "aborted": "It was rolled back when the process ended: nothing was changed.",
    "unknown": "It was changing data when the process ended: look whether the change is there.",
}
FATES = {Fate.COMMITTED: "committed", Fate.ABORTED: "aborted", Fate.UNKNOWN: "unknown"}
# What the last entry about a query means for its row.
STATES = {
    "statement.denied": QueryState.DENIED,
    "executed": QueryState.EXECUTED,
    "committed": QueryState.EXECUTED,
    "cancelled": QueryState.CANCELLED,
    "unknown": QueryState.UNKNOWN,
}


def close_open_queries() -> int:
    """Those that no request carries, and that no process can still be running. Returns how many."""
    return sum(_closed(query) for query in _left_open())


def _closed(query: Query) -> bool:
    """One that cannot be closed, as while its data source is away, keeps no other waiting."""
    longest = timedelta(milliseconds=query.datasource.statement_timeout_ms)
    if query.created_at > timezone.now() - GRACE - longest:
        return False
    try:
        ended = _entry_that_ended(query)
        return _close(query) != "" if ended is None else _follow(query, ended)
    except GatewayError as error:
        logger.warning("Query %s cannot be closed yet: %s", query.pk, error.message)
    except Exception:
        logger.exception("Query %s cannot be closed.", query.pk)
    return False


def _left_open() -> QuerySet[Query]:
    begun = Query.objects.filter(request__isnull=True, state__in=(QueryState.RECEIVED, QueryState.RUNNING))
    old = begun.select_related("datasource").filter(created_at__lt=timezone.now() - GRACE)
    return old.order_by("?")[:200]


def _entry_that_ended(query: Query) -> Entry | None:
    """The ledger may know more than the row: the process died, or lost the answer, after it had recorded the end."""
    catch_up_to_the_end()
    found = SearchEntry.objects.filter(query=query.pk, kind__in=[*CLOSING, "statement.denied"]).order_by("-index")
    last = found.values_list("index", flat=True).first()
    return None if last is None else Entry.objects.filter(index=last).first()


def _follow(query: Query, ended: Entry) -> bool:
    said = ended.fields.get("status", ended.kind)
    detail = f"The process ended before it could answer. The ledger says: {said} (entry {ended.index})."
    changes: dict[str, Any] = {"ledger_index": ended.index, "ledger_leaf": bytes(ended.leaf).hex()}
    problem = {**PROBLEM, "detail": detail}
    return _unmoved(query).update(
        state=STATES.get(said, QueryState.FAILED), problem=problem, finished_at=timezone.now(), **changes
    ) == 1  # fmt: skip


def _unmoved(query: Query) -> QuerySet[Query]:
    """The row as it was looked at. A process that has made a transaction id durable since is alive, and may commit."""
    return Query.objects.filter(pk=query.pk, state=query.state, xid=query.xid)


def _close(query: Query) -> str:
    """Says what became of it in the row and in the ledger, together; empty where it is still under way."""
    fate = _fate_of(query)
    if not fate:
        return ""
    with transaction.atomic():
        problem = {**PROBLEM, "detail": DETAILS[fate]}
        state = STATES.get(fate, QueryState.FAILED)
        count = query.row_count if fate == "committed" else None
        changes = {"state": state, "problem": problem, "row_count": count, "finished_at": timezone.now()}
        if not _unmoved(query).update(**changes):
            return ""
        receipt = ledger.append_within(
            "statement.outcome",
            principal=query.requester,
            datasource=query.datasource.name,
            environment=query.datasource.environment,
            query=str(query.pk),
            door=query.door,
            status=fate,
            rows=count,
            error=PROBLEM["code"],
        )
        Query.objects.filter(pk=query.pk).update(ledger_index=receipt.index, ledger_leaf=receipt.leaf)
    return fate


def _fate_of(query: Query) -> str:
    """Empty while its transaction is in progress. Raises `GatewayError` where the database that knows is away."""
    facts = query.facts or {}
    if query.state == QueryState.RECEIVED or _only_reads(facts.get("kinds", [])):
        return "not_executed"
    if query.xid:
        fate = driver_for(query.datasource.engine).fate_of(source_of(query.datasource), query.xid)
        return FATES.get(fate, "")
    # Rows of a release that did not keep transaction ids say nothing of this either.
    return "unknown" if facts.get("outside_transaction", True) else "not_executed"


def _only_reads(kinds: list[str]) -> bool:
    return bool(kinds) and set(kinds) <= {"read", "session"}


def settle_in_doubt(query: Query, error: CommitInDoubt) -> GatewayError:
    """The connection broke during COMMIT. Says what is known by now; if nothing is, the row stays open, and is closed later."""
    query.refresh_from_db(fields=["state", "xid", "row_count"])
    error.query = query
    try:
        fate = _close(query)
    except (GatewayError, DatabaseError, LedgerUnavailable) as unknown:
        logger.warning("Query %s is in doubt: %s", query.pk, unknown)
        fate = ""
    error.remedy = DETAILS.get(fate, f"Look at the state of query {query.pk}: it says so as soon as that is known.")
    query.refresh_from_db()
    return error


# --- Intents that no row answers for --------------------------------------------------------------------------------


def close_open_intents() -> int:
    """Those since the last look that are old enough, and that neither a row nor a request will close. Returns how many."""
    first, end = _range()
    orphans = list(_orphans(open_intents(first, end))) if end > first else []
    if len(orphans) > MOST_CLOSED:
        orphans, end = orphans[:MOST_CLOSED], orphans[MOST_CLOSED].index
    with transaction.atomic():
        # Whoever looked at the same time and was first has closed them.
        if end <= first or not Follower.objects.filter(name=FOLLOWER, next=first).update(next=end):
            return 0
        for intent in orphans:
            _close_intent(intent)
    return len(orphans)


def _range() -> tuple[int, int]:
    """From where the last look ended to what is younger than a process's grace."""
    catch_up_to_the_end()
    head = Head.objects.get(id=1)
    follower, _ = Follower.objects.get_or_create(name=FOLLOWER, defaults={"next": head.first})
    recent = SearchEntry.objects.filter(time__gte=timezone.now() - GRACE).order_by("time", "index")
    young = recent.values_list("index", flat=True).first()
    return follower.next, min(head.size if young is None else young, follower.next + MOST_AT_ONCE)


def _orphans(intents: Iterator[OpenIntent]) -> Iterator[OpenIntent]:
    """A row that is still on its way, and a request that is executing, are closed by those who look after them."""
    waiting = list(intents)
    queries = {str(query.pk): query for query in Query.objects.filter(pk__in=[one.query for one in waiting])}
    requests = [query.request_id for query in queries.values() if query.request_id]
    executing = set(Request.objects.filter(pk__in=requests, state=State.EXECUTING).values_list("pk", flat=True))
    for intent in waiting:
        query = queries.get(intent.query)
        if query is None:
            yield intent
        elif query.request_id is not None:
            if query.request_id not in executing:
                yield intent
        elif query.state not in (QueryState.RECEIVED, QueryState.RUNNING):
            yield intent


def _close_intent(intent: OpenIntent) -> None:
    entry = Entry.objects.filter(index=intent.index).first()
    fields = entry.fields if entry is not None else {}
    fate = "not_executed" if _only_reads(fields.get("kinds", [])) else "unknown"
    logger.warning("Intent %d of query %s was left open: %s", intent.index, intent.query, fate)
    ledger.append_within(
        "statement.outcome",
        principal=intent.principal,
        owner=fields.get("owner"),
        door=fields.get("door"),
        datasource=intent.datasource,
        environment=intent.environment,
        query=intent.query,
        request=intent.request,
        intent=intent.index,
        status=fate,
        error=PROBLEM["code"],
    )
