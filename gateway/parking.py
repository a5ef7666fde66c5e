"""Parking: a statement becomes a request that people decide."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, transaction

from approvals import services as approvals
from approvals.digest import shape_of, statement_digest
from approvals.services import Asked
from audit import ledger
from audit.ledger import LedgerUnavailable
from gateway.drivers import driver_for
from gateway.models import Query, QueryState
from gateway.recording import fitting, statement_fields
from gateway.work import source_of
from governance.assessment import Assessment, decision_json, facts_json
from governance.errors import ServiceUnavailable
from identity.principals import Principal


def park(principal: Principal, query: Query, assessment: Assessment) -> Query:
    """One transaction: the request, the query's state and both ledger entries. Raises `ServiceUnavailable`."""
    query.digest = digest_of(query, assessment)
    asked = asked_of(principal, query, assessment)
    try:
        with transaction.atomic():
            request = approvals.create_request(asked)
            query.request = request
            fields = statement_fields(query, assessment, principal.owner) | {"digest": query.digest}
            receipt = ledger.append_within(
                "statement.parked", payload={"sql": query.sql, "params": query.params}, **fields
            )
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
        relations=fitting(sorted({use.qualified for use in assessment.facts.relations})),
    )


def digest_of(query: Query, assessment: Assessment) -> str:
    """What the approval is bound to (P4)."""
    return statement_digest(sql=query.sql, params=query.params, **_around(query, assessment))


def bound_shape(query: Query, assessment: Assessment) -> str:
    """The same without text and parameters: what a grant is bound to, since it covers other values than those approved."""
    return statement_digest(sql="", params=[], **_around(query, assessment))


def _around(query: Query, assessment: Assessment) -> dict[str, Any]:
    source = source_of(query.datasource)
    catalogue = assessment.script.catalogue
    touched = (catalogue.relations.get((use.schema, use.name)) for use in assessment.facts.relations)
    called = {(use.schema, use.name) for use in assessment.facts.functions if use.schema != "pg_catalog"}
    functions = (one for schema, name in called for one in catalogue.functions.get(name, ()) if one.schema == schema)
    return {
        "datasource": query.datasource.name,
        "role": driver_for(query.datasource.engine).role_of(source),
        "search_path": source.search_path,
        "shape": shape_of({relation.qualified: relation for relation in touched if relation}.values(), functions),
    }
