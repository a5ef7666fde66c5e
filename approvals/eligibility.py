"""Who may review a request, and which approvals it still lacks (P5, in one place, for every door)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from approvals.models import Request, Review, Verdict
from approvals.quorum import missing
from approvals.states import State
from governance.policy.decision import RequiredReview
from identity.principals import Principal


@dataclass(frozen=True, slots=True)
class Eligibility:
    allowed: bool
    reason: str = ""


def may_review(request: Request, principal: Principal) -> Eligibility:
    """P5, in one place, for every door. Administrators are not excepted."""
    if not principal.is_person:
        return Eligibility(False, "Agents never review: a person must.")
    if principal.id in owners_of(request):
        who = f"you own {request.agent}, which asked for this" if request.agent else "you asked for this yourself"
        return Eligibility(False, f"You cannot review it, since {who}. Somebody else must.")
    if request.state != State.PENDING:
        return Eligibility(False, f"It is {request.state}: there is nothing to review.")
    if request.expires_at <= timezone.now():
        return Eligibility(False, "It has expired; it would have to be asked again.")
    groups = [one["group"] for one in request.required]
    if not principal.groups.intersection(groups):
        return Eligibility(False, f"Only members of {', '.join(groups)} can review it.")
    if any(review.reviewer_id == principal.id for review in request.reviews.all()):
        return Eligibility(False, "You have already reviewed it.")
    return Eligibility(True)


def owners_of(request: Request) -> set[int]:
    """Who answered for it when it was asked, and who answers for the agent now."""
    return {request.owner_id, request.agent.owner_id} if request.agent else {request.owner_id}


def lacking(request: Request) -> dict[str, int]:
    """Approvals that are still missing, by group. Groups are those that the reviewers are in now."""
    approvals = {
        review.reviewer.username: frozenset(review.reviewer.groups.values_list("name", flat=True))
        for review in Review.objects.filter(request=request, verdict=Verdict.APPROVE).select_related("reviewer")
        if review.reviewer.is_active
    }
    return missing([RequiredReview(one["group"], one["quorum"]) for one in request.required], approvals)


def reviewers_of(request: Request) -> Iterable[Review]:
    return request.reviews.select_related("reviewer").all()
