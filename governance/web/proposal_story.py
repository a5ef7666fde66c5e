"""A proposal's progress and life, as values that a page shows. Pure, apart from the rows that it is given."""

from __future__ import annotations

from collections.abc import Sequence

from governance.models import PolicyProposal, PolicyReview
from governance.web.timeline import Step

State = PolicyProposal.State


ENDS = {
    State.PENDING: ("Waiting for review", "clock", "warn", ""),
    State.ACTIVATED: ("In force", "allow", "good", ""),
    State.WITHDRAWN: ("Withdrawn", "back", "", ""),
    State.EXPIRED: ("Expired: nobody decided in time", "clock", "", ""),
    State.OUTDATED: (
        "Outdated",
        "drift",
        "warn",
        "Another set was activated meanwhile; it would have to be made again.",
    ),
}


def steps_of(proposal: PolicyProposal, reviews: Sequence[PolicyReview]) -> list[Step]:
    asked = Step("Proposed", "dot", at=proposal.created_at, by=proposal.author_name, text=proposal.comment)
    return [asked, *map(_review, reviews), *_end(proposal)]


def _review(review: PolicyReview) -> Step:
    approved = review.verdict == PolicyReview.Verdict.APPROVE
    return Step(
        "Approved" if approved else "Rejected",
        "allow" if approved else "deny",
        "good" if approved else "bad",
        review.created_at,
        f"user:{review.reviewer.username}",
        review.comment,
    )


def _end(proposal: PolicyProposal) -> list[Step]:
    """A rejection tells itself, by the review that made it."""
    if proposal.state == State.REJECTED:
        return []
    title, icon, tone, text = ENDS[State(proposal.state)]
    if proposal.version:
        title = f"{title} as version {proposal.version}"
    return [Step(title, icon, tone, proposal.decided_at, text=text)]
