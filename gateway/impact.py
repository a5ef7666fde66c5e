"""Measures what a request would do, while people look at it: a plan, and a run that is rolled back.

1. An advisory lock says that somebody is at it; it goes with the process that held it, and the next one takes over.
2. `waiting → measuring`, with its entry in the ledger, durable before anything runs on the data source (P3).
3. The text is assessed as it is now. What a rollback would not take back is planned only, and the reason is kept.
4. It runs registered like any statement, so a revocation or the end of the request breaks it off (P8).
5. What was seen is kept, sealed, with the bound of rows that an approval gets from it (P4).
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import connection, connections

from approvals.impact import service
from approvals.impact.content import Content
from approvals.impact.service import Measurement
from approvals.models import Impact, Request
from audit.ledger import LedgerUnavailable
from gateway.admission import asker_of, asking_of
from gateway.binding import digest_of
from gateway.drifting import no_longer_allowed
from gateway.drivers import measure_with
from gateway.measuring import asking, reading, refusals
from gateway.models import Query
from gateway.running import running
from gateway.undo.capture import outlook
from gateway.work import source_of
from governance.assessment import Assessment, assess
from governance.errors import Cancelled, DataSourceUnavailable, GatewayError, ServiceUnavailable, Unreadable
from governance.policy.decision import Verdict
from identity.errors import NotAuthenticated

logger = logging.getLogger(__name__)

# Keeps the locks of those who measure apart from those of who executes, which have the request's own number.
TURN = 0x496D_7061_6374
POLL_SECONDS = 0.05
BROKEN_OFF = "it was broken off: whoever asked lost the right to, or the request ended"


def measure(request_id: uuid.UUID) -> str:
    """Measures what waits to be measured, and returns the state that it is left in. Safe to call any number of times."""
    with _turn(request_id) as mine:
        if not mine:
            return "busy"
        query = _query_of(request_id)
        if query is None or query.request is None:
            return "gone"
        try:
            impact = service.begin(query.request)
        except LedgerUnavailable:
            return Impact.State.WAITING
        return _measured(query, query.request, impact) if impact else "settled"


def ensure_measured(request: Request) -> Impact | None:
    """For whoever is about to run it: measures it now, or waits for who is at it. What could not be measured for a reason that
    passes is tried once more. None: there is nothing to measure."""
    service.try_again(request)
    deadline = time.monotonic() + 4 * settings.DRY_RUN_MS / 1000 + 10
    while True:
        outcome = measure(request.pk)
        impact = Impact.objects.filter(request=request).first()
        if outcome != "busy" or time.monotonic() > deadline:
            request.refresh_from_db(fields=["row_bound"])
            return impact
        connection.close()
        time.sleep(POLL_SECONDS)


def _query_of(request_id: uuid.UUID) -> Query | None:
    related = ("request__datasource", "request__owner", "datasource", "agent__owner", "user")
    return Query.objects.select_related(*related).filter(request_id=request_id).first()


@contextmanager
def _turn(request_id: uuid.UUID) -> Iterator[bool]:
    """Whether this process is the one that measures the request."""
    given = connections["default"].get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        given.pop(name, None)
    key = (request_id.int ^ TURN) & (2**63 - 1)
    with psycopg.connect(**given, autocommit=True) as session:
        row = session.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
        yield bool(row and row[0])


# --- Measuring ----------------------------------------------------------------------------------------------------


def _measured(query: Query, request: Request, impact: Impact) -> str:
    try:
        found = _outcome(query, request)
    except ServiceUnavailable:
        # A revocation could not have reached it: somebody tries again.
        service.give_back(impact)
        return Impact.State.WAITING
    try:
        kept = service.finish(request, impact, found)
    except LedgerUnavailable:
        service.give_back(impact)
        return Impact.State.WAITING
    if not kept:
        return "overtaken"
    return Impact.State.UNMEASURED if found.problem else Impact.State.MEASURED


def _outcome(query: Query, request: Request) -> Measurement:
    """Raises `ServiceUnavailable`. Whatever else goes wrong is an outcome, and told to whoever decides."""
    try:
        return _found(query, request)
    except ServiceUnavailable:
        raise
    except (NotAuthenticated, Cancelled):
        return Measurement(problem=BROKEN_OFF)
    except DataSourceUnavailable:
        return Measurement(Content(passing=True), problem="the data source did not answer")
    except GatewayError as error:
        return Measurement(problem=f"{error.title[:1].lower()}{error.title[1:]}")
    except Exception:
        logger.exception("Request %s could not be measured.", request.pk)
        return Measurement(
            Content(passing=True), problem="something in Countersign itself went wrong; its log says what"
        )


def _found(query: Query, request: Request) -> Measurement:
    if no_longer_allowed(query):
        return Measurement(problem=BROKEN_OFF)
    principal = asker_of(query)
    try:
        assessment = assess(query.datasource, query.sql, asking_of(principal, query))
    except Unreadable:
        return Measurement(problem="it can no longer be read")
    if assessment.decision.verdict is Verdict.DENY:
        return Measurement(problem="policy now denies it, so it would not run")
    if digest_of(query, assessment) != request.digest:
        return Measurement(problem="the schema, the role or the search path has changed since it was asked for")
    not_tried = _why_not(assessment)
    if assessment.facts.unknown or assessment.facts.outside_transaction:
        # Even a plan evaluates functions that are not volatile: what is not understood is left alone.
        return reading.unseen(assessment, not_tried)
    asked, undo = asking.ask(query, assessment), outlook(query.datasource, assessment)
    with running(query.pk, principal, grants=principal.grants, allow_expired=True) as statement:
        trial = asked.trial(statement, tries_out=not not_tried and not assessment.facts.reads_only)
        seen = measure_with(query.datasource.engine)(source_of(query.datasource), trial)
    return reading.measurement(asked, seen, not_tried, undo)


def _why_not(assessment: Assessment) -> str:
    return refusals.why_not(assessment.script) or ("" if settings.DRY_RUNS else "trial runs are switched off here")
