"""Requests and their reviews: how long they took, and whether duties were kept apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audit.reports import sources
from audit.reports.duties import Duty, duties_of
from audit.reports.model import Cell, Column, Figure, Figures, Plot, Section, Series, Table, Text, Tone
from audit.reports.periods import place_of, step_word
from audit.reports.scope import Scope
from audit.reports.wording import listed, name_of, owned, plural, quantile, seconds_between, span_text

TITLE = "Approvals"
QUESTION = "What waited for people, how long, who decided, and were duties kept apart?"
MOST_ROWS = 5_000
KINDS = (
    "request.created", "review.given", "request.approved", "request.rejected", "request.withdrawn", "request.expired",
    "request.drifted", "execution.started", "execution.finished",
)  # fmt: skip
ENDS = {
    "request.approved": "approved",
    "request.rejected": "rejected",
    "request.withdrawn": "withdrawn",
    "request.expired": "expired",
    "request.drifted": "drifted",
}
TONES: dict[str, Tone] = {"approved": "allow", "rejected": "deny", "open": "review"}
WAITS = (
    ("under 5 min", timedelta(minutes=5)),
    ("5–15 min", timedelta(minutes=15)),
    ("15–60 min", timedelta(hours=1)),
    ("1–4 h", timedelta(hours=4)),
    ("4–24 h", timedelta(days=1)),
    ("over a day", timedelta.max),
)


@dataclass(slots=True)
class Review:
    index: int
    actor: str
    verdict: str
    groups: tuple[str, ...]
    time: datetime


@dataclass(slots=True)
class Asked:
    """One request, as far as the entries of the range tell. `created` is None for one that was asked before."""

    request: str
    index: int
    principal: str = ""
    owner: str = ""
    datasource: str = ""
    created: datetime | None = None
    required: tuple[str, ...] = ()
    reviews: list[Review] = field(default_factory=list)
    end: str = "open"
    approved: datetime | None = None
    decided: datetime | None = None
    started: datetime | None = None
    started_index: int | None = None
    status: str = ""

    @property
    def groups(self) -> list[str]:
        """`dba` of `2 of dba`."""
        return [one.partition(" of ")[2] for one in self.required]

    @property
    def waited(self) -> float | None:
        return seconds_between(self.created, self.decided)

    @property
    def until_run(self) -> float | None:
        return seconds_between(self.approved, self.started)


def read_requests(entries: Iterable[sources.Fields]) -> list[Asked]:
    """In the order in which they were first heard of."""
    found: dict[str, Asked] = {}
    for fields in entries:
        request = str(fields.get("request"))
        asked = found.setdefault(request, Asked(request, fields["index"]))
        asked.principal = asked.principal or fields.get("principal", "")
        asked.owner = asked.owner or fields.get("owner", "")
        asked.datasource = asked.datasource or fields.get("datasource", "")
        _take(asked, fields, sources.time_of(fields))
    return list(found.values())


def _take(asked: Asked, fields: sources.Fields, time: datetime) -> None:
    kind = fields["kind"]
    if kind == "request.created":
        asked.created, asked.required = time, tuple(fields.get("required") or ())
    elif kind == "review.given":
        groups = tuple(fields.get("groups") or ())
        asked.reviews.append(Review(fields["index"], fields.get("actor", ""), fields.get("review", ""), groups, time))
    elif kind == "execution.started":
        asked.started, asked.started_index = asked.started or time, asked.started_index or fields["index"]
    elif kind == "execution.finished":
        asked.status = fields.get("status", "")
    elif kind in ENDS:
        asked.end = ENDS[kind]
        # One that was approved and then expired was decided when it was approved.
        asked.decided = asked.decided or time
        asked.approved = time if kind == "request.approved" else asked.approved


def build(scope: Scope) -> tuple[str, tuple[Section, ...]]:
    everything = read_requests(sources.events(scope, KINDS))
    asked = [one for one in everything if one.created is not None]
    duties = duties_of(everything)
    return _summary(asked, duties), (
        _figures(asked),
        Plot(
            "requests",
            f"Requests by what became of them, by {step_word(scope.period)}",
            "requests",
            tuple(bucket.label for bucket in scope.cut),
            _series(asked, scope),
        ),
        _waits(asked),
        _duties(duties),
        _violations(duties),
        _groups(asked),
        _reviewers(everything),
        _requests(asked),
        Text("How this was counted", NOTES, "soft"),
    )


NOTES = (
    "Requests are those that were asked in the period, with what the entries of the same range say about them: one that"
    " was decided later counts as open. Times are between entries of the ledger. Quantiles are by nearest rank, so each"
    " is a time that occurred.",
    "A member of several of the groups that a request needs counts for each of them. Separation of duties is checked"
    " on every review of the range, also of requests that were asked before it, from what the entries themselves say.",
)


def _ran(asked: Iterable[Asked]) -> int:
    return sum(1 for one in asked if one.started is not None)


def _ended(asked: Iterable[Asked], *ends: str) -> int:
    return sum(1 for one in asked if one.end in ends)


def _times(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _summary(asked: list[Asked], duties: list[Duty]) -> str:
    broken = sum(len(duty.violations) for duty in duties)
    kept = (
        f"Duties were NOT kept apart: {plural(broken, 'violation')} below."
        if broken
        else "Nobody reviewed their own request or that of an agent of theirs, no agent reviewed, and nothing ran without"
        " the approvals that it needed."
    )
    if not asked:
        return f"Nothing had to be approved in this period. {kept if broken else ''}".strip()
    waits = _times(one.waited for one in asked)
    took = (
        f" Half of those decided were decided within {span_text(quantile(waits, 0.5))},"
        f" 95 % within {span_text(quantile(waits, 0.95))}."
        if waits
        else ""
    )
    return (
        f"{plural(len(asked), 'request')} waited for people: {_ended(asked, 'approved')} approved,"
        f" {_ended(asked, 'rejected')} rejected,"
        f" {_ended(asked, 'withdrawn', 'expired', 'drifted')} withdrawn, expired or drifted,"
        f" {_ended(asked, 'open')} still open at the end of the range; {_ran(asked)} ran.{took} {kept}"
    )


def _figures(asked: list[Asked]) -> Figures:
    waits, runs = _times(one.waited for one in asked), _times(one.until_run for one in asked)
    return Figures(
        (
            Figure("requests", len(asked)),
            Figure("approved", _ended(asked, "approved"), tone="allow"),
            Figure("rejected", _ended(asked, "rejected"), tone="deny" if _ended(asked, "rejected") else ""),
            Figure("asked to decided, median", quantile(waits, 0.5), "duration"),
            Figure("asked to decided, p95", quantile(waits, 0.95), "duration"),
            Figure("approved to run, median", quantile(runs, 0.5), "duration"),
        )
    )


def _series(asked: list[Asked], scope: Scope) -> tuple[Series, ...]:
    counts = {name: [0] * len(scope.cut) for name in ("approved", "rejected", "neither", "open")}
    for one in asked:
        assert one.created is not None  # noqa: S101  narrows the type
        name = one.end if one.end in counts else "neither"
        counts[name][place_of(one.created, scope.cut)] += 1
    return (
        Series("approved", "allow", tuple(counts["approved"])),
        Series("rejected", "deny", tuple(counts["rejected"])),
        Series("withdrawn, expired or drifted", "neutral", tuple(counts["neither"])),
        Series("open", "review", tuple(counts["open"])),
    )


def _waits(asked: list[Asked]) -> Plot:
    counts = [0] * len(WAITS)
    for waited in _times(one.waited for one in asked):
        counts[next(place for place, (_label, bound) in enumerate(WAITS) if waited < bound.total_seconds())] += 1
    labels = tuple(label for label, _bound in WAITS)
    return Plot("waits", "How long decisions took", "requests", labels, (Series("decided", "accent", tuple(counts)),))


# --- Tables -------------------------------------------------------------------------------------------------------


def _duties(duties: list[Duty]) -> Table:
    rows = tuple(
        (
            Cell(duty.rule),
            Cell(duty.checked),
            Cell(len(duty.violations), tone=_result(duty).tone),
            _result(duty),
        )
        for duty in duties
    )
    columns = (
        Column("Rule", "text", 4), Column("Checked", "number"), Column("Violations", "number"), Column("Result", "mark"),
    )  # fmt: skip
    return Table("duties", "Separation of duties", columns, rows, len(rows), "Nothing to check.")


def _result(duty: Duty) -> Cell:
    """That nothing was found is worth nothing where nothing was looked at."""
    if duty.violations:
        return Cell("violated", tone="deny")
    return Cell("kept", tone="allow") if duty.checked else Cell("nothing to check")


def _violations(duties: list[Duty]) -> Table:
    found = [(duty, violation) for duty in duties for violation in duty.violations]
    rows = tuple(
        (Cell(violation.index), Cell(duty.rule, tone="deny"), Cell(violation.what))
        for duty, violation in found[:MOST_ROWS]
    )
    columns = (Column("Entry", "entry", 0.8), Column("Rule", "text", 2.5), Column("What happened", "text", 4))
    return Table("violations", "Violations", columns, rows, len(found), "None: duties were kept apart.")


def _groups(asked: list[Asked]) -> Table:
    rows = []
    for group in sorted({name for one in asked for name in one.groups}):
        mine = [one for one in asked if group in one.groups]
        waits = _times(one.waited for one in mine)
        rows.append(
            (
                Cell(group),
                Cell(len(mine)),
                Cell(_ended(mine, "approved")),
                Cell(_ended(mine, "rejected")),
                Cell(quantile(waits, 0.5)),
                Cell(quantile(waits, 0.95)),
                Cell(len({r.actor for one in mine for r in one.reviews if group in r.groups})),
            )
        )
    columns = (
        Column("Group", "text", 2), Column("Requests", "number"), Column("Approved", "number"), Column("Rejected", "number"),
        Column("Median", "duration"), Column("p95", "duration"), Column("Reviewers", "number"),
    )  # fmt: skip
    return Table("groups", "By group", columns, tuple(rows), len(rows), "No group was asked.")


def _reviewers(everything: list[Asked]) -> Table:
    found: dict[str, list[float | None]] = {}
    verdicts: dict[str, list[str]] = {}
    for one in everything:
        for review in one.reviews:
            found.setdefault(review.actor, []).append(seconds_between(one.created, review.time))
            verdicts.setdefault(review.actor, []).append(review.verdict)
    rows = tuple(
        (
            Cell(actor),
            Cell(len(verdicts[actor])),
            Cell(verdicts[actor].count("approve")),
            Cell(verdicts[actor].count("reject")),
            Cell(quantile(_times(found[actor]), 0.5)),
        )
        for actor in sorted(found, key=lambda name: (-len(found[name]), name))
    )
    columns = (
        Column("Reviewer", "principal", 2), Column("Reviews", "number"), Column("Approvals", "number"),
        Column("Rejections", "number"), Column("Median after asking", "duration", 1.4),
    )  # fmt: skip
    return Table("reviewers", "By reviewer", columns, rows, len(rows), "Nobody reviewed anything.")


def _requests(asked: list[Asked]) -> Table:
    columns = (
        Column("Entry", "entry", 0.8), Column("Asked", "time", 1.8), Column("By", "principal", 1.5),
        Column("Data source", "text", 1.1), Column("Needed", "text", 1), Column("Outcome", "mark", 1.1),
        Column("Reviewed by", "text", 1.3), Column("Waited", "duration", 0.9), Column("Ran", "text", 1),
    )  # fmt: skip
    rows = tuple(map(_request_row, asked[:MOST_ROWS]))
    return Table("requests", "Every request", columns, rows, len(asked), "Nothing had to be approved.")


def _request_row(one: Asked) -> tuple[Cell, ...]:
    return (
        Cell(one.index),
        Cell(one.created),
        Cell(one.principal, owned(one.principal, one.owner)),
        Cell(one.datasource),
        Cell(listed(one.required) or None),
        Cell(one.end, tone=TONES.get(one.end, "soft")),
        Cell(listed(name_of(review.actor) for review in one.reviews) or None),
        Cell(one.waited),
        Cell(one.status or ("started" if one.started else None), _after(one)),
    )


def _after(one: Asked) -> str:
    return f"after {span_text(one.until_run)}" if one.until_run is not None else ""
