"""What elevations and broken glass have in common as requests: no statement, yet everything that a request has."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

import orjson
from django.conf import settings

from approvals.asking import Asked
from approvals.grants.errors import GrantInvalid, GrantRefused
from approvals.models import Grant
from audit import ledger
from audit.events import clean_text
from governance.analysis.facts import Risk, RiskPart
from governance.assessment import decision_json, facts_json
from governance.models import DataSource
from governance.policy.decision import Decision
from governance.policy.standing import NOTHING_DONE
from identity.principals import Principal

SHORTEST_REASON = 10
LONGEST_REASON = 2000


def checked_reason(reason: str) -> str:
    """Raises `GrantInvalid`."""
    told = reason.strip()
    if not SHORTEST_REASON <= len(told) <= LONGEST_REASON:
        raise GrantInvalid(
            f"The reason has {len(told):,} characters; {SHORTEST_REASON} to {LONGEST_REASON:,} are needed.",
            remedy="Say what has to be done, and why it cannot be done as usual: whoever looks at it will read it.",
        )
    return told


def checked_minutes(minutes: int, most: int, what: str) -> int:
    """Raises `GrantInvalid`."""
    if not 1 <= minutes <= most:
        raise GrantInvalid(f"{what} lasts from 1 to {most} minutes, not {minutes}.", remedy="Ask for less time.")
    return minutes


def refused(principal: Principal, datasource: DataSource, decision: Decision, *, sort: str, group: str) -> GrantRefused:
    """Recorded before it is told. Outside transactions."""
    ledger.append(
        "grant.refused",
        principal=principal.label,
        owner=principal.owner,
        datasource=datasource.name,
        environment=datasource.environment,
        sort=sort,
        group=group or None,
        policies=list(decision.policies),
        message=clean_text(decision.message),
    )
    return GrantRefused(decision.message, remedy=decision.remedy)


def asked_without_statement(
    holder: Principal,
    datasource: DataSource,
    decision: Decision,
    *,
    kind: str,
    normal: str,
    reason: str,
    expires_in: int,
    asked: dict[str, Any] | None = None,
    grant: Grant | None = None,
) -> Asked:
    risk = _risk(datasource, kind)
    bound = {
        "kind": kind,
        "principal": holder.label,
        "datasource": datasource.name,
        "asked": asked or {},
        "grant": str(grant.pk) if grant is not None else "",
        "reason": reason,
    }
    return Asked(
        requester=holder,
        datasource=datasource,
        sql="",
        params=[],
        normal=normal,
        fingerprint="",
        digest=hashlib.sha256(orjson.dumps(bound, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        purpose=reason,
        on_behalf_of="",
        risk=risk.score,
        risk_parts=[asdict(part) for part in risk.parts],
        facts=facts_json(NOTHING_DONE),
        decision=decision_json(decision, risk),
        required=list(decision.required),
        expires_in=expires_in,
        relations=[],
        terms=decision.terms,
        kind=kind,
        asked=asked or {},
        grant=grant,
    )


RISKS = {
    "elevation": (30, "gives the rights of a group for a while"),
    "afterwards": (50, "ran without a review before it"),
}


def _risk(datasource: DataSource, kind: str) -> Risk:
    points, reason = RISKS[kind]
    parts = [RiskPart(points, reason)]
    if datasource.environment == "prod":
        parts.append(RiskPart(30, "the data source is production"))
    return Risk(sum(part.points for part in parts), tuple(parts))


def most_minutes_elevated() -> int:
    most: int = settings.ELEVATION_MAX_MINUTES
    return most


def most_minutes_of_glass() -> int:
    most: int = settings.BREAK_GLASS_MAX_MINUTES
    return most
