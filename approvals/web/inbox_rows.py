"""The rows of the inbox: what a reviewer sees of a request at a glance. The number of queries is the same for any page."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from approvals.eligibility import voices_of
from approvals.impact.access import may_see_estimates, may_see_impact
from approvals.models import Impact, Request
from approvals.parties import patterns_of
from approvals.progress import Progress, progress_of, standings_of, with_reviews
from approvals.states import OPEN, State
from approvals.story import headline_of
from identity.principals import Principal

# Sealed, or only for the request's own page.
_LEFT_OUT = ("sql", "params", "outcome", "risk_parts", "drift", "impact__content", "impact__problem")


@dataclass(frozen=True, slots=True)
class Badge:
    word: str
    icon: str
    tone: str = "neutral"
    title: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """`decidable`: the viewer may review it now. `stays`: it still belongs where it is shown."""

    request: Request
    headline: str
    progress: Progress
    impact: str
    badges: tuple[Badge, ...]
    decidable: bool
    stays: bool = True

    @property
    def is_open(self) -> bool:
        return self.request.state in OPEN

    @property
    def waits(self) -> bool:
        return self.request.state == State.PENDING

    @property
    def version(self) -> str:
        """Another one as soon as anything that the row shows is another."""
        request = self.request
        shown = (
            request.state, request.revision, request.expires_at, request.risk, self.headline, self.progress, self.impact,
            self.badges, self.decidable, self.stays,
        )  # fmt: skip
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:10]


def for_rows(requests: QuerySet[Request]) -> QuerySet[Request]:
    return with_reviews(
        requests.prefetch_related(None).select_related("impact", "datasource", "owner").defer(*_LEFT_OUT)
    )


def rows_of(
    requests: Sequence[Request], viewer: Principal, waiting: Q, staying: Iterable[uuid.UUID] | None = None
) -> list[Row]:
    """Of requests fetched `for_rows`. `waiting`: which wait for the viewer; `staying`: those that still belong in the list,
    where not all do."""
    shown = [request.pk for request in requests]
    decidable = set(Request.objects.filter(waiting, pk__in=shown).values_list("pk", flat=True))
    stays = set(shown if staying is None else staying)
    standings = standings_of(requests)
    seen = _impacts(requests, viewer)
    return [
        Row(
            request=request,
            headline=headline_of(request),
            progress=progress_of(standings[request.pk]),
            impact=_in_brief(request, estimated=seen[request.pk]) if request.pk in seen else "",
            badges=tuple(_badges(request, viewer)),
            decidable=request.pk in decidable,
            stays=request.pk in stays,
        )
        for request in requests
    ]


def _impacts(requests: Sequence[Request], viewer: Principal) -> dict[uuid.UUID, bool]:
    """Those whose impact is known, or being worked out, and the viewer may know; and whether that goes for estimates too."""
    groups = {group for voice in voices_of(viewer) for group in voice.groups}
    patterns = patterns_of([viewer.id])
    having = [request for request in requests if hasattr(request, "impact")]
    return {
        one.pk: may_see_estimates(one, viewer, patterns=patterns)
        for one in having
        if may_see_impact(one, viewer, groups=groups, patterns=patterns)
    }


def _in_brief(request: Request, *, estimated: bool) -> str:
    """`15 of 60 rows`"""
    impact: Impact = request.impact
    match impact.state:
        case Impact.State.MEASURED if impact.rows is not None:
            of = f" of {impact.table_rows:,}" if impact.table_rows is not None else ""
            return f"{impact.rows:,}{of} {'row' if impact.rows == 1 and not of else 'rows'}"
        case Impact.State.MEASURED | Impact.State.UNMEASURED if estimated and impact.estimated_rows is not None:
            return f"about {impact.estimated_rows:,} rows"
        case Impact.State.UNMEASURED:
            return "not measured"
    return "being measured" if request.state == State.PENDING else ""


def _badges(request: Request, viewer: Principal) -> Iterable[Badge]:
    if request.kind == Request.Kind.ELEVATION:
        yield Badge("Elevation", "key", "accent")
    if request.kind == Request.Kind.AFTERWARDS:
        yield Badge("Broken glass", "failed", "deny")
    if request.follows_id:
        yield Badge(
            "Asked again", "drift", "review", "It was approved before, and what it was approved for had changed."
        )
    if request.reverts_id:
        yield Badge("Takes back", "back", "neutral", "It restores what an earlier request changed.")
    mine = {review.revision for review in request.reviews.all() if review.reviewer_id == viewer.id}
    if mine and request.revision not in mine:
        yield Badge(
            "Edited since you reviewed", "edit", "review", "Your review was of an earlier text and counts no more."
        )
    if request.state == State.PENDING and request.terms.get("step_up"):
        yield Badge("Second factor", "lock", "neutral", "Whoever approves shows a second factor.")
