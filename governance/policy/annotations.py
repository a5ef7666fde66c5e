"""What annotations on a policy mean, and which values they take. Pure.

To add one: its name in `KNOWN`, its reading in `read_annotations`, a line in `docs/policy.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from governance.classes import MASKS
from governance.policy.row_filters import RowFilterError, read_row_filter
from governance.policy.windows import Window, WindowError

Effect = Literal["permit", "forbid"]

# What a review asks for besides people and time. It is about a statement that waits to run.
_OF_STATEMENTS = ("stage", "escalate_to", "escalate_after", "remind", "step_up", "window", "grantable", "hold")
_OF_REVIEWS = ("quorum", "expires", *_OF_STATEMENTS)
KNOWN = frozenset({"id", "message", "remedy", "review", *_OF_REVIEWS, "limit_rows", "mask", "row_filter"})
_OF_PERMITS = ("limit_rows", "mask", "row_filter")

DEFAULT_EXPIRES = 4 * 3600
MAX_QUORUM = 20
MAX_STAGE = 9
MAX_EXPIRES = 30 * 86_400
MAX_LIMIT_ROWS = 2**31 - 1
_UNMASK = frozenset({"unmask"})
_FILTERED = frozenset({"read", "write"})
_NO_STATEMENT = frozenset({"activate", "export"})
_APPROVE = frozenset({"approve"})
_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


class AnnotationError(ValueError):
    """Says which annotation, what it holds and what it may hold."""


@dataclass(frozen=True, slots=True)
class Parking:
    """A review policy's brake: who must agree, how many of them, and within how many seconds. The rest as in `RequiredReview`
    and `Terms` (decision.py)."""

    group: str
    quorum: int
    expires_in: int
    stage: int = 1
    escalate_to: str = ""
    escalate_after: int = 0
    remind_after: int = 0
    step_up: int = 0
    window: str = ""
    grantable: int = 0
    holds_locks: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What a policy is about: `actions` None for all of them; `bounds_rows`: its resource is one table, schema or data
    source, so that a condition on rows has something to stand on."""

    actions: frozenset[str] | None = None
    bounds_rows: bool = False

    def within(self, actions: frozenset[str]) -> bool:
        return self.actions is not None and self.actions <= actions


@dataclass(frozen=True, slots=True)
class Annotations:
    id: str
    message: str
    remedy: str
    parking: Parking | None
    limit_rows: int | None
    mask: str | None
    row_filter: str | None = None


def read_annotations(found: Mapping[str, str], effect: Effect, scope: Scope) -> Annotations:
    """Raises `AnnotationError`."""
    _refuse_unknown(found)
    _refuse_misplaced(found, effect, scope)
    return Annotations(
        id=_identifier(found.get("id")),
        message=found.get("message", "").strip(),
        remedy=found.get("remedy", "").strip(),
        parking=_parking(found),
        limit_rows=_whole(found, "limit_rows", MAX_LIMIT_ROWS) if "limit_rows" in found else None,
        mask=_mask(found["mask"]) if "mask" in found else None,
        row_filter=_row_filter(found["row_filter"]) if "row_filter" in found else None,
    )


def _refuse_unknown(found: Mapping[str, str]) -> None:
    if unknown := sorted(found.keys() - KNOWN):
        names = ", ".join(f"@{name}" for name in unknown)
        raise AnnotationError(f"{names} is not known; known are {', '.join(f'@{name}' for name in sorted(KNOWN))}")


def _refuse_misplaced(found: Mapping[str, str], effect: Effect, scope: Scope) -> None:
    only_unmasks = scope.within(_UNMASK)
    for name in _OF_REVIEWS:
        if name in found and "review" not in found:
            raise AnnotationError(f"@{name} needs @review on the same policy")
    for name in _OF_PERMITS:
        if name in found and effect != "permit":
            raise AnnotationError(f"@{name} belongs on a permit, not on a forbid")
    if "review" in found and effect != "forbid":
        raise AnnotationError("@review belongs on a forbid: it turns a refusal into a review")
    if "review" in found and only_unmasks:
        raise AnnotationError("@review cannot be put on unmask: a column is shown or masked, never parked")
    if "review" in found and scope.within(_APPROVE):
        raise AnnotationError("@review cannot be put on approve: a review cannot itself wait for a review")
    if scope.within(_NO_STATEMENT) and (name := next((name for name in _OF_STATEMENTS if name in found), "")):
        raise AnnotationError(f"@{name} is about statements that wait to run: it has no meaning for this action")
    if "mask" in found and not only_unmasks:
        raise AnnotationError('@mask belongs on a permit for action == Action::"unmask" alone')
    if "row_filter" in found and not (scope.within(_FILTERED) and scope.bounds_rows):
        raise AnnotationError(
            "@row_filter belongs on a permit for read or write of one table, schema or data source: action == "
            'Action::"read", resource == Table::"shop.public.orders" (or in Schema::"…", in DataSource::"…")'
        )


def _identifier(value: str | None) -> str:
    if value is None:
        raise AnnotationError('@id is missing: each policy needs one, such as @id("reads")')
    if not _ID.match(value):
        raise AnnotationError(f"@id({value!r}) must be 1 to 100 letters, digits, dots, dashes or underscores")
    return value


def _parking(found: Mapping[str, str]) -> Parking | None:
    if "review" not in found:
        return None
    group = found["review"].strip()
    if not group:
        raise AnnotationError('@review needs the name of a group, such as @review("dba")')
    parking = Parking(
        group=group,
        quorum=_whole(found, "quorum", MAX_QUORUM) if "quorum" in found else 1,
        expires_in=_duration(found, "expires") or DEFAULT_EXPIRES,
        stage=_whole(found, "stage", MAX_STAGE) if "stage" in found else 1,
        escalate_to=_escalate_to(found, group),
        escalate_after=_duration(found, "escalate_after"),
        remind_after=_duration(found, "remind"),
        step_up=_duration(found, "step_up"),
        window=_window(found["window"]) if "window" in found else "",
        grantable=_duration(found, "grantable"),
        holds_locks=_hold(found),
    )
    _refuse_too_late(parking)
    return parking


def _escalate_to(found: Mapping[str, str], group: str) -> str:
    """The two belong together: to whom, and after how long."""
    for name, other in (("escalate_to", "escalate_after"), ("escalate_after", "escalate_to")):
        if name in found and other not in found:
            raise AnnotationError(f"@{name} needs @{other} on the same policy")
    to = found.get("escalate_to", "").strip()
    if "escalate_to" in found and (not to or to == group):
        raise AnnotationError('@escalate_to needs the name of another group, such as @escalate_to("oncall")')
    return to


def _hold(found: Mapping[str, str]) -> bool:
    if found.get("hold", "locks") != "locks":
        raise AnnotationError(
            f'@hold({found["hold"]!r}) can only be "locks": a session whose transaction holds locks may wait for the review'
        )
    return "hold" in found


def _refuse_too_late(parking: Parking) -> None:
    """What would come when the request has expired would never come."""
    for name, after in (("escalate_after", parking.escalate_after), ("remind", parking.remind_after)):
        if after >= parking.expires_in:
            raise AnnotationError(f"@{name} must come before the request expires, which it does after @expires")


def _whole(found: Mapping[str, str], name: str, highest: int) -> int:
    value = found[name]
    if not re.fullmatch(r"[0-9]{1,10}", value) or not 1 <= int(value) <= highest:
        raise AnnotationError(f"@{name}({value!r}) must be a whole number from 1 to {highest}")
    return int(value)


def _duration(found: Mapping[str, str], name: str) -> int:
    """In seconds; 0 where the policy does not have it."""
    if name not in found:
        return 0
    match = re.fullmatch(r"([0-9]{1,6})([mhd])", found[name])
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 1 <= seconds <= MAX_EXPIRES:
        raise AnnotationError(f"@{name}({found[name]!r}) must be a time such as 30m, 4h or 7d, at most 30d")
    return seconds


def _window(value: str) -> str:
    try:
        return Window.parse(value).text
    except WindowError as error:
        raise AnnotationError(f"@window({value!r}): {error}") from None


def _mask(value: str) -> str:
    if value not in MASKS:
        raise AnnotationError(f"@mask({value!r}) is not a mask; masks are {', '.join(MASKS)}")
    return value


def _row_filter(value: str) -> str:
    try:
        return read_row_filter(value)
    except RowFilterError as error:
        raise AnnotationError(f"@row_filter: {error}") from None
