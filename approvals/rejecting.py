"""Several requests rejected with one comment: each by itself, under the checks of any review. There is no such thing for
approving: an approval is of something that was read."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from approvals.errors import ReviewRefused, UnknownRequest
from approvals.models import Verdict
from approvals.moving import LostRace
from approvals.reviewing import review
from approvals.states import ImpossibleTransition
from audit.ledger import LedgerUnavailable
from identity.principals import Principal

# A page of the inbox, several times over; what is rejected is to be looked through first.
MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Chosen:
    """A request, and the revision of it that was looked at."""

    request_id: uuid.UUID
    revision: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """`why` it was not rejected; empty where it was."""

    request_id: uuid.UUID
    why: str = ""


def reject_each(reviewer: Principal, chosen: Sequence[Chosen], comment: str, *, door: str = "web") -> list[Outcome]:
    """In their order, each in a transaction of its own. Once the ledger cannot record, the rest is not tried."""
    outcomes: list[Outcome] = []
    for one in chosen:
        try:
            review(one.request_id, reviewer, Verdict.REJECT, comment, revision=one.revision, door=door)
        except ReviewRefused as refusal:
            outcomes.append(Outcome(one.request_id, refusal.message))
        except UnknownRequest:
            outcomes.append(Outcome(one.request_id, "There is no such request that you may see."))
        except (LostRace, ImpossibleTransition):
            outcomes.append(Outcome(one.request_id, "Somebody else decided it in the same moment."))
        except LedgerUnavailable as error:
            rest = chosen[len(outcomes) :]
            return outcomes + [Outcome(left.request_id, f"Not recorded, so not rejected: {error}.") for left in rest]
        else:
            outcomes.append(Outcome(one.request_id))
    return outcomes
