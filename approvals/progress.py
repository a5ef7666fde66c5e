"""How far requests have come, many at once: the number of queries does not grow with theirs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from approvals.eligibility import standing_by
from approvals.models import Request, Review
from approvals.parties import patterns_of
from approvals.quorum import Standing


@dataclass(frozen=True, slots=True)
class Progress:
    """Seats filled and needed over all stages; `waited_for` is who is lacking in the stage whose turn it is: `1 of dba`."""

    given: int
    needed: int
    waited_for: tuple[str, ...]
    stage: int
    stages: int

    @property
    def seats(self) -> list[bool]:
        return [number < self.given for number in range(self.needed)]


def with_reviews(requests: QuerySet[Request]) -> QuerySet[Request]:
    """What `standings_of` reads, fetched at once for all of them."""
    reviews = Review.objects.order_by("created_at", "pk").select_related("reviewer", "delegated_by")
    reviews = reviews.prefetch_related("reviewer__groups", "delegated_by__groups")
    return requests.select_related("agent", "grant").prefetch_related(Prefetch("reviews", reviews))


def standings_of(requests: Sequence[Request]) -> dict[uuid.UUID, Standing]:
    """Of requests fetched `with_reviews`: who has been heard and who is lacking, by the groups that people are in now."""
    given = {request.pk: [r for r in request.reviews.all() if r.revision == request.revision] for request in requests}
    people = {one for reviews in given.values() for r in reviews for one in (r.reviewer_id, r.delegated_by_id) if one}
    patterns = patterns_of(people)
    return {request.pk: standing_by(request, given[request.pk], patterns) for request in requests}


def progress_of(standing: Standing) -> Progress:
    stages = sorted({demand.stage for demand in standing.demands})
    return Progress(
        given=sum(standing.given),
        needed=sum(demand.review.quorum for demand in standing.demands),
        waited_for=tuple(f"{count} of {demand.review.group}" for demand, count in standing.unfilled),
        stage=1 + sum(stage < standing.stage for stage in stages),
        stages=len(stages),
    )
