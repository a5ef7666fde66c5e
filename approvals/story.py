"""A request's progress and life, as values that a page shows. Pure, apart from the rows that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from approvals.models import Request, Review, Revision, Verdict
from approvals.states import State
from governance.web.timeline import Step

# Entries of the ledger that the rows of a request do not tell of, with how the timeline tells of them.
TOLD = {
    "request.scheduled": ("Time of the run set", "clock", ""),
    "statement.held": ("The session that asked waits for the answer", "clock", ""),
    "impact.measured": ("What it would do was measured", "check", ""),
    "execution.started": ("Started", "play", ""),
    "undo.kept": ("Rows kept as they were, for an undo", "back", ""),
    "undo.emptied": ("Kept rows deleted", "cancel", ""),
}
MOMENTS = {"run_at": "Not before {}, as asked for.", "not_before": "Runs at {} at the earliest."}


def steps_of(
    request: Request,
    reviews: Sequence[Review],
    revisions: Sequence[Revision] = (),
    entries: Sequence[Mapping[str, Any]] = (),
) -> list[Step]:
    """Everything that happened, in order, and what happens now. `entries` are headers of the ledger's entries about it."""
    steps = [Step("Asked", "dot", at=request.created_at, by=request.requester, text=_again(request))]
    steps += [_edit(one) for one in revisions if one.number > 1]
    steps += [_review(one, request) for one in reviews]
    steps += [step for entry in entries if (step := _entry(entry)) is not None]
    if request.reminded_at:
        steps.append(Step("Reviewers reminded", "bell", at=request.reminded_at))
    if request.escalated_at:
        steps.append(Step(f"Escalated{_escalated(request)}", "failed", "warn", request.escalated_at))
    return [*sorted(steps, key=lambda step: step.at or request.created_at), *_after_review(request)]


def _again(request: Request) -> str:
    if request.follows_id:
        return "Asks again for what was approved before, and had changed since."
    return "Takes back what an earlier request changed." if request.reverts_id else ""


def _edit(revision: Revision) -> Step:
    text = "Reviews of the earlier text count no more."
    return Step(f"Edited: text {revision.number}", "edit", "warn", revision.created_at, revision.by, text)


def _escalated(request: Request) -> str:
    groups = sorted({one["escalate_to"] for one in request.required if one.get("escalated") and one.get("escalate_to")})
    return f": {', '.join(groups)} may stand in" if groups else ""


def _review(review: Review, request: Request) -> Step:
    approved = review.verdict == Verdict.APPROVE
    told = "Approved" if approved else "Rejected"
    if review.delegated_by is not None:
        told += f" for {review.delegated_by.username}, who is away"
    void = review.revision != request.revision
    if void:
        told += f": text {review.revision}, which was edited since"
    tone = "" if void else "good" if approved else "bad"
    text = "\n".join(filter(None, (review.comment, _given(review))))
    return Step(
        told, "allow" if approved else "deny", tone, review.created_at, f"user:{review.reviewer.username}", text
    )


def _given(review: Review) -> str:
    """What came with the review besides its words."""
    more = []
    if review.second_factor_at is not None:
        more.append("second factor shown")
    if review.row_bound is not None:
        more.append(f"at most {review.row_bound:,} row{'' if review.row_bound == 1 else 's'}")
    if review.grant:
        more.append(f"may run {review.grant['runs']} times more within {span_of(review.grant['seconds'])}")
    return f"({'; '.join(more)})" if more else ""


def _entry(entry: Mapping[str, Any]) -> Step | None:
    kind, at = entry["kind"], parse_datetime(str(entry["time"]))
    if kind == "execution.finished":
        # How the last one ended is told by the state.
        if entry.get("status") not in ("not_executed", "aborted"):
            return None
        return Step(f"Attempt {entry.get('attempt', '')} ended before it changed anything", "back", at=at)
    if kind not in TOLD:
        return None
    title, icon, tone = TOLD[kind]
    if kind == "execution.started" and int(entry.get("attempt") or 1) > 1:
        title = f"Started again, attempt {entry['attempt']}"
    by = str(entry.get("actor") or "")
    return Step(title, icon, tone, at, by if ":" in by else "", _moment(entry))


def _moment(entry: Mapping[str, Any]) -> str:
    for name, words in MOMENTS.items():
        moment = parse_datetime(str(entry[name])) if entry.get(name) else None
        if moment is not None:
            return words.format(f"{moment:%a %d %b %H:%M} UTC")
    return ""


def _after_review(request: Request) -> list[Step]:
    match State(request.state):
        case State.PENDING:
            return [Step("Waiting for review", "clock", "warn")]
        case State.APPROVED:
            if request.carrier == Request.Carrier.CALLER:
                return [Step("Approved; the session that asked may run it", "clock", "now", request.decided_at)]
            if request.not_before and request.not_before > timezone.now():
                return [Step("Approved; waits for its time", "clock", "now", request.decided_at)]
            return [Step("Approved; a worker takes it next", "clock", "now", request.decided_at)]
        case State.EXECUTING:
            return [Step("Running", "play", "now")]
        case State.EXECUTED:
            done = {Request.Kind.ELEVATION: "Given", Request.Kind.AFTERWARDS: "Settled as right"}
            return [Step(done.get(Request.Kind(request.kind), "Executed"), "allow", "good", request.finished_at)]
        case State.FAILED:
            return [Step("Failed; nothing was changed", "failed", "bad", request.finished_at)]
        case State.UNKNOWN:
            text = "Whether it took effect is not known. Look at the data before anybody asks again."
            return [Step("Outcome unknown", "question", "bad", request.finished_at, text=text)]
        case State.REJECTED:
            return []
        case State.WITHDRAWN:
            return [Step("Withdrawn", "back", at=request.finished_at or request.decided_at)]
        case State.EXPIRED:
            return [Step("Expired: nobody decided in time", "clock", at=request.finished_at or request.expires_at)]
        case State.DRIFTED:
            text = "\n".join(one["detail"] for one in request.drift or ()) or DRIFTED
            return [Step("Drifted: it did not run", "drift", "warn", request.finished_at, text=text)]


DRIFTED = "Schema, policy or size changed after it was approved, so it did not run."
USES = ("truncate", "delete", "update", "insert", "define", "lock", "read")
KINDS = {
    "privilege": "Change of privileges",
    "ddl": "Change of the schema",
    "opaque": "Opaque code",
    "admin": "Administration",
}


def headline_of(request: Request) -> str:
    """What is asked for, in a line, whatever the kind of request."""
    match request.kind:
        case Request.Kind.ELEVATION:
            group, seconds = request.asked.get("group", "a group"), request.asked.get("seconds")
            return f"Membership of {group}{f' for {span_of(seconds)}' if seconds else ''} on {request.datasource.name}"
        case Request.Kind.AFTERWARDS:
            return f"Look back at broken glass on {request.datasource.name}"
    heading = heading_of(request.facts)
    return heading if request.reverts_id is None else f"Take back a change: {heading[:1].lower()}{heading[1:]}"


def span_of(seconds: int) -> str:
    """The largest unit that says it exactly: `90 min`, `2 h`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def heading_of(facts: Mapping[str, Any]) -> str:
    """What the statement does, in a line: `Delete on public.orders`."""
    for use in USES[:-1]:
        relations = {(r["schema"], r["name"]) for r in facts.get("relations", ()) if r["use"] == use}
        # What the text names comes before what a cascade reaches.
        names = [".".join(r) for r in sorted(relations, key=lambda r: (r[1] not in facts.get("normal", ""), r))]
        if names:
            more = f" and {len(names) - 2} more" if len(names) > 2 else ""
            return f"{use.capitalize()} on {', '.join(names[:2])}{more}"
    return next((words for kind, words in KINDS.items() if kind in facts.get("kinds", ())), "Statement")
