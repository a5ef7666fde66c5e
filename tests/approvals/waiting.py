"""Requests that wait, made without a door: for tests of what people do with them."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from approvals import services
from approvals.models import Request
from approvals.services import Asked
from governance.policy.decision import RequiredReview, Terms
from identity.models import Agent, User
from tests.factories import Cast

DBA = RequiredReview("dba", 1)
FACTS: dict[str, Any] = {"kinds": ["write"], "relations": [], "hazards": [], "normal": "DELETE FROM orders"}
DECISION: dict[str, Any] = {
    "verdict": "review", "risk": 40, "risk_parts": [], "policies": ["mass-write"], "message": "", "remedy": "",
}  # fmt: skip


def asked_by(cast: Cast, who: User | Agent | None = None, *required: RequiredReview, **more: Any) -> Asked:
    values: dict[str, Any] = {
        "requester": cast.principal(who or cast.bot),
        "datasource": cast.datasource,
        "sql": "DELETE FROM orders",
        "params": [],
        "normal": "DELETE FROM orders",
        "fingerprint": "f",
        "digest": "d",
        "purpose": "",
        "on_behalf_of": "",
        "risk": 40,
        "risk_parts": [],
        "facts": FACTS,
        "decision": DECISION,
        "required": list(required) or [DBA],
        "expires_in": 4 * 3600,
        "relations": [],
        "terms": Terms(),
    }
    return Asked(**(values | more))


def waiting(cast: Cast, *required: RequiredReview, who: User | Agent | None = None, **more: Any) -> Request:
    with transaction.atomic():
        return services.create_request(asked_by(cast, who, *required, **more))


def approve(cast: Cast, request: Request, who: User, **more: Any) -> Request:
    return services.review(request.pk, cast.principal(who), "approve", "", **more)


def reject(cast: Cast, request: Request, who: User) -> Request:
    return services.review(request.pk, cast.principal(who), "reject", "not like this")
