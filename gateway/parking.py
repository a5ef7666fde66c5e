"""Parking: a statement becomes a request that people decide."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.db import DatabaseError, transaction

from approvals import services as approvals
from approvals.services import Asked
from audit import ledger
from audit.ledger import LedgerUnavailable
from gateway.binding import bound_of, bound_shape, digest_of, sizes_if_known
from gateway.models import Query, QueryState
from gateway.recording import fitting, payload_of, statement_fields
from governance.assessment import Assessment, decision_json, facts_json
from governance.errors import ServiceUnavailable
from identity.principals import Principal

__all__ = ["asked_of", "bound_shape", "digest_of", "park"]


def park(principal: Principal, query: Query, assessment: Assessment, **more: Any) -> Query:
    """One transaction: the request, the query's state and both ledger entries. `more`: fields of `Asked` that are otherwise.
    Raises `ServiceUnavailable`."""
    query.digest = digest_of(query, assessment)
    asked = dataclasses.replace(asked_of(principal, query, assessment), **more)
    try:
        with transaction.atomic():
            request = approvals.create_request(asked)
            query.request = request
            fields = statement_fields(query, assessment, principal.owner) | {"digest": query.digest}
            receipt = ledger.append_within("statement.parked", payload=payload_of(query), **fields)
            query.state = QueryState.PARKED
            query.ledger_index, query.ledger_leaf = receipt.index, receipt.leaf
            query.save()
    except (LedgerUnavailable, DatabaseError) as error:
        raise ServiceUnavailable(
            "The request could not be recorded, so nothing was parked and nothing was run.",
            remedy="Send it again shortly.",
        ) from error
    return query


def asked_of(principal: Principal, query: Query, assessment: Assessment) -> Asked:
    """What people are to decide about: the statement, and what was found out about it."""
    decision = assessment.decision
    return Asked(
        requester=principal,
        datasource=query.datasource,
        sql=query.sql,
        params=query.params,
        normal=assessment.facts.normal,
        fingerprint=assessment.facts.fingerprint,
        digest=digest_of(query, assessment),
        purpose=query.purpose,
        on_behalf_of=query.on_behalf_of,
        risk=assessment.risk.score,
        risk_parts=[{"points": part.points, "reason": part.reason} for part in assessment.risk.parts],
        facts=facts_json(assessment.facts),
        decision=decision_json(decision, assessment.risk),
        required=list(decision.required),
        expires_in=decision.expires_in,
        terms=decision.terms,
        asked={"shape": bound_shape(query, assessment)},
        bound={**bound_of(query, assessment), "rows": sizes_if_known(query, assessment)},
        outside_transaction=assessment.facts.outside_transaction,
        relations=fitting(sorted({use.qualified for use in assessment.facts.relations})),
    )
