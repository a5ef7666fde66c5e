"""A statement's story: what was asked, decided, reviewed and done, in the order in which it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from audit import search
from audit.models import Entry

LENGTH = 50
TONES = {
    "statement.denied": "bad", "statement.parked": "warn", "request.rejected": "bad", "request.approved": "good",
    "request.expired": "warn", "request.drifted": "warn",
}  # fmt: skip
STATUS_TONES = {"executed": "good", "failed": "bad", "unknown": "bad", "approve": "good", "reject": "bad"}


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the story. `lines` are the facts that it adds; `waited` is the time since the step before, in words."""

    entry: dict[str, Any]
    tone: str
    waited: str
    lines: list[tuple[str, str]] = field(default_factory=list)


def story_of(entry: dict[str, Any]) -> list[Step]:
    """The entries about the same query and its request."""
    entries: dict[int, Entry] = {}
    query, request = entry.get("query"), entry.get("request")
    if query:
        entries |= _about(search.EntryFilter(query=str(query)))
        request = request or next((one.fields["request"] for one in entries.values() if "request" in one.fields), None)
    if request:
        entries |= _about(search.EntryFilter(request=str(request)))
    steps: list[Step] = []
    for index in sorted(entries):
        steps.append(_step(entries[index], entries[steps[-1].entry["index"]].time if steps else None))
    return steps


def _about(wanted: search.EntryFilter) -> dict[int, Entry]:
    try:
        return {entry.index: entry for entry in search.find_entries(wanted, limit=LENGTH).entries}
    except search.SearchTooBroad:
        return {}


def _step(entry: Entry, before: datetime | None) -> Step:
    shown = search.entry_json(entry)
    outcome = str(shown.get("review") or shown.get("status") or "")
    tone = TONES.get(entry.kind) or STATUS_TONES.get(outcome, "")
    return Step(shown, tone, "" if before is None else _span(entry.time - before), _lines(shown))


def _span(span: timedelta) -> str:
    if span < timedelta(seconds=10):
        return f"{span / timedelta(milliseconds=1):,.0f} ms"
    units = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))
    unit, word = next(((unit, word) for unit, word in units if span >= 2 * unit), (timedelta(seconds=1), "s"))
    return f"{span // unit} {word}"


def _lines(shown: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [
        ("by", str(shown.get("actor") or "")),
        ("decided by", ", ".join(shown.get("policies") or [])),
        ("needs", _needs(shown.get("required"))),
        ("because", str(shown.get("reason") or shown.get("comment") or "")),
        ("result", _shape(shown)),
        ("masked", ", ".join(shown.get("masked") or [])),
        ("error", " ".join(str(shown[name]) for name in ("sqlstate", "error") if shown.get(name))),
    ]
    return [(word, text) for word, text in lines if text]


def _needs(required: object) -> str:
    groups = [one for one in required if isinstance(one, dict)] if isinstance(required, list) else []
    return ", ".join(f"{one.get('quorum', 1)} of {one.get('group', '')}" for one in groups)


def _shape(shown: dict[str, Any]) -> str:
    if shown.get("rows") is None:
        return ""
    columns = shown.get("columns")
    parts = [
        f"{shown['rows']:,} row{'' if shown['rows'] == 1 else 's'}",
        f"{len(columns)} column{'' if len(columns) == 1 else 's'}" if isinstance(columns, list) and columns else "",
        f"{shown['bytes']:,} bytes" if shown.get("bytes") is not None else "",
        f"{shown['duration_ms']:,} ms" if shown.get("duration_ms") is not None else "",
        "cut off at the limit" if shown.get("truncated") else "",
    ]
    return ", ".join(filter(None, parts))
