"""What time does to requests: reminders, escalation, expiry. Each happens once, each is an entry, and each is told."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.utils import timezone

from approvals.asking import terms_of
from approvals.eligibility import standing_at
from approvals.models import Request, Review, Verdict
from approvals.moving import move, record
from approvals.quorum import Demand, Standing
from approvals.signals import request_noted
from approvals.states import Action, State, sources

# How many are looked at in one go; what is left over comes with the next.
AT_ONCE = 500
_ESCALATES = "$[*] ? (@.escalate_after > 0 && !(@.escalated == true))"


def expire_due() -> int:
    """Ends what nobody decided, or ran, in time. Returns how many."""
    due = Request.objects.filter(state__in=sources(Action.EXPIRE), expires_at__lte=timezone.now())
    return _each(due.order_by("expires_at"), _expire)


def remind_due() -> int:
    """Those who have not decided are told again. Returns of how many requests."""
    return _each(_waiting().filter(terms__remind_after__gt=0, reminded_at__isnull=True), _remind)


def escalate_due() -> int:
    """Others may stand in where a group has not decided in time. Returns for how many requests."""
    escalates = Func(F("required"), Value(_ESCALATES), function="jsonb_path_exists", output_field=BooleanField())
    escalates.template = "%(function)s(%(expressions)s::jsonpath)"
    return _each(_waiting().annotate(escalates=escalates).filter(escalates=True), _escalate)


def _waiting() -> QuerySet[Request]:
    return Request.objects.filter(state=State.PENDING, expires_at__gt=timezone.now()).order_by("created_at")


def _each(found: QuerySet[Request], act: Callable[[Request, datetime], bool]) -> int:
    return sum(_one(pk, act) for pk in found.values_list("pk", flat=True)[:AT_ONCE])


@transaction.atomic
def _one(pk: uuid.UUID, act: Callable[[Request, datetime], bool]) -> bool:
    """Under the row's lock; one that somebody else is at is left to the next time."""
    rows = Request.objects.select_for_update(no_key=True, skip_locked=True, of=["self"])
    request = rows.select_related("agent", "owner", "datasource", "grant").filter(pk=pk).first()
    return request is not None and act(request, timezone.now())


def _expire(request: Request, now: datetime) -> bool:
    if request.state not in sources(Action.EXPIRE) or request.expires_at > now:
        return False
    move(request, Action.EXPIRE, finished_at=now)
    return True


def _remind(request: Request, now: datetime) -> bool:
    due = asked_at(request) + timedelta(seconds=terms_of(request).remind_after)
    if request.state != State.PENDING or request.reminded_at is not None or due > now:
        return False
    standing = standing_at(request)
    request.reminded_at = now
    request.save(update_fields=["reminded_at"])
    request_noted.send(Request, request=request, event="reminded")
    record(request, "request.reminded", lacking=told(standing))
    return True


def _escalate(request: Request, now: datetime) -> bool:
    standing = standing_at(request)
    due = [demand for demand, _ in standing.unfilled if _is_late(request, demand, standing, now)]
    if request.state != State.PENDING or not due:
        return False
    late = {(demand.review.group, demand.stage) for demand in due}
    request.required = [
        {**one, "escalated": True} if (one["group"], one.get("stage", 1)) in late else one for one in request.required
    ]
    request.escalated_at = now
    request.save(update_fields=["required", "escalated_at"])
    request_noted.send(Request, request=request, event="escalated")
    groups = sorted({demand.review.escalate_to for demand in due})
    record(request, "request.escalated", lacking=told(standing), groups=groups)
    return True


def _is_late(request: Request, demand: Demand, standing: Standing, now: datetime) -> bool:
    if demand.escalated or not demand.review.escalate_to:
        return False
    return _opened_at(request, standing.stage) + timedelta(seconds=demand.review.escalate_after) <= now


def asked_at(request: Request) -> datetime:
    """When it was asked for as it is now."""
    newest = request.revisions.filter(number=request.revision).values_list("created_at", flat=True).first()
    return newest or request.created_at


def _opened_at(request: Request, stage: int) -> datetime:
    """When the stage's turn came: with the last approval of an earlier one."""
    earlier = Review.objects.filter(Q(stage__lt=stage), request=request, revision=request.revision)
    last = earlier.filter(verdict=Verdict.APPROVE).order_by("-created_at").values_list("created_at", flat=True).first()
    return last or asked_at(request)


def told(standing: Standing) -> Iterable[str]:
    return [f"{count} of {group}" for group, count in sorted(standing.lacking.items())]
