"""A person's verdict on a request: checked, kept, recorded, and carried out once enough people have agreed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from approvals.agreement import agreed_row_bound
from approvals.asking import terms_of
from approvals.eligibility import Eligibility, may_review, standing_at
from approvals.errors import ReviewRefused
from approvals.models import Request, Review, Verdict
from approvals.moving import lock, move, publish_when_due, record
from approvals.quorum import Standing
from approvals.scheduling import timing
from approvals.settling import needs_run, settle
from approvals.signals import request_noted
from approvals.states import Action
from governance.policy.words import in_words
from identity.principals import Principal

MOST_ROWS = 2**62
MOST_RUNS = 1000
# How far the clocks of two of our own machines may be apart.
SKEW = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Given:
    """What a reviewer sent. `grant` is `{runs, seconds}`: more runs of the same, within so many seconds."""

    verdict: str
    comment: str
    second_factor_at: datetime | None
    row_bound: int | None
    grant: dict[str, int] | None


@transaction.atomic
def review(
    request_id: uuid.UUID,
    reviewer: Principal,
    verdict: str,
    comment: str,
    *,
    second_factor_at: datetime | None = None,
    row_bound: int | None = None,
    grant: Mapping[str, int] | None = None,
    revision: int | None = None,
    door: str = "web",
) -> Request:
    """One rejection rejects; approvals count until every seat of every stage is filled.

    `revision`: the one that the reviewer has seen; None can only be the first. Raises `ReviewRefused`, `UnknownRequest`.
    """
    request = lock(request_id)
    given = Given(verdict, comment.strip(), second_factor_at, row_bound, dict(grant) if grant is not None else None)
    eligibility = may_review(request, reviewer, door)
    if not eligibility.allowed:
        raise ReviewRefused(eligibility.reason)
    _check_revision(request, revision)
    _check(given, request)
    kept = _keep(request, reviewer, given, eligibility)
    if verdict == Verdict.REJECT:
        _note(kept, reviewer)
        move(request, Action.REJECT, actor=reviewer.label, decided_at=timezone.now())
    else:
        _count(request, kept, reviewer)
    return request


def _check_revision(request: Request, seen: int | None) -> None:
    """Nobody approves a text that they may not have seen (P4)."""
    if seen == request.revision or (seen is None and request.revision == 1):
        return
    if seen is None:
        raise ReviewRefused(
            f"It was edited, and is now revision {request.revision}. Read it again, and say with the review which revision you"
            " have read.",
            code="changed-meanwhile",
        )
    raise ReviewRefused("It was edited since you read it: read it again.", code="changed-meanwhile")


# --- What may be given --------------------------------------------------------------------------------------------


def _check(given: Given, request: Request) -> None:
    if given.verdict not in Verdict.values:
        raise ReviewRefused(f"The verdict must be approve or reject, not {given.verdict!r}.", code="invalid")
    if given.verdict == Verdict.REJECT and not given.comment:
        raise ReviewRefused("Say in the comment why it is rejected: whoever asked will read it.", code="invalid")
    if request.kind == Request.Kind.AFTERWARDS and not given.comment:
        raise ReviewRefused("Say in the comment what you looked at and what you found.", code="invalid")
    if given.verdict == Verdict.REJECT and (given.row_bound is not None or given.grant is not None):
        raise ReviewRefused("A bound or a grant belongs to an approval, not to a rejection.", code="invalid")
    if given.row_bound is not None and not 0 <= given.row_bound <= MOST_ROWS:
        raise ReviewRefused("The bound must be a number of rows, 0 or more.", code="invalid")
    if given.grant is not None:
        _check_grant(given.grant, terms_of(request).grantable)
    if given.verdict == Verdict.APPROVE:
        _check_second_factor(given.second_factor_at, terms_of(request).step_up)


def _check_grant(grant: dict[str, int], grantable: int) -> None:
    if not grantable:
        raise ReviewRefused("Policy lets a review of this give one run and no more.", code="invalid")
    if set(grant) != {"runs", "seconds"}:
        raise ReviewRefused("A grant says runs and seconds, and nothing else.", code="invalid")
    if not 1 <= grant["runs"] <= MOST_RUNS:
        raise ReviewRefused(f"A grant gives 1 to {MOST_RUNS} runs.", code="invalid")
    if not 1 <= grant["seconds"] <= grantable:
        raise ReviewRefused(f"Policy lets a grant last {in_words(grantable)} at most.", code="invalid")


def _check_second_factor(shown_at: datetime | None, step_up: int) -> None:
    if not step_up:
        return
    now = timezone.now()
    if shown_at is None or shown_at > now + SKEW or now - shown_at > timedelta(seconds=step_up):
        raise ReviewRefused(
            f"Approving this needs a second factor, shown within the last {in_words(step_up)}. Open the request in the "
            "browser, press Approve and show it there.",
            code="step-up-required",
        )


# --- What it does -------------------------------------------------------------------------------------------------


def _keep(request: Request, reviewer: Principal, given: Given, eligibility: Eligibility) -> Review:
    return Review.objects.create(
        request=request,
        revision=request.revision,
        stage=eligibility.stage,
        reviewer_id=reviewer.id,
        delegated_by=eligibility.speaks_for,
        verdict=given.verdict,
        comment=given.comment,
        row_bound=given.row_bound,
        grant=given.grant,
        second_factor_at=given.second_factor_at,
    )


def _note(kept: Review, reviewer: Principal) -> None:
    absent, shown_at, grant = kept.delegated_by, kept.second_factor_at, kept.grant or {}
    request_noted.send(Request, request=kept.request, event="reviewed")
    record(
        kept.request,
        "review.given",
        # What people write can quote data: it is sealed.
        {"comment": kept.comment} if kept.comment else None,
        actor=reviewer.label,
        review=kept.verdict,
        revision=kept.revision,
        groups=sorted(absent.groups.values_list("name", flat=True) if absent else reviewer.groups),
        delegated_by=f"user:{absent.username}" if absent else None,
        second_factor_at=shown_at.isoformat() if shown_at else None,
        row_bound=kept.row_bound,
        max_uses=grant.get("runs"),
        seconds=grant.get("seconds"),
    )


def _count(request: Request, kept: Review, reviewer: Principal) -> None:
    """Everything is worked out before the first entry: all other writers of the ledger wait from there on."""
    standing = standing_at(request)
    if not standing.is_met:
        _note(kept, reviewer)
        _turn(request, standing)
        return
    columns = _approved(request)
    _note(kept, reviewer)
    move(request, Action.APPROVE, actor=reviewer.label, **columns)
    if needs_run(request):
        publish_when_due(request)
    else:
        settle(request, reviewer.label)


def _approved(request: Request) -> dict[str, Any]:
    now = timezone.now()
    bound = agreed_row_bound(request, request.row_bound)
    columns: dict[str, Any] = {"decided_at": now, "row_bound": bound}
    return columns | timing(request, now) if needs_run(request) else columns


def _turn(request: Request, standing: Standing) -> None:
    if standing.stage != request.stage:
        Request.objects.filter(pk=request.pk).update(stage=standing.stage)
        request.stage = standing.stage
        request_noted.send(Request, request=request, event="stage-opened")
