"""To count as a member of a group for a while, for the statements on one data source: asked for with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from approvals.asking import create_request
from approvals.grants.asking import (
    asked_without_statement,
    checked_minutes,
    checked_reason,
    most_minutes_elevated,
    refused,
)
from approvals.grants.errors import GrantInvalid, GrantRefused
from approvals.grants.giving import give_by_policy
from approvals.grants.holding import held
from approvals.grants.policy import may_be_elevated
from approvals.models import Grant, Request
from governance.datasources import fetch_datasource_for
from governance.models import DataSource
from governance.policy.decision import Decision, Verdict
from governance.policy.words import in_words
from identity.models import Agent
from identity.principals import Principal, principal_of_agent


@dataclass(frozen=True, slots=True)
class Elevated:
    """What became of it: `request` waits for people, or `grant` was given by a permit without a review."""

    request: Request | None = None
    grant: Grant | None = None


def request_elevation(
    principal: Principal, datasource_name: str, group: str, *, minutes: int, reason: str, door: str, agent: str = ""
) -> Elevated:
    """For oneself, or for an agent that one owns (`agent`). Raises `GrantInvalid`, `GrantRefused`, `UnknownDataSource`."""
    holder = _holder(principal, agent)
    datasource = fetch_datasource_for(principal, datasource_name)
    reason = checked_reason(reason)
    checked_minutes(minutes, most_minutes_elevated(), "An elevation")
    _check_group(holder, datasource, group)
    decision = may_be_elevated(holder, datasource, group, minutes=minutes, reason=reason, door=door)
    if decision.verdict is Verdict.DENY:
        raise refused(holder, datasource, decision, sort=Grant.Kind.ELEVATION, group=group)
    if decision.verdict is Verdict.REVIEW:
        return Elevated(request=_park(holder, datasource, group, minutes, reason, decision))
    return Elevated(grant=_give(holder, datasource, group, minutes, reason, decision))


def _holder(principal: Principal, agent: str) -> Principal:
    if not agent or (not principal.is_person and agent == principal.name):
        return principal
    owned = Agent.objects.select_related("owner").filter(name=agent, owner_id=principal.id, is_active=True).first()
    if not principal.is_person or owned is None:
        raise GrantRefused(
            f"You can ask for yourself and for your own agents; {agent!r} is none of them.",
            remedy="Have its owner ask, or the agent itself.",
        )
    return principal_of_agent(owned)


def _check_group(holder: Principal, datasource: DataSource, group: str) -> None:
    if "\x00" in group or not Group.objects.filter(name=group).exists():
        raise GrantInvalid(f"There is no group {group[:150]!r}.", remedy="Ask for a group that policies name.")
    if group in holder.groups:
        raise GrantInvalid(f"{holder.name} is in group {group} anyway.", remedy="Nothing needs to be asked for.")
    if held(holder, datasource, Grant.Kind.ELEVATION).filter(group=group).exists():
        raise GrantInvalid(
            f"{holder.name} counts as a member of {group} on {datasource.name} already.",
            remedy="Ask again when that has ended.",
        )


def _park(
    holder: Principal, datasource: DataSource, group: str, minutes: int, reason: str, decision: Decision
) -> Request:
    span = in_words(minutes * 60)
    asked = asked_without_statement(
        holder,
        datasource,
        decision,
        kind=Request.Kind.ELEVATION,
        normal=f"Count as a member of group {group} on {datasource.name} for {span}",
        reason=reason,
        expires_in=decision.expires_in,
        asked={"group": group, "seconds": minutes * 60},
    )
    with transaction.atomic():
        return create_request(asked)


@transaction.atomic
def _give(
    holder: Principal, datasource: DataSource, group: str, minutes: int, reason: str, decision: Decision
) -> Grant:
    grant = Grant(
        kind=Grant.Kind.ELEVATION,
        principal=holder.label,
        user_id=holder.id if holder.is_person else None,
        agent_id=None if holder.is_person else holder.id,
        owner_id=holder.owner_id,
        datasource=datasource,
        group=group,
        reason=reason,
        expires_at=timezone.now() + timedelta(minutes=minutes),
    )
    return give_by_policy(grant, decision.policies)
