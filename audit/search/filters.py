"""What entries can be found by. Pure: how it is done is elsewhere, and archives are searched by the same words."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LONGEST_SEARCH_TEXT = 200
MOST_VALUES = 40

# One of these has one value in an entry, and the header calls it by the same name. A filter may name several values:
# the entry has any of them.
COLUMNS = (
    "query", "request", "run", "fingerprint", "on_behalf_of", "actor", "principal", "datasource", "status", "kind",
    "verdict",
)  # fmt: skip
# One of these has many values in an entry; here with the header's name for them.
TERMS = {"relation": "relations", "data_class": "classes", "policy": "policies"}
IDENTIFIERS = ("query", "request")
# `class` is a word of Python's, so the field is called otherwise.
NAMES = {"data_class": "class"}

Values = str | tuple[str, ...] | None


class SearchTooBroad(Exception):
    """The search would read for too long. The message says how to narrow it."""


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What entries must match, all of it; of several values of one field, any. `since` is included, `until` is not;
    `text` is looked for in the normalised SQL, whatever the case of its letters."""

    since: datetime | None = None
    until: datetime | None = None
    kind: Values = None
    principal: Values = None
    on_behalf_of: Values = None
    actor: Values = None
    datasource: Values = None
    relation: Values = None
    data_class: Values = None
    policy: Values = None
    verdict: Values = None
    status: Values = None
    risk_min: int | None = None
    fingerprint: Values = None
    run: Values = None
    query: Values = None
    request: Values = None
    text: str | None = None

    def values(self, name: str) -> tuple[str, ...]:
        """The values of one field, none if it does not matter. Identifiers are spelled as the log spells them."""
        given = getattr(self, name)
        values = () if given is None else (given,) if isinstance(given, str) else tuple(given)
        return tuple(map(_identifier, values)) if name in IDENTIFIERS else values

    @property
    def has_terms(self) -> bool:
        return any(getattr(self, name) for name in TERMS)

    def as_json(self) -> dict[str, Any]:
        """Only what is set, by the names that REST and pages use; `of_json` reads it back."""
        found: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is not None:
                name = NAMES.get(field.name, field.name)
                found[name] = value.isoformat() if isinstance(value, datetime) else value
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}

    @classmethod
    def of_json(cls, given: Mapping[str, Any]) -> EntryFilter:
        """Raises `ValueError` for what is no filter: one that is not understood must not widen what is found."""
        names = {NAMES.get(field.name, field.name): field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(given.keys() - names.keys()):
            raise ValueError(f"{', '.join(unknown)}: no such filter")
        values: dict[str, Any] = {names[name]: _value(names[name], value) for name, value in given.items()}
        return cls(**values)


def _value(name: str, value: Any) -> Any:
    if name in ("since", "until") and isinstance(value, str):
        return datetime.fromisoformat(value)
    if name in ("since", "until", "risk_min", "text"):
        expected: type = {"risk_min": int, "text": str}.get(name, datetime)
        if not isinstance(value, expected):
            raise ValueError(f"{NAMES.get(name, name)}: {value!r} is not a value of this filter")
        return value
    values = (value,) if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(one, str) for one in values):
        raise ValueError(f"{NAMES.get(name, name)}: must be text, or a list of texts")
    return value if isinstance(value, str) else tuple(values)


def matches(wanted: EntryFilter, header: Mapping[str, Any]) -> bool:
    """Whether the entry with this header is found. What the database does with postings, for one entry at hand."""
    if wanted.since or wanted.until:
        at = datetime.fromisoformat(str(header["time"]))
        if (wanted.since and at < wanted.since) or (wanted.until and at >= wanted.until):
            return False
    if wanted.risk_min is not None and not header.get("risk", -1) >= wanted.risk_min:
        return False
    if any(values and header.get(name) not in values for name, values in _columns(wanted)):
        return False
    return has_terms(wanted, header) and has_text(wanted, header)


def has_terms(wanted: EntryFilter, header: Mapping[str, Any]) -> bool:
    """Relations, classes and policies are found by a hash, so what was found is compared with what was meant."""
    return all(
        not wanted.values(name) or not set(wanted.values(name)).isdisjoint(header.get(field) or ())
        for name, field in TERMS.items()
    )


def has_text(wanted: EntryFilter, header: Mapping[str, Any]) -> bool:
    return wanted.text is None or wanted.text.lower() in str(header.get("sql_normal") or "").lower()


def _columns(wanted: EntryFilter) -> list[tuple[str, tuple[str, ...]]]:
    return [(name, wanted.values(name)) for name in COLUMNS]


def _identifier(text: str) -> str:
    """In lower case with dashes; what is no UUID stays as it is and is in no entry."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return text
