"""How a request stands: who sits on which seat, and what it waits for right now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.asking import terms_of
from approvals.eligibility import Eligibility, standing_by
from approvals.errors import ReviewRefused
from approvals.models import Request, Review, Verdict
from approvals.parties import patterns_of
from approvals.quorum import Approval, Standing, demands_of, standing_of
from approvals.scheduling import earliest_run
from approvals.states import State
from approvals.web.request_words import stage_number, stages_of
from governance.policy.windows import Window, is_open
from identity.principals import Principal


@dataclass(frozen=True, slots=True)
class Seat:
    """Empty where `name` is. `spoken_by`: who reviewed in this person's place."""

    name: str = ""
    spoken_by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One required group. `also` may stand in for it by now; `stage` is counted from 1, `turn` is `done`, `open` or `later`."""

    group: str
    quorum: int
    seats: tuple[Seat, ...]
    stage: int
    turn: str
    also: str = ""
    also_later: str = ""

    @property
    def given(self) -> int:
        return sum(bool(seat.name) for seat in self.seats)

    @property
    def is_filled(self) -> bool:
        return self.given >= self.quorum


@dataclass(frozen=True, slots=True)
class Block:
    """What happens next, and what it waits for. `at`: a moment that belongs to it; `quote`: what somebody wrote about it."""

    text: str
    icon: str = "clock"
    tone: str = "warn"
    at: datetime | None = None
    quote: str = ""


def reviews_of(request: Request) -> list[Review]:
    """Of all revisions, in order, with everything that is read of them."""
    found = Review.objects.filter(request=request).order_by("created_at", "pk")
    related = ("reviewer__groups", "delegated_by__groups")
    return list(found.select_related("reviewer", "delegated_by").prefetch_related(*related))


def standing_now(request: Request, reviews: Sequence[Review]) -> Standing:
    current = [one for one in reviews if one.revision == request.revision]
    people = {pk for one in current for pk in (one.reviewer_id, one.delegated_by_id) if pk}
    return standing_by(request, current, patterns_of(people))


def rows_of(request: Request, standing: Standing, reviews: Sequence[Review]) -> list[Row]:
    given = {
        one.delegated_by_id or one.reviewer_id: one
        for one in reviews
        if one.revision == request.revision and one.verdict == Verdict.APPROVE
    }
    numbers = {stage: number for number, stage in enumerate(stages_of(standing), 1)}
    rows = []
    for demand, sitting in zip(standing.demands, standing.seated, strict=True):
        taken = [_seat(given[authority]) for authority in sitting]
        empty = [Seat()] * (demand.review.quorum - len(taken))
        filled = not empty
        rows.append(
            Row(
                group=demand.review.group,
                quorum=demand.review.quorum,
                seats=(*taken, *empty),
                stage=numbers[demand.stage],
                turn="done" if filled else "later" if demand.stage > standing.stage else "open",
                also=demand.review.escalate_to if demand.escalated else "",
                also_later=demand.review.escalate_to if not demand.escalated and not filled else "",
            )
        )
    return rows


def _seat(review: Review) -> Seat:
    if review.delegated_by is None:
        return Seat(review.reviewer.username, at=review.created_at)
    return Seat(review.delegated_by.username, review.reviewer.username, review.created_at)


def standing_with(standing: Standing, request: Request, reviews: Sequence[Review], mine: Approval) -> Standing:
    """As it would stand with one approval more."""
    given = {one.delegated_by_id or one.reviewer_id: one for one in reviews if one.revision == request.revision}
    counted = [Approval(pk, _groups(given[pk]), given[pk].stage) for sitting in standing.seated for pk in sitting]
    return standing_of(demands_of(request.required), [*counted, mine])


def _groups(review: Review) -> frozenset[str]:
    return frozenset(group.name for group in (review.delegated_by or review.reviewer).groups.all())


def voice_of(eligibility: Eligibility, viewer: Principal) -> Approval:
    """The approval that the viewer would give."""
    absent = eligibility.speaks_for
    if absent is None:
        return Approval(viewer.id, viewer.groups, eligibility.stage)
    return Approval(absent.pk, frozenset(group.name for group in absent.groups.all()), eligibility.stage)


# --- What it waits for --------------------------------------------------------------------------------------------


def block_of(request: Request, standing: Standing, reviews: Sequence[Review], now: datetime) -> Block:
    match State(request.state):
        case State.PENDING if request.expires_at <= now:
            return Block("Nobody decided in time: it has expired, and would have to be asked again.")
        case State.PENDING:
            return Block(_waits(standing), "person")
        case State.APPROVED:
            return _approved(request, now)
        case State.EXECUTING:
            again = f", for the {_ordinal(request.attempt)} time" if request.attempt > 1 else ""
            return Block(f"A worker runs it now{again}.", "play", "now")
        case State.EXECUTED:
            return _executed(request)
        case State.FAILED:
            return Block("It failed, and nothing was changed.", "failed", "bad", request.finished_at)
        case State.UNKNOWN:
            told = "Whether it took effect is not known. Look at the data before anybody asks again."
            return Block(told, "question", "bad", request.finished_at)
        case State.REJECTED:
            return _rejected(request, reviews)
        case State.WITHDRAWN:
            return Block("It was taken back, and will not run.", "back", "", request.finished_at)
        case State.EXPIRED:
            return Block("Nobody decided, or ran it, in time. It will not run.", "clock", "", request.finished_at)
        case State.DRIFTED:
            return Block(
                "It did not run: it was no longer what people had approved.", "drift", "warn", request.finished_at
            )


def _waits(standing: Standing) -> str:
    open_now = " and ".join(
        f"{count}{' more' if standing.given[standing.demands.index(demand)] else ''} of {demand.review.group}"
        for demand, count in standing.unfilled
    )
    several = len(stages_of(standing)) > 1
    if not open_now:
        return "Everybody needed has agreed."
    if not several:
        return f"Waits for {open_now}."
    return f"Stage {stage_number(standing)} of {len(stages_of(standing))}: waits for {open_now}.{_later(standing)}"


def _later(standing: Standing) -> str:
    later = [one for one in standing.demands if one.stage > standing.stage]
    if not later:
        return ""
    first = min(one.stage for one in later)
    people = " and ".join(f"{one.review.quorum} of {one.review.group}" for one in later if one.stage == first)
    return f" Stage {stage_number(standing) + 1} ({people}) opens once that is complete."


def _approved(request: Request, now: datetime) -> Block:
    if request.carrier == Request.Carrier.CALLER:
        return Block("Approved. The session that asked can run it now, once.", "play", "now")
    if request.not_before is not None and request.not_before > now:
        return Block(
            f"Approved. Runs {opening_in_words(request, request.not_before)},", "clock", "now", request.not_before
        )
    if not is_open(terms_of(request).windows, now):
        return Block("Approved. Its window has closed: it runs when the next one opens.", "clock", "warn")
    return Block("Approved. A worker takes it next, and runs it once.", "play", "now")


def _rejected(request: Request, reviews: Sequence[Review]) -> Block:
    said = next((one for one in reversed(reviews) if one.verdict == Verdict.REJECT), None)
    by = f" by {said.reviewer.username}" if said is not None else ""
    afterwards = request.kind == Request.Kind.AFTERWARDS
    told = f"It was looked at{by}, and found not right." if afterwards else f"Rejected{by}: it will not run."
    return Block(told, "deny", "bad", request.decided_at, said.comment if said is not None else "")


def _executed(request: Request) -> Block:
    rows = (request.outcome or {}).get("row_count")
    match request.kind:
        case Request.Kind.ELEVATION:
            told = "It was given."
        case Request.Kind.AFTERWARDS:
            told = "Somebody has looked at it, and found it right."
        case _:
            told = "It ran, once." if rows is None else f"It ran, once: {rows:,} row{'' if rows == 1 else 's'}."
    return Block(told, "allow", "good", request.finished_at)


def opens_in_words(request: Request, now: datetime) -> str:
    """When it would run if it were approved now; empty where that is at once."""
    try:
        earliest = earliest_run(request, now)
    except ReviewRefused as refusal:
        return f"never as things stand ({refusal.message})"
    return "" if earliest is None or earliest <= now else opening_in_words(request, earliest)


def opening_in_words(request: Request, at: datetime) -> str:
    """`when the window opens: Mon 22:00 Europe/Stockholm`."""
    windows = terms_of(request).windows
    if not windows:
        return f"at the time asked for: {at:%a %d %b %H:%M} UTC"
    zone = Window.parse(windows[0]).spans[0].zone
    return f"when the window opens: {at.astimezone(zone):%a %d %b %H:%M} {zone.key}"


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
