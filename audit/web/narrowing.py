"""Addresses that narrow or widen a search: chips take a condition away, facets and bars put one in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from audit.events import KINDS
from audit.search import Overview

Pairs = list[tuple[str, str]]

LABELS = {
    "text": "Text", "principal": "Principal", "datasource": "Data source", "kind": "Event", "verdict": "Verdict",
    "relation": "Relation", "class": "Class", "on_behalf_of": "On behalf of", "policy": "Policy", "status": "Ended as",
    "actor": "By", "risk_min": "Risk from", "run": "Run", "fingerprint": "Fingerprint", "since": "From",
    "until": "Until", "query": "Query", "request": "Request", "within": "Within",
}  # fmt: skip
VERDICTS = {"allow": "Allowed", "review": "Review", "deny": "Denied"}
FACETS = ("verdict", "kind", "principal", "datasource", "class", "relation", "policy", "on_behalf_of", "status")
BOUNDS = ("since", "until")
TIMES = (*BOUNDS, "within")


@dataclass(frozen=True, slots=True)
class Chip:
    label: str
    value: str
    is_time: bool
    without: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet: `query` is the search with it; or without it, where it is active."""

    word: str
    count: int
    share: int
    active: bool
    query: str


@dataclass(frozen=True, slots=True)
class Facet:
    name: str
    label: str
    choices: tuple[Choice, ...]


def chips(pairs: Pairs, spans: Mapping[str, str]) -> list[Chip]:
    return [
        Chip(
            LABELS[name],
            spans.get(value, value) if name == "within" else f"{value}Z" if name in BOUNDS else word_for(name, value),
            name in BOUNDS,
            urlencode([pair for pair in pairs if pair != (name, value)]),
        )
        for name, value in pairs
    ]


def facets(found: Overview, pairs: Pairs) -> list[Facet]:
    """Those that can narrow the search: a value that all matches have cannot."""
    return [
        Facet(name, LABELS[name], tuple(_choice(found, pairs, name, value, count) for value, count in values))
        for name in FACETS
        if (values := found.facets.get(name)) and (len(values) > 1 or values[0][1] < found.counted)
    ]


def _choice(found: Overview, pairs: Pairs, name: str, value: str, count: int) -> Choice:
    active = (name, value) in pairs
    others = [pair for pair in pairs if pair[0] != name] if not active else [p for p in pairs if p != (name, value)]
    query = urlencode(others if active else [*others, (name, value)])
    return Choice(word_for(name, value), count, round(100 * count / max(1, found.counted)), active, query)


def with_time(pairs: Pairs, since: datetime, until: datetime) -> str:
    bounds = [(name, f"{at:%Y-%m-%dT%H:%M:%S}") for name, at in (("since", since), ("until", until))]
    return urlencode([*(pair for pair in pairs if pair[0] not in TIMES), *bounds])


def within_spans(pairs: Pairs, spans: Mapping[str, str]) -> list[dict[str, Any]]:
    """The presets of time, with the one in force, and all of it at the end."""
    others = [pair for pair in pairs if pair[0] not in TIMES]
    now = dict(pairs).get("within", "")
    timed = any(name in TIMES for name, _ in pairs)
    found = [
        {"word": word, "query": urlencode([*others, ("within", name)]), "active": now == name}
        for name, word in spans.items()
    ]
    return [*found, {"word": "All", "query": urlencode(others), "active": not timed}]


def paged(pairs: Iterable[tuple[str, str]], name: str, index: int | None) -> str:
    return "" if index is None else urlencode([*pairs, (name, index)])


def word_for(name: str, value: str) -> str:
    if name == "kind" and value in KINDS:
        return KINDS[value].title
    return VERDICTS.get(value, value) if name == "verdict" else value
