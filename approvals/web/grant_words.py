"""Grants in words, for pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Max, Min

from approvals.grants import services as grants
from approvals.grants.services import Status
from approvals.models import Grant
from governance.web.timeline import Step


@dataclass(frozen=True, slots=True)
class Look:
    """As the badge takes it."""

    word: str
    icon: str
    tone: str = "neutral"


KINDS = {
    Grant.Kind.STATEMENT: "Statement again",
    Grant.Kind.ELEVATION: "Elevation",
    Grant.Kind.BREAK_GLASS: "Broken glass",
}
ICONS = {Grant.Kind.STATEMENT: "drift", Grant.Kind.ELEVATION: "key", Grant.Kind.BREAK_GLASS: "glass"}
LOOKS = {
    Status.STANDING: Look("Standing", "allow", "allow"),
    Status.USED_UP: Look("Used up", "check"),
    Status.EXPIRED: Look("Run out", "clock"),
    Status.REVOKED: Look("Revoked", "cross", "deny"),
}
HOW = {
    Grant.Kind.STATEMENT: "The same statement over the same relations, with any values, runs at once: no review before it.",
    Grant.Kind.ELEVATION: "Counts as a member of the group for statements on this data source. Not for reviews, policies,"
    " exports or anything else of Countersign.",
    Grant.Kind.BREAK_GLASS: "What would wait for people runs at once. Denials, masks and limits stay as they are. Somebody"
    " else looks at everything that was run.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A grant as a row or a page shows it. `share`: of a hundred, how much of the runs is used."""

    grant: Grant
    kind: str
    icon: str
    title: str
    how: str
    status: Status
    look: Look
    bound: int | None

    @property
    def stands(self) -> bool:
        return self.status is Status.STANDING

    @property
    def share(self) -> int:
        return 0 if not self.grant.max_uses else min(100, self.grant.uses * 100 // self.grant.max_uses)


def shown(grant: Grant) -> Shown:
    kind, status = Grant.Kind(grant.kind), grants.status_of(grant)
    bound = grants.open_bound_of(grant) if kind is Grant.Kind.STATEMENT else None
    # Glass that is broken is nothing to be calm about.
    alarm = kind is Grant.Kind.BREAK_GLASS and status is Status.STANDING
    look = Look("Broken", "glass", "deny") if alarm else LOOKS[status]
    return Shown(grant, KINDS[kind], ICONS[kind], title_of(grant), HOW[kind], status, look, bound)


def title_of(grant: Grant) -> str:
    """In a line: what it lets happen."""
    if grant.kind == Grant.Kind.STATEMENT:
        return grant.normal
    if grant.kind == Grant.Kind.ELEVATION:
        return f"Counts as a member of {grant.group}"
    return "Runs at once what would wait for people"


def steps_of(grant: Grant) -> list[Step]:
    """What is known of its life from its rows; the ledger has every step."""
    used = grant.used.aggregate(first=Min("used_at"), last=Max("used_at"))
    steps = [
        Step("Taken" if grant.kind == Grant.Kind.BREAK_GLASS else "Given", "dot", "", grant.created_at, _giver(grant))
    ]
    if used["first"]:
        steps.append(Step("Used for the first time", "play", "now", used["first"]))
    if used["last"] and used["last"] != used["first"]:
        steps.append(Step(f"Used for the last time, {grant.uses} in all", "play", "now", used["last"]))
    return [*steps, _end(grant)]


def _giver(grant: Grant) -> str:
    approving = grants.approvers_of(grant)
    if approving:
        return f"user:{approving[-1].reviewer.username}"
    return grant.principal if grant.kind == Grant.Kind.BREAK_GLASS else ""


def _end(grant: Grant) -> Step:
    match grants.status_of(grant):
        case Status.REVOKED:
            own = grant.revoked_by == grant.principal
            return Step("Given up" if own else "Revoked", "cross", "bad", grant.revoked_at, grant.revoked_by)
        case Status.EXPIRED:
            return Step("Ran out", "clock", "", grant.expires_at)
        case Status.USED_UP:
            return Step("Used up", "check", "", grant.closed_at)
        case Status.STANDING:
            return Step("Stands", "clock", "now", text="Nothing has ended it yet.")
