"""A request's progress and life, as values that a page shows. Pure, apart from the rows that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from approvals.models import Request, Review, Verdict
from approvals.states import State
from governance.web.timeline import Step


def steps_of(request: Request, reviews: Sequence[Review]) -> list[Step]:
    asked = Step("Asked", "dot", at=request.created_at, by=request.requester)
    return [asked, *map(_review, reviews), *_after_review(request)]


def _review(review: Review) -> Step:
    approved = review.verdict == Verdict.APPROVE
    return Step(
        "Approved" if approved else "Rejected",
        "allow" if approved else "deny",
        "good" if approved else "bad",
        review.created_at,
        f"user:{review.reviewer.username}",
        review.comment,
    )


def _after_review(request: Request) -> list[Step]:
    match State(request.state):
        case State.PENDING:
            return [Step("Waiting for review", "clock", "warn")]
        case State.APPROVED:
            return [Step("Approved; a worker takes it next", "clock", "now", request.decided_at)]
        case State.EXECUTING:
            return [Step("Running", "play", "now")]
        case State.EXECUTED:
            return [Step("Executed", "allow", "good", request.finished_at)]
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
            text = "Schema, policy or size changed after it was approved, so it did not run."
            return [Step("Drifted", "drift", "warn", request.finished_at, text=text)]


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
            return f"Membership of {group}{f' for {_span(seconds)}' if seconds else ''} on {request.datasource.name}"
        case Request.Kind.AFTERWARDS:
            return f"Look back at broken glass on {request.datasource.name}"
    return heading_of(request.facts)


def _span(seconds: int) -> str:
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
