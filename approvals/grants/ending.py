"""How a grant ends or becomes less: cut down, revoked, given up, run out. It never becomes more."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from approvals.grants import emergency, holding
from approvals.grants.errors import GrantInvalid, GrantOver, GrantRefused, UnknownGrant
from approvals.grants.finding import Status, fetch_grant_for, may_cut, may_end, status_of, tells_of_masked_values
from approvals.grants.recording import record, sealed
from approvals.models import Grant, Request
from approvals.moving import record as record_request
from approvals.signals import request_noted
from approvals.states import State
from identity.principals import Principal
from identity.revocations import announce_end

REMIND_AFTER = timedelta(days=1)
MOST_AT_ONCE = 500


@transaction.atomic
def narrow(
    grant_id: uuid.UUID,
    principal: Principal,
    *,
    max_uses: int | None = None,
    expires_at: datetime | None = None,
    row_bound: int | None = None,
    comment: str = "",
) -> Grant:
    """Fewer runs, an earlier end, fewer rows; what is None stays. Raises `UnknownGrant`, `GrantRefused`, `GrantInvalid`,
    `GrantOver`."""
    grant = _locked(grant_id, principal)
    if not may_cut(grant, principal):
        raise GrantRefused("Only who gave it, its owner and administrators cut it down.", remedy="Ask one of them.")
    _require_standing(grant)
    if row_bound is not None:
        _require_bound_open(grant, principal)
    changes = _changes(grant, max_uses=max_uses, expires_at=expires_at, row_bound=row_bound)
    before = {name: getattr(grant, name) for name in changes}
    Grant.objects.filter(pk=grant.pk).update(**changes)
    grant.refresh_from_db()
    told = [
        f"{name}: cut down" if name == "row_bound" and tells_of_masked_values(grant)
        else f"{name}: {_told(before[name])} to {_told(value)}"
        for name, value in changes.items()
    ]  # fmt: skip
    record(grant, "grant.narrowed", "narrowed", sealed(comment=comment), actor=principal.label, changes=told)
    return grant


def _require_bound_open(grant: Grant, principal: Principal) -> None:
    """What is refused and what is taken tells, one question at a time, how many rows were counted: nobody asks who may not
    know that."""
    owners = {grant.owner_id, grant.agent.owner_id if grant.agent is not None else grant.owner_id}
    if principal.id in owners and tells_of_masked_values(grant):
        raise GrantRefused(
            "How many rows it may change tells of masked values, so whoever gave it cuts that down.",
            remedy="Give fewer runs or an earlier end, or revoke it.",
        )


def _changes(grant: Grant, **wanted: Any) -> dict[str, Any]:
    changes = {name: value for name, value in wanted.items() if value is not None and value != getattr(grant, name)}
    if not changes:
        raise GrantInvalid("Nothing would change.", remedy="Give fewer runs, an earlier end or a lower row bound.")
    for name, value in changes.items():
        least, most = _limits(grant)[name]
        if value < least or (most is not None and value > most):
            raise GrantInvalid(
                f"{_WORDS[name]} can be cut down from {_told(most)} to {_told(least)} at least, not changed to {_told(value)}.",
                remedy="A grant is only ever cut down. For more, a new review is needed.",
            )
    if "row_bound" in changes and grant.kind != Grant.Kind.STATEMENT:
        raise GrantInvalid("Only a grant of one statement has a bound on rows.", remedy="Leave it out.")
    return changes


_WORDS = {"max_uses": "The number of runs", "expires_at": "The end", "row_bound": "The bound on rows"}


def _limits(grant: Grant) -> dict[str, tuple[Any, Any]]:
    """As low as one can go, and what it is now."""
    return {
        "max_uses": (max(grant.uses, 1), grant.max_uses),
        "expires_at": (timezone.now(), grant.expires_at),
        "row_bound": (0, grant.row_bound),
    }


def _told(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return "unlimited" if value is None else str(value)


@transaction.atomic
def revoke(grant_id: uuid.UUID, principal: Principal, comment: str = "") -> Grant:
    """At once, and what runs under it is broken off (P8). By those who may cut it down, and by whoever has it. Raises
    `UnknownGrant`, `GrantRefused`, `GrantOver`."""
    grant = _locked(grant_id, principal)
    if not may_end(grant, principal):
        raise GrantRefused(
            "Only who gave it, its owner, its holder and administrators end it.", remedy="Ask one of them."
        )
    if grant.revoked_at is not None:
        raise GrantOver("It has been revoked already.")
    # What has run out may still be running.
    now = timezone.now()
    first_end = grant.closed_at is None
    Grant.objects.filter(pk=grant.pk).update(
        revoked_at=now, revoked_by=principal.label, closed_at=now if first_end else F("closed_at")
    )
    grant.refresh_from_db()
    holding.forget()
    transaction.on_commit(lambda: announce_end("grant", grant.pk))
    if first_end and grant.kind == Grant.Kind.BREAK_GLASS:
        emergency.mend(grant, actor=principal.label)
    record(grant, "grant.revoked", "revoked", sealed(comment=comment), actor=principal.label)
    return grant


def _locked(grant_id: uuid.UUID, principal: Principal) -> Grant:
    fetch_grant_for(principal, grant_id)
    locked = Grant.objects.select_for_update(no_key=True, of=["self"]).select_related(
        "datasource", "owner", "agent", "request"
    )
    grant = locked.filter(pk=grant_id).first()
    if grant is None:
        raise UnknownGrant("It is gone.")
    return grant


def _require_standing(grant: Grant) -> None:
    status = status_of(grant)
    if status is not Status.STANDING:
        words = {
            Status.REVOKED: "It has been revoked.",
            Status.EXPIRED: "Its time is over.",
            Status.USED_UP: "It is used up.",
        }
        raise GrantOver(words[status], remedy="Nothing runs under it any more.")


# --- By schedule --------------------------------------------------------------------------------------------------


def close_ended() -> int:
    """Notes the end of those that ran out, and has people look at broken glass. Returns how many."""
    over = Q(expires_at__lte=timezone.now()) | Q(max_uses__isnull=False, uses__gte=F("max_uses"))
    due = Grant.objects.filter(over, closed_at__isnull=True)
    return sum(_close(pk) for pk in due.values_list("pk", flat=True)[:MOST_AT_ONCE])


@transaction.atomic
def _close(pk: uuid.UUID) -> bool:
    locked = Grant.objects.select_for_update(no_key=True, skip_locked=True, of=["self"]).select_related(
        "datasource", "owner"
    )
    grant = locked.filter(pk=pk, closed_at__isnull=True).first()
    if grant is None:
        return False
    Grant.objects.filter(pk=pk).update(closed_at=timezone.now())
    if grant.kind == Grant.Kind.BREAK_GLASS:
        emergency.mend(grant, actor="Countersign")
    record(grant, "grant.ended", "ended", None, message=status_of(grant).value)
    return True


def remind_of_glass() -> int:
    """Each day, as long as nobody has looked at what was done under broken glass. Returns how many."""
    long_ago = timezone.now() - REMIND_AFTER
    waiting = Request.objects.filter(kind=Request.Kind.AFTERWARDS, state=State.PENDING)
    due = waiting.filter(Q(reminded_at__lte=long_ago) | Q(reminded_at__isnull=True, created_at__lte=long_ago))
    return sum(_remind(pk, long_ago) for pk in due.values_list("pk", flat=True)[:MOST_AT_ONCE])


@transaction.atomic
def _remind(pk: uuid.UUID, long_ago: datetime) -> bool:
    locked = Request.objects.select_for_update(no_key=True, skip_locked=True, of=["self"]).select_related(
        "owner", "datasource"
    )
    request = locked.filter(pk=pk, state=State.PENDING).first()
    if request is None or (request.reminded_at is not None and request.reminded_at > long_ago):
        return False
    request.reminded_at = timezone.now()
    request.save(update_fields=["reminded_at"])
    request_noted.send(Request, request=request, event="reminded")
    record_request(request, "request.reminded", lacking=sorted(one["group"] for one in request.required))
    return True
