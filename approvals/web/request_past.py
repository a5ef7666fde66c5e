"""What was asked for before: the same or the like, and how whoever asks has fared. The number of queries does not grow."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from approvals import services
from approvals.models import Request, Verdict
from approvals.states import State
from identity.principals import Principal

SHOWN = 5
# Of the same requester, so many are compared by what they touch.
COMPARED = 200
PERIOD = timedelta(days=90)
AGREED = (State.APPROVED, State.EXECUTING, State.EXECUTED, State.FAILED, State.UNKNOWN, State.DRIFTED)
_LEFT_OUT = ("sql", "params", "facts", "decision", "risk_parts", "outcome", "bound", "purpose")


@dataclass(frozen=True, slots=True)
class Earlier:
    """`same`: the same statement but for its constants; else it touches the same relations in the same way."""

    request: Request
    same: bool

    @property
    def deciders(self) -> str:
        """Who decided, in their order."""
        rejected = self.request.state == State.REJECTED
        wanted = Verdict.REJECT if rejected else Verdict.APPROVE
        given = (one for one in self.request.reviews.all() if one.revision == self.request.revision)
        return ", ".join(one.reviewer.username for one in given if one.verdict == wanted)

    @property
    def agreed(self) -> bool:
        return self.request.state in AGREED


def earlier_of(request: Request, viewer: Principal) -> list[Earlier]:
    """Those that the viewer may see, the same statement first, the newest of each first."""
    visible = services.list_requests_for(viewer).filter(created_at__lt=request.created_at, kind=request.kind)
    visible = visible.filter(datasource=request.datasource_id, reverts=None).exclude(pk=request.pk)
    visible = visible.defer(*_LEFT_OUT).order_by("-created_at")
    if request.kind != Request.Kind.STATEMENT:
        return [Earlier(one, same=False) for one in visible.filter(requester=request.requester)[:SHOWN]]
    if request.reverts_id is not None:
        return []
    same = _same(visible, str(request.facts.get("fingerprint", "")))
    like = _alike(visible, request, {one.pk for one in same})
    return [*(Earlier(one, same=True) for one in same), *(Earlier(one, same=False) for one in like)]


def _same(visible: QuerySet[Request], fingerprint: str) -> list[Request]:
    if not fingerprint:
        return []
    marked = visible.annotate(fingerprint=KeyTextTransform("fingerprint", "facts"))
    return list(marked.filter(fingerprint=fingerprint)[:SHOWN])


def _alike(visible: QuerySet[Request], request: Request, known: set[uuid.UUID]) -> list[Request]:
    since = timezone.now() - PERIOD
    mine = visible.filter(requester=request.requester, created_at__gte=since)
    rows = mine.values_list("pk", "facts__relations")[:COMPARED]
    wanted = _touched(request.facts.get("relations", ()))
    found = [pk for pk, relations in rows if pk not in known and wanted and _touched(relations or ()) == wanted]
    return list(visible.filter(pk__in=found[:SHOWN]))


def _touched(relations: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, str, str]]:
    return frozenset((one["use"], one["schema"], one["name"]) for one in relations)


def last_agreed(earlier: Sequence[Earlier]) -> Earlier | None:
    """The newest that people agreed to: of the same statement, else of the like."""
    return next((one for one in earlier if one.agreed), None)


# --- The record of whoever asks -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """Of the bar: where it begins and how wide it is, of 100."""

    word: str
    count: int
    tone: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Record:
    """Over `days` days. `reverted` of those that ran were taken back since."""

    asked: int
    approved: int
    reverted: int
    parts: tuple[Part, ...]
    days: int = PERIOD.days


ENDS: tuple[tuple[str, str, tuple[State, ...]], ...] = (
    ("ran", "allow", (State.EXECUTED,)),
    ("failed", "deny", (State.FAILED, State.UNKNOWN)),
    ("rejected", "rejected", (State.REJECTED,)),
    ("drifted", "review", (State.DRIFTED,)),
    ("withdrawn or expired", "other", (State.WITHDRAWN, State.EXPIRED)),
    ("still open", "open", (State.PENDING, State.APPROVED, State.EXECUTING)),
)


def record_of(request: Request) -> Record:
    """Of everything else that the same principal asked people for."""
    mine = Request.objects.filter(requester=request.requester, created_at__gte=timezone.now() - PERIOD)
    back = Request.objects.filter(reverts=OuterRef("pk"), state=State.EXECUTED)
    counts: dict[str, Any] = mine.exclude(pk=request.pk).aggregate(
        asked=Count("pk"),
        approved=Count("pk", filter=Q(state__in=AGREED)),
        reverted=Count("pk", filter=Q(Exists(back))),
        **{f"end{number}": Count("pk", filter=Q(state__in=states)) for number, (*_, states) in enumerate(ENDS)},
    )
    return Record(counts["asked"], counts["approved"], counts["reverted"], tuple(_parts(counts)))


def _parts(counts: Mapping[str, int]) -> Iterable[Part]:
    at = 0.0
    for number, (word, tone, _) in enumerate(ENDS):
        if count := counts[f"end{number}"]:
            width = 100 * count / counts["asked"]
            yield Part(word, count, tone, round(at, 2), round(width, 2))
            at += width
