"""What an event may be: the registry of kinds, and the check of every event against it. `audit/events.py` fills it. Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

VERDICTS = ("allow", "review", "deny")
RESERVED = frozenset({"v", "index", "time", "kind", "title", "leaf", "payload", "payload_digest", "payload_key"})
LONGEST_TEXT = 300
MOST_NAMES = 500
KIND_NAME = re.compile(r"[a-z]+\.[a-z]+")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class EventError(ValueError):
    """The event is not what the registry says. The message names kind and field."""


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    title: str
    required: frozenset[str]
    optional: frozenset[str]
    # All that it may carry: required, optional and common; with what says what is wrong with a common one.
    checks: Mapping[str, Callable[[object], str | None] | None]


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return "must be text"
    return f"must be at most {LONGEST_TEXT} characters long" if len(value) > LONGEST_TEXT else None


def _verdict(value: object) -> str | None:
    return None if value in VERDICTS else f"must be one of {', '.join(VERDICTS)}"


def _risk(value: object) -> str | None:
    right = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100
    return None if right else "must be a whole number from 0 to 100"


def _uuid(value: object) -> str | None:
    return None if isinstance(value, str) and UUID.fullmatch(value) else "must be a UUID in lower case"


def _names(value: object) -> str | None:
    if not isinstance(value, list) or len(value) > MOST_NAMES:
        return f"must be a list of at most {MOST_NAMES} names"
    for name in value:
        if (type(name) is not str or len(name) > LONGEST_TEXT) and (wrong := _text(name)):
            return f"holds a name that {wrong}"
    return None


# What every kind may carry, and entries are found by (audit/following.py). Each check says what is wrong.
# The bounds keep values below what a database index accepts: one value too long must not fail a whole batch.
COMMON: dict[str, Callable[[object], str | None]] = {
    "principal": _text,
    "owner": _text,
    "door": _text,
    "datasource": _text,
    "environment": _text,
    "verdict": _verdict,
    "risk": _risk,
    "query": _uuid,
    "request": _uuid,
    "run": _text,
    "fingerprint": _text,
    "relations": _names,
    "classes": _names,
    "policies": _names,
    "on_behalf_of": _text,
    "actor": _text,
    "status": _text,
}

KINDS: dict[str, Kind] = {}


def register(name: str, title: str, *, required: Iterable[str] = (), optional: Iterable[str] = ()) -> Kind:
    required, optional = frozenset(required), frozenset(optional)
    kind = Kind(name, title, required, optional, {**dict.fromkeys(required | optional), **COMMON})
    if name in KINDS:
        raise EventError(f"the event kind {name!r} is registered twice")
    if not KIND_NAME.fullmatch(name) or not all(field.isascii() for field in required | optional):
        raise EventError(f"{name!r}: a kind is called `noun.verb` in small letters, and fields have ASCII names")
    if reserved := RESERVED & (kind.required | kind.optional):
        raise EventError(f"{name}: {', '.join(sorted(reserved))} cannot be the name of a field")
    KINDS[name] = kind
    return kind


def check_event(name: str, fields: Mapping[str, object]) -> dict[str, object]:
    """The event's fields as they are recorded: those that are None left out, enums and UUIDs as their text."""
    kind = KINDS.get(name)
    if kind is None:
        raise EventError(f"{name!r} is not a registered kind of event (audit/events.py)")
    checks = kind.checks
    present: dict[str, object] = {}
    for field, value in fields.items():
        if value is None:
            continue
        if field not in checks:
            raise EventError(f"{name}: there is no field {field!r} (audit/events.py lists them)")
        check = checks[field]
        if type(value) is not str:
            value = _plain(value)
        elif check is _text:
            # What nearly every field is, on a path that every statement takes.
            check = _text if len(value) > LONGEST_TEXT else None
        if check and (wrong := check(value)):
            raise EventError(f"{name}: {field} {wrong}")
        present[field] = value
    if missing := kind.required - present.keys():
        raise EventError(f"{name}: the field {', '.join(sorted(missing))} is missing")
    return present


def _plain(value: object) -> object:
    if type(value) is int or type(value) is list:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, uuid.UUID):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def clean_text(text: str, limit: int = LONGEST_TEXT) -> str:
    """Text from outside, made fit for a field: NUL and broken surrogates replaced, cut to `limit` characters."""
    if "\x00" in text or not text.isascii():
        text = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return text if len(text) <= limit else text[: limit - 1] + "…"
