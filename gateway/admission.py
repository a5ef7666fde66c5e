"""The first steps: is the principal still allowed to act, and the query's row."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import cast

import orjson
from django.db import IntegrityError

from approvals.grants.holding import elevated
from gateway.models import Query
from gateway.services_check import require_coordination
from gateway.submission import Submission
from governance.assessment import Asking
from governance.datasources import fetch_datasource_for
from governance.errors import GatewayError
from identity.models import User
from identity.principals import Principal, principal_of_agent, principal_of_user


class IdempotencyConflict(GatewayError):
    """The key was used before, for something else."""

    code = "idempotency-key-reused"
    title = "The Idempotency-Key belongs to another statement"
    status = 409


@dataclass(frozen=True, slots=True)
class Received:
    """`replayed`: the same submission came before under this Idempotency-Key; nothing is to be done again."""

    query: Query
    replayed: bool


def authenticate(submission: Submission) -> Principal:
    """The principal that the door has authenticated, if it could also be stopped: `running` asks again right before the
    statement starts whether its credential still lives (P8). Raises `ServiceUnavailable`."""
    require_coordination()
    return submission.principal


def receive(principal: Principal, submission: Submission) -> Received:
    """Raises `UnknownDataSource`, `IdempotencyConflict`."""
    datasource = fetch_datasource_for(principal, submission.datasource)
    digest = _submission_digest(submission)
    query = Query(
        requester=principal.label,
        user_id=principal.id if principal.is_person else None,
        agent_id=None if principal.is_person else principal.id,
        credential=principal.credential_id,
        datasource=datasource,
        door=submission.door,
        sql=submission.sql,
        params=list(submission.params),
        purpose=submission.purpose,
        on_behalf_of=submission.on_behalf_of,
        run=submission.run.id,
        step=submission.run.step,
        model=submission.run.model,
        traceparent=submission.run.traceparent,
        idempotency_key=submission.idempotency_key or None,
        idempotency_digest=digest,
        max_rows=submission.max_rows,
    )
    try:
        query.save(force_insert=True)
    except IntegrityError:
        if not submission.idempotency_key:
            raise
        return Received(_earlier(principal, submission, digest), replayed=True)
    return Received(query, replayed=False)


def asker_of(query: Query) -> Principal:
    """As whom a query that was kept is decided and run: whoever asked, as they are now, with the elevations that they have."""
    if query.agent is not None:
        return elevated(principal_of_agent(query.agent, query.credential), query.datasource)
    # The table's check constraint: exactly one of agent and user is set.
    return elevated(principal_of_user(cast(User, query.user), query.credential), query.datasource)


def asking_of(principal: Principal, asked: Submission | Query) -> Asking:
    """What the decision may depend on besides the statement."""
    run_id = asked.run if isinstance(asked, Query) else asked.run.id
    return Asking(principal, asked.door, asked.purpose, asked.on_behalf_of, run_id)


def _earlier(principal: Principal, submission: Submission, digest: str) -> Query:
    earlier = Query.objects.select_related("datasource", "request", "request__datasource").get(
        requester=principal.label, idempotency_key=submission.idempotency_key
    )
    if earlier.idempotency_digest != digest:
        raise IdempotencyConflict(
            f"Idempotency-Key {submission.idempotency_key!r} was used for another statement (query {earlier.id}).",
            remedy="Use a new key for a new statement.",
        )
    return earlier


def _submission_digest(submission: Submission) -> str:
    same = [
        submission.datasource, submission.sql, list(submission.params), submission.purpose, submission.on_behalf_of,
        submission.max_rows,
    ]  # fmt: skip
    return hashlib.sha256(orjson.dumps(same)).hexdigest()
