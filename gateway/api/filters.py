"""Query parameters, strictly: what is not understood is told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from audit.events import KINDS, VERDICTS
from audit.search import EntryFilter
from audit.search.filters import COLUMNS, LONGEST_SEARCH_TEXT, MOST_VALUES, NAMES, TERMS
from identity.principals import Principal

# What may be given several times, by REST's name and the filter's: entries that have any of the values are found.
REPEATED = {name: name for name in COLUMNS} | {NAMES.get(name, name): name for name in TERMS}
ONCE = ("text", "risk_min", "since", "until", "before", "after", "limit")
KNOWN = {*REPEATED, *ONCE}
_WHOLE = re.compile(r"-?[0-9]{1,19}")


def known_only(request: Request, *names: str) -> None:
    """A filter that was misspelt would silently not filter; of one that is given twice, one would."""
    if unknown := sorted(set(request.query_params) - set(names)):
        known = ", ".join(sorted(names)) or "none"
        raise ValidationError({name: [f"is not a filter. Known: {known}."] for name in unknown})
    if repeated := [name for name in names if len(request.query_params.getlist(name)) > 1]:
        raise ValidationError({name: ["can be given only once"] for name in repeated})


def number(request: Request, name: str, default: float, least: float, most: float) -> float:
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        raise ValidationError({name: [f"must be a number from {least:g} to {most:g}, not {text!r}"]}) from None
    if not least <= value <= most:
        raise ValidationError({name: [f"must be from {least:g} to {most:g}"]})
    return value


def whole_number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
        raise ValidationError({name: [f"must be a whole number from {least} to {most}, not {text[:40]!r}"]})
    return int(text)


def one_of(request: Request, name: str, choices: tuple[str, ...]) -> str:
    """The first choice is the default."""
    value = request.query_params.get(name, choices[0])
    if value not in choices:
        raise ValidationError({name: [f"must be one of {', '.join(filter(None, choices))}"]})
    return value


def moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ValidationError({name: ["must be a time like 2026-01-31T12:00:00Z"]}) from None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EntryQuery:
    filter: EntryFilter
    before: int | None
    after: int | None
    limit: int

    @classmethod
    def of(cls, request: Request, principal: Principal) -> EntryQuery:
        if unknown := sorted(set(request.query_params) - KNOWN):
            raise ValidationError({name: [f"is not a filter. Known: {', '.join(sorted(KNOWN))}."] for name in unknown})
        if repeated := [name for name in ONCE if len(request.query_params.getlist(name)) > 1]:
            raise ValidationError({name: ["can be given only once"] for name in repeated})
        if {"before", "after"} <= set(request.query_params):
            raise ValidationError({"after": ["cannot be given together with before: a page goes one way"]})
        values: dict[str, Any] = {field: _values(request, name) for name, field in REPEATED.items()}
        if not principal.is_person:
            values["principal"] = principal.label
        wanted = EntryFilter(
            since=moment(request, "since"),
            until=moment(request, "until"),
            text=_text(request),
            risk_min=_risk(request),
            **values,
        )
        if wanted.since and wanted.until and wanted.since >= wanted.until:
            raise ValidationError({"until": ["must be later than since"]})
        return cls(
            wanted, _index(request, "before"), _index(request, "after"), whole_number(request, "limit", 50, 1, 500)
        )


def _values(request: Request, name: str) -> tuple[str, ...] | None:
    """Empty ones are as good as not given."""
    values = tuple(filter(None, dict.fromkeys(request.query_params.getlist(name))))
    if len(values) > MOST_VALUES:
        raise ValidationError({name: [f"can be given at most {MOST_VALUES} times"]})
    choices: dict[str, Any] = {"verdict": VERDICTS, "kind": KINDS}
    if name in choices and (unknown := [value for value in values if value not in choices[name]]):
        raise ValidationError({name: [f"{unknown[0]!r} is none of {', '.join(choices[name])}"]})
    return values or None


def _risk(request: Request) -> int | None:
    return whole_number(request, "risk_min", 0, 0, 100) if request.query_params.get("risk_min") else None


def _text(request: Request) -> str | None:
    text = request.query_params.get("text") or None
    if text and len(text) > LONGEST_SEARCH_TEXT:
        raise ValidationError({"text": [f"is at most {LONGEST_SEARCH_TEXT} characters long"]})
    return text


def _index(request: Request, name: str) -> int | None:
    return whole_number(request, name, 0, -1, 2**62) if name in request.query_params else None
