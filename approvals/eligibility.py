"""Who may review a request, and which approvals it still lacks (P5, in one place, for every door)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils import timezone

from approvals.absences import standing_in_for
from approvals.models import Request, Review, Verdict
from approvals.parties import owners_of, party_to, why_party
from approvals.quorum import Approval, Demand, Standing, demands_of, standing_of
from approvals.states import State
from governance.models import DataSource
from governance.policy import store as policy_store
from governance.policy.approving import decide_reviewing, reviewing_question
from governance.policy.decision import RequiredReview
from governance.policy.decision import Verdict as Ruling
from identity.models import User
from identity.principals import Principal, principal_of_user

__all__ = [
    "Eligibility",
    "lacking",
    "may_review",
    "owners_of",
    "party_to",
    "required_of",
    "reviewers_of",
    "standing_at",
    "voices_of",
    "why_barred",
    "why_party",
]


@dataclass(frozen=True, slots=True)
class Eligibility:
    """`speaks_for`: the absent person by whose groups this review would count; None: by the reviewer's own."""

    allowed: bool
    reason: str = ""
    speaks_for: User | None = None
    stage: int = 1


@dataclass(frozen=True, slots=True)
class Voice:
    """By whose authority somebody can speak: their own (`absent` None), or that of somebody who is away."""

    authority: int
    groups: frozenset[str]
    absent: User | None = None


def may_review(request: Request, principal: Principal, door: str = "web") -> Eligibility:
    """P5, in one place, for every door. Administrators are not excepted."""
    if not principal.is_person:
        return Eligibility(False, "Agents never review: a person must.")
    if why := why_party(request, principal.id):
        return Eligibility(False, f"You cannot review it, since {why}. Somebody else must.")
    if request.state != State.PENDING:
        return Eligibility(False, f"It is {request.state}: there is nothing to review.")
    if request.expires_at <= timezone.now():
        return Eligibility(False, "It has expired; it would have to be asked again.")
    given = _reviews(request)
    if any(review.reviewer_id == principal.id for review in given):
        return Eligibility(False, "You have already reviewed it.")
    if why := why_barred(request.datasource, principal, door):
        return Eligibility(False, why)
    return _as_a_voice(request, principal, given, door)


def _as_a_voice(request: Request, principal: Principal, given: list[Review], door: str) -> Eligibility:
    approvals = _approvals(request, given)
    standing = standing_of(demands_of(request.required), approvals)
    voices = [
        voice for voice in voices_of(principal) if voice.absent is None or _may_speak(voice.absent, request, door)
    ]
    fitting = [voice for voice in voices if _fits(voice, standing.open_demands)]
    if not fitting:
        return Eligibility(False, _not_yours(voices, standing))
    spoken = {review.delegated_by_id or review.reviewer_id: review for review in given}
    free = [voice for voice in fitting if voice.authority not in spoken]
    if not free:
        return Eligibility(False, _spoken(fitting[0], spoken[fitting[0].authority]))
    chosen = next((voice for voice in free if _fills(voice, standing, approvals)), free[0])
    return Eligibility(True, speaks_for=chosen.absent, stage=standing.stage)


def voices_of(principal: Principal) -> list[Voice]:
    """Their own first, then those of the people for whom they stand in."""
    absent = standing_in_for(principal.id) if principal.is_person else []
    return [Voice(principal.id, principal.groups), *(Voice(one.pk, _groups(one), one) for one in absent)]


def _may_speak(absent: User, request: Request, door: str) -> bool:
    """Standing in gives no more than the absent person has."""
    return not why_party(request, absent.pk) and not why_barred(request.datasource, principal_of_user(absent), door)


def why_barred(datasource: DataSource, principal: Principal, door: str = "web") -> str:
    """What policy says against this person's reviewing on the data source; empty where nothing does."""
    question = reviewing_question(
        principal.name,
        principal.groups,
        is_administrator=principal.is_administrator,
        datasource=datasource.name,
        environment=datasource.environment,
        door=door,
        now=timezone.now(),
    )
    decision = decide_reviewing(policy_store.active(), question)
    return (
        ""
        if decision.verdict is Ruling.ALLOW
        else f"Policy keeps you from reviewing on {datasource}: {decision.message}"
    )


def _fits(voice: Voice, demands: Iterable[Demand]) -> bool:
    return any(not demand.open_to.isdisjoint(voice.groups) for demand in demands)


def _fills(voice: Voice, standing: Standing, approvals: list[Approval]) -> bool:
    """Would it fill a seat that is still empty?"""
    more = standing_of(standing.demands, [*approvals, Approval(voice.authority, voice.groups, standing.stage)])
    return sum(more.given) > sum(standing.given)


def _not_yours(voices: list[Voice], standing: Standing) -> str:
    later = [demand for demand in standing.demands if demand.stage > standing.stage]
    mine = [demand.stage for demand in later for voice in voices if not demand.open_to.isdisjoint(voice.groups)]
    if mine:
        waited_for = " and ".join(f"{count} of {demand.review.group}" for demand, count in standing.unfilled)
        has = "have" if sum(count for _, count in standing.unfilled) > 1 else "has"
        return f"Stage {min(mine)} opens once {waited_for} {has} approved."
    groups = sorted({group for demand in standing.demands for group in demand.open_to})
    return f"Only members of {', '.join(groups)} can review it."


def _spoken(voice: Voice, review: Review) -> str:
    if voice.absent is None:
        return f"{review.reviewer} has already reviewed it in your place, while you were away."
    return f"{voice.absent}, for whom you would speak, has already been heard: {review.reviewer} reviewed it."


# --- What was approved --------------------------------------------------------------------------------------------


def required_of(request: Request) -> list[RequiredReview]:
    return [demand.review for demand in demands_of(request.required)]


def standing_at(request: Request) -> Standing:
    """Who has been heard and who is lacking, by the groups that people are in now."""
    return standing_by(request, _reviews(request))


def standing_by(request: Request, reviews: Iterable[Review], patterns: Mapping[int, str] | None = None) -> Standing:
    """The same by reviews that are at hand already; `patterns` as in `approvals.parties.why_party`."""
    return standing_of(demands_of(request.required), _approvals(request, reviews, patterns))


def lacking(request: Request) -> dict[str, int]:
    """Approvals that are still missing, by group. Groups are those that the reviewers are in now."""
    return standing_at(request).lacking


def reviewers_of(request: Request) -> Iterable[Review]:
    """Those of the revision as it is now."""
    found = request.reviews.filter(revision=request.revision)
    return found.select_related("reviewer", "delegated_by").order_by("created_at", "pk")


def _reviews(request: Request) -> list[Review]:
    found = Review.objects.filter(request=request, revision=request.revision).order_by("created_at", "pk")
    related = ("reviewer__groups", "delegated_by__groups")
    return list(found.select_related("reviewer", "delegated_by").prefetch_related(*related))


def _approvals(
    request: Request, reviews: Iterable[Review], patterns: Mapping[int, str] | None = None
) -> list[Approval]:
    """Those that count: of people whose accounts are open, and who are no party to it."""
    counted = []
    for review in reviews:
        spoken_for = review.delegated_by or review.reviewer
        people = {review.reviewer, spoken_for}
        if review.verdict != Verdict.APPROVE or not all(one.is_active for one in people):
            continue
        if not any(why_party(request, one.pk, patterns) for one in people):
            counted.append(Approval(spoken_for.pk, _groups(spoken_for), review.stage))
    return counted


def _groups(user: User) -> frozenset[str]:
    return frozenset(group.name for group in user.groups.all())
