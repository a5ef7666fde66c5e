"""A proposal's progress and life, as values that a page shows. Pure, apart from the rows that it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.models import PolicyProposal, PolicyReview

State = PolicyProposal.State


@dataclass(frozen=True, slots=True)
class Seats:
    """How far one required group has come. `seats` has one truth value for each person who is needed."""

    group: str
    quorum: int
    given: int

    @property
    def seats(self) -> list[bool]:
        return [number < self.given for number in range(self.quorum)]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline; `icon` and `tone` are names of the design system."""

    title: str
    icon: str
    tone: str = ""
    at: datetime | None = None
    by: str = ""
    text: str = ""


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


def seats_of(required: Iterable[Mapping[str, Any]], lacking: Mapping[str, int]) -> list[Seats]:
    """`lacking`: how many approvals each group still needs."""
    return [Seats(one["group"], one["quorum"], one["quorum"] - lacking.get(one["group"], 0)) for one in required]


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
