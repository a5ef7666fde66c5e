"""How states, verdicts and numbers are said to people: one word, one shape, one colour each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Look:
    """`tone` is the colour family; the icon and the word say the same without it."""

    word: str
    icon: str
    tone: str = "neutral"


VERDICTS: Mapping[str, Look] = {
    "allow": Look("Allowed", "allow", "allow"),
    "review": Look("Review", "review", "review"),
    "deny": Look("Denied", "deny", "deny"),
}

STATES: Mapping[str, Look] = {
    # a request
    "pending": Look("Waiting", "clock", "review"),
    "approved": Look("Approved", "allow", "accent"),
    "executing": Look("Running", "play", "accent"),
    "withdrawn": Look("Withdrawn", "back"),
    "expired": Look("Expired", "clock"),
    "drifted": Look("Drifted", "drift", "review"),
    # a query
    "received": Look("Received", "ring"),
    "running": Look("Running", "play", "accent"),
    "parked": Look("Parked", "review", "review"),
    "denied": Look("Denied", "deny", "deny"),
    "cancelled": Look("Cancelled", "cancel"),
    "not_executed": Look("Not executed", "cancel"),
    # both
    "executed": Look("Executed", "allow", "allow"),
    "failed": Look("Failed", "failed", "deny"),
    "unknown": Look("Unknown outcome", "question", "deny"),
    "rejected": Look("Rejected", "deny", "deny"),
    # a proposed policy set
    "activated": Look("In force", "allow", "allow"),
    "outdated": Look("Outdated", "drift", "review"),
}

REVIEWS: Mapping[str, Look] = {
    "approve": Look("Approved", "check", "allow"),
    "reject": Look("Rejected", "cross", "deny"),
}

MESSAGE_ICONS: Mapping[str, str] = {
    "info": "info",
    "debug": "info",
    "success": "allow",
    "warning": "failed",
    "error": "deny",
}


def look_of(name: str, among: Mapping[str, Look]) -> Look:
    """A word that this page does not know yet is shown as it is rather than hidden."""
    return among.get(name, Look(name or "none", "ring"))


def risk_level(score: int) -> str:
    return "low" if score < 30 else "medium" if score < 60 else "high"


def duration(span: timedelta, parts: int = 2) -> str:
    """The largest units: `3 h 12 min`, `45 s`."""
    seconds = max(0, int(span.total_seconds()))
    units = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    first = next((place for place, (amount, _) in enumerate(units) if amount), len(units) - 1)
    return " ".join(
        f"{amount} {unit}" for amount, unit in units[first : first + parts] if amount or unit == "s" == units[first][1]
    )


def until(moment: datetime, now: datetime) -> str:
    """How long still, to the minute or second; or how long ago, roughly."""
    return f"in {duration(moment - now)}" if moment > now else f"{duration(now - moment, parts=1)} ago"


def milliseconds(value: float) -> str:
    if value < 10:
        return f"{value:.1f} ms"
    return f"{value:,.0f} ms" if value < 10_000 else f"{value / 1000:,.1f} s"
