"""Broken glass: in an emergency a person runs at once what would wait for people. It is bounded, everybody hears of it, and
somebody else looks at all of it afterwards: that request neither expires nor can it be withdrawn."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from approvals.asking import create_request
from approvals.grants.asking import (
    asked_without_statement,
    checked_minutes,
    checked_reason,
    most_minutes_of_glass,
    refused,
)
from approvals.grants.bounds import MOST_RUNS
from approvals.grants.errors import GrantInvalid, GrantRefused
from approvals.grants.finding import standing
from approvals.grants.policy import may_break_glass
from approvals.grants.recording import record, sealed
from approvals.models import Grant, Request
from audit.events import clean_text
from governance.datasources import fetch_datasource_for
from governance.models import DataSource
from governance.policy.decision import Decision, RequiredReview, Verdict
from identity.models import User
from identity.principals import Principal, principal_of_user

USUAL_MINUTES = 30
# It must not vanish: long enough that nobody is there to see it end.
NEVER = 100 * 365 * 86_400


def break_glass(
    person: Principal,
    datasource_name: str,
    *,
    reason: str,
    door: str,
    minutes: int | None = None,
    runs: int | None = None,
) -> Grant:
    """Raises `GrantInvalid`, `GrantRefused`, `UnknownDataSource`. Without `minutes`, the usual thirty, or less where less is
    the most."""
    if not person.is_person:
        raise GrantRefused("Agents never break the glass.", remedy="Ask a person, or wait for the review.")
    datasource = fetch_datasource_for(person, datasource_name)
    reason = checked_reason(reason)
    most = most_minutes_of_glass()
    wanted = checked_minutes(min(USUAL_MINUTES, most) if minutes is None else minutes, most, "Broken glass")
    if runs is not None and not 1 <= runs <= MOST_RUNS:
        raise GrantInvalid(f"Runs are 1 to {MOST_RUNS:,}, not {runs}.", remedy="Leave them out, or ask for fewer.")
    decision = may_break_glass(person, datasource, minutes=wanted, reason=reason, door=door)
    if decision.verdict is not Verdict.ALLOW:
        raise refused(person, datasource, decision, sort=Grant.Kind.BREAK_GLASS, group="")
    return _break(person, datasource, reason, wanted, runs, decision)


@transaction.atomic
def _break(
    person: Principal, datasource: DataSource, reason: str, minutes: int, runs: int | None, decision: Decision
) -> Grant:
    # Two at once would be looked at twice, and each would hide how long the whole lasted.
    User.objects.select_for_update(no_key=True).get(pk=person.id)
    mine = Grant.objects.filter(kind=Grant.Kind.BREAK_GLASS, user_id=person.id, datasource=datasource)
    if standing(mine).exists():
        raise GrantInvalid(
            f"You have broken the glass on {datasource.name} already.",
            remedy="Use it, or end it before you do it again.",
        )
    grant = Grant.objects.create(
        kind=Grant.Kind.BREAK_GLASS,
        principal=person.label,
        user_id=person.id,
        owner_id=person.owner_id,
        datasource=datasource,
        required=[asdict(one) for one in decision.required],
        reason=reason,
        max_uses=runs,
        expires_at=timezone.now() + timedelta(minutes=minutes),
    )
    record(
        grant, "glass.broken", "glass-broken", sealed(reason=reason),
        reason=clean_text(reason), policies=list(decision.policies),
    )  # fmt: skip
    return grant


def mend(grant: Grant, *, actor: str) -> Request:
    """Its end, however it came: what was done is put before people. Within the caller's transaction, once."""
    person = principal_of_user(grant.owner)
    required = [RequiredReview(one["group"], one["quorum"], one.get("stage", 1)) for one in grant.required]
    decision = Decision(
        Verdict.REVIEW,
        ("glass-broken",),
        f"{person.name} broke the glass on {grant.datasource.name}. Look at every statement that was run, and say whether"
        " it was right: a comment is needed either way.",
        required=tuple(required),
    )
    runs = f"{grant.uses} statement{'' if grant.uses == 1 else 's'}"
    asked = asked_without_statement(
        person,
        grant.datasource,
        decision,
        kind=Request.Kind.AFTERWARDS,
        normal=f"Look at what {person.name} ran under broken glass on {grant.datasource.name}: {runs}",
        reason=grant.reason,
        expires_in=NEVER,
        grant=grant,
    )
    request = create_request(asked)
    record(grant, "glass.mended", "glass-mended", None, actor=actor, message=f"looked at in request {request.pk}")
    return request
