"""What an approval gives: within the transaction that approves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from approvals.agreement import agreed_grant
from approvals.asking import terms_of
from approvals.grants import holding
from approvals.grants.bounds import MOST_RUNS
from approvals.grants.recording import normal_field, record, sealed
from approvals.models import Grant, Request, Review, Verdict


def give_statement(request: Request) -> Grant | None:
    """The same statement again, if all who approved were willing to, and policy lets them."""
    agreed, grantable = agreed_grant(request), terms_of(request).grantable
    if agreed is None or not grantable or not request.asked.get("shape"):
        return None
    grant = Grant(
        kind=Grant.Kind.STATEMENT,
        fingerprint=request.facts.get("fingerprint", ""),
        normal=request.normal,
        relations=sorted(relations_of(request.facts)),
        shape=request.asked["shape"],
        required=request.required,
        reason=request.purpose,
        row_bound=request.row_bound,
        max_uses=min(agreed["runs"], MOST_RUNS),
        **_from(request, min(agreed["seconds"], grantable)),
    )
    return _given(grant, _givers(request))


def give_elevation(request: Request) -> Grant:
    """It begins with the approval, and lasts as long as was asked for."""
    grant = Grant(
        kind=Grant.Kind.ELEVATION,
        group=request.asked["group"],
        required=request.required,
        reason=request.purpose,
        **_from(request, int(request.asked["seconds"])),
    )
    return _given(grant, _givers(request))


def relations_of(facts: dict[str, Any]) -> set[str]:
    """`delete public.orders`: each relation with how it is used."""
    return {f"{one['use']} {one['schema']}.{one['name']}" for one in facts.get("relations", ())}


def _givers(request: Request) -> list[str]:
    reviews = Review.objects.filter(request=request, revision=request.revision, verdict=Verdict.APPROVE)
    return [f"user:{review.reviewer.username}" for review in reviews.select_related("reviewer")]


def _from(request: Request, seconds: int) -> dict[str, Any]:
    return {
        "request": request,
        "principal": request.requester,
        "user_id": None if request.agent_id else request.owner_id,
        "agent_id": request.agent_id,
        "owner_id": request.owner_id,
        "datasource": request.datasource,
        "expires_at": timezone.now() + timedelta(seconds=seconds),
    }


def _given(grant: Grant, givers: list[str]) -> Grant:
    grant.save(force_insert=True)
    holding.forget()
    told = f"given by {', '.join(givers)}" if givers else "given by policy"
    record(
        grant, "grant.given", "given", sealed(reason=grant.reason),
        sql_normal=normal_field(grant.normal), message=told[:300],
    )  # fmt: skip
    return grant


def give_by_policy(grant: Grant, policies: tuple[str, ...]) -> Grant:
    """Where a permit without a review gives it: no person was asked."""
    grant.save(force_insert=True)
    holding.forget()
    record(
        grant, "grant.given", "given", sealed(reason=grant.reason), policies=list(policies), message="given by policy"
    )
    return grant
