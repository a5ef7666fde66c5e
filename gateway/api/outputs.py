"""Queries, decisions and requests as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from approvals import services as approvals
from approvals.impact.showing import impact_json, open_row_bound
from approvals.models import Request
from gateway.models import Query
from identity.principals import Principal


def moment(time: datetime | None) -> str | None:
    """RFC 3339, in UTC."""
    return time.isoformat().replace("+00:00", "Z") if time else None


def decision_output(decision: dict[str, Any] | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    names = ("verdict", "risk", "risk_parts", "policies", "message", "remedy")
    return {name: decision[name] for name in names}


def result_output(query: Query, content: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(query.pk),
        "status": query.state,
        "fingerprint": query.fingerprint,
        "decision": decision_output(query.decision),
        "columns": content["columns"],
        "rows": content["rows"],
        "row_count": query.row_count,
        "truncated": content["truncated"],
        "duration_ms": query.duration_ms,
        "ledger": ledger_output(query),
    }


def parked_output(query: Query) -> dict[str, Any]:
    return {
        "id": str(query.pk),
        "status": query.state,
        "fingerprint": query.fingerprint,
        "request": waiting_output(query.request) if query.request else None,
        "decision": decision_output(query.decision),
        "ledger": ledger_output(query),
    }


def waiting_output(request: Request) -> dict[str, Any]:
    return {
        "id": str(request.pk),
        "url": f"{settings.PUBLIC_URL}/requests/{request.pk}/",
        "state": request.state,
        "required": required_output(request.required),
        "expires_at": moment(request.expires_at),
        "revision": request.revision,
        "run_at": moment(request.run_at),
        "not_before": moment(request.not_before),
    }


def required_output(required: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Who must agree, in the order of the stages. `GET requests/ID` tells more (`progress`)."""
    return [{"group": one["group"], "quorum": one["quorum"]} for one in required]


def query_output(query: Query, problem: dict[str, Any] | None) -> dict[str, Any]:
    """`problem` is what this principal may know of how it failed (`queries.problem_for`)."""
    output = {
        "id": str(query.pk),
        "status": query.state,
        "datasource": query.datasource.name,
        "door": query.door,
        "principal": query.requester,
        "on_behalf_of": query.on_behalf_of,
        "purpose": query.purpose,
        "run": {"id": query.run, "step": query.step, "model": query.model, "traceparent": query.traceparent},
        "fingerprint": query.fingerprint,
        "decision": decision_output(query.decision),
        "facts": query.facts,
        "row_count": query.row_count,
        "duration_ms": query.duration_ms,
        "created_at": moment(query.created_at),
        "finished_at": moment(query.finished_at),
        "problem": problem,
        "ledger": ledger_output(query),
    }
    if query.request is not None:
        output["request"] = waiting_output(query.request)
    return output


def ledger_output(query: Query) -> dict[str, Any] | None:
    return {"index": query.ledger_index, "leaf": query.ledger_leaf} if query.ledger_index is not None else None


def request_output(request: Request) -> dict[str, Any]:
    return {
        **waiting_output(request),
        "datasource": request.datasource.name,
        "environment": request.datasource.environment,
        "requester": request.requester,
        "owner": request.owner.username,
        "sql": request.sql,
        # Those of an undo are rows as they were, unmasked.
        "params": request.params if request.reverts_id is None else [],
        "reverts": str(request.reverts_id) if request.reverts_id else None,
        "digest": request.digest,
        "purpose": request.purpose,
        "on_behalf_of": request.on_behalf_of,
        "risk": request.risk,
        "risk_parts": request.risk_parts,
        "decision": decision_output(request.decision),
        "facts": request.facts,
        "reviews": [
            {
                "reviewer": review.reviewer.username,
                "delegated_by": review.delegated_by.username if review.delegated_by else None,
                "verdict": review.verdict,
                "comment": review.comment,
                "revision": review.revision,
                "created_at": moment(review.created_at),
            }
            for review in request.reviews.all()
        ],
        "kind": request.kind,
        "terms": request.terms,
        "row_bound": open_row_bound(request),
        "outside_transaction": request.outside_transaction,
        "follows": str(request.follows_id) if request.follows_id else None,
        "drift": request.drift,
        "outcome": request.outcome,
        "created_at": moment(request.created_at),
        "decided_at": moment(request.decided_at),
        "finished_at": moment(request.finished_at),
        "query": str(request.query.pk) if hasattr(request, "query") else None,
    }


def request_detail(request: Request, viewer: Principal | None = None) -> dict[str, Any]:
    """One request, with how far it has come, and what it would do where the viewer may know. A review counts if it is of the
    revision as it is now."""
    standing = approvals.standing_at(request)
    progress = [
        {
            "group": demand.review.group,
            "quorum": demand.review.quorum,
            "given": given,
            "stage": demand.stage,
            "open": demand.stage <= standing.stage,
            "escalate_to": demand.review.escalate_to or None,
            "escalated": demand.escalated,
        }
        for demand, given in zip(standing.demands, standing.given, strict=True)
    ]
    impact = impact_json(request, viewer) if viewer else None
    found = {**request_output(request), "progress": progress, "impact": impact}
    return {**found, "row_bound": request.row_bound} if impact else found
