"""The kinds of event that the ledger knows. An event of any other kind, or with a field of any other name, is refused.

To add a kind:
  1. register it at the bottom of this file: name (`noun.verb-in-the-past`), title for people, its own fields;
  2. name what every such event must carry in `required`, what it may carry in `optional`; the fields in `COMMON` are
     open to every kind and can be searched for;
  3. put nothing in a field that is sensitive or long: that goes into the entry's payload, which is encrypted;
  4. call `audit.ledger.append("noun.verb", …)` before the thing happens, or `append_within` in its transaction.
`tests/audit/test_events.py` and `docs/ledger.md` list the kinds; a test compares them.
"""

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


# --- Statements ---------------------------------------------------------------------------------------------------

_ASKED = (
    "sql_normal", "digest", "kinds", "functions", "hazards", "unknown", "policies", "purpose", "step", "model",
    "traceparent", "role", "columns", "masked", "message", "remedy", "credential", "catalogue_version",
    "policy_version", "engine", "obligations", "unmasked", "verb",
)  # fmt: skip

register("statement.intent", "Statement about to run", required=("principal", "datasource", "query"), optional=_ASKED)
register(
    "statement.outcome",
    "Statement ended",
    required=("principal", "datasource", "query", "status"),
    optional=(*_ASKED, "rows", "bytes", "duration_ms", "sqlstate", "error", "truncated", "read", "written", "intent"),
)
register("statement.denied", "Statement denied", required=("principal",), optional=(*_ASKED, "code", "error", "reason"))
register(
    "statement.parked", "Statement parked for review", required=("principal", "query"), optional=(*_ASKED, "required")
)
register(
    "statement.checked",
    "Statement checked, not run",
    required=("principal", "datasource"),
    optional=(*_ASKED, "code"),
)
register("statement.cancelled", "End of a statement asked for", required=("actor", "query"))
register("result.read", "Kept result read", required=("principal", "query"), optional=("format", "rows"))

# --- Requests and reviews -----------------------------------------------------------------------------------------

_REQUEST = ("digest", "sql_normal", "comment", "reason", "required", "expires_at", "state", "hazards", "policies")

register(
    "request.created",
    "Request created",
    required=("request",),
    optional=(*_REQUEST, "purpose", "kinds", "message"),
)
register("request.approved", "Request approved", required=("request",), optional=(*_REQUEST, "reviewers"))
register("request.rejected", "Request rejected", required=("request",), optional=(*_REQUEST, "reviewers"))
register("request.withdrawn", "Request withdrawn", required=("request",), optional=_REQUEST)
register("request.expired", "Request expired", required=("request",), optional=_REQUEST)
register("request.drifted", "Request drifted", required=("request",), optional=(*_REQUEST, "drift"))
register(
    "review.given", "Review given", required=("request", "actor"), optional=(*_REQUEST, "review", "group", "groups")
)
register(
    "execution.started",
    "Approved statement started",
    required=("request",),
    optional=("digest", "attempt", "transaction_id", "sql_normal"),
)
register(
    "execution.finished",
    "Approved statement ended",
    required=("request", "status"),
    optional=("digest", "attempt", "transaction_id", "rows", "bytes", "duration_ms", "sqlstate", "error", "sql_normal"),
)

# --- Governance ---------------------------------------------------------------------------------------------------

register(
    "policy.activated",
    "Policy set activated",
    required=("actor",),
    optional=("version", "digest", "name", "comment", "previous", "policies", "proposal", "reviewers"),
)
_PROPOSED = ("proposal", "digest", "base", "comment", "required", "policies", "state", "reason")
register("policy.proposed", "Policy set proposed", required=("actor", "proposal"), optional=_PROPOSED)
register(
    "policy.reviewed", "Proposed policy set reviewed", required=("actor", "proposal"), optional=(*_PROPOSED, "review")
)
register("policy.rejected", "Proposed policy set rejected", required=("proposal",), optional=_PROPOSED)
register("policy.closed", "Proposed policy set closed", required=("proposal",), optional=_PROPOSED)
register(
    "classification.changed",
    "Classification changed",
    required=("actor", "datasource"),
    optional=("column", "columns", "class", "data_class", "previous", "path", "origin", "changes"),
)
register(
    "classification.scanned",
    "Data source scanned for sensitive columns",
    required=("actor", "datasource", "status"),
    optional=("scan", "sample", "proposed", "accepted", "skipped", "columns", "error"),
)
register(
    "classification.rejected",
    "Proposed class rejected",
    required=("actor", "datasource", "column", "data_class"),
    optional=("confidence", "path"),
)
_DATASOURCE = ("name", "engine", "changes", "catalogue_version", "host", "database")
register("datasource.added", "Data source added", required=("actor", "datasource"), optional=_DATASOURCE)
register("datasource.changed", "Data source changed", required=("actor", "datasource"), optional=_DATASOURCE)
register(
    "datasource.synchronised",
    "Catalogue synchronised",
    required=("datasource",),
    optional=(*_DATASOURCE, "added", "removed", "changed", "columns"),
)

# --- Identity -----------------------------------------------------------------------------------------------------

_WHO = ("name", "agent", "user", "groups", "description", "changes", "is_active", "is_administrator")
register("agent.added", "Agent added", optional=_WHO)
register("agent.changed", "Agent changed", optional=_WHO)
register("agent.removed", "Agent removed", optional=_WHO)
register("user.added", "User added", optional=_WHO)
register("user.changed", "User changed", optional=_WHO)
register("user.removed", "User removed", optional=_WHO)
register("group.changed", "Group changed", optional=(*_WHO, "previous"))
_CREDENTIAL = ("holder", "credential", "prefix", "expires_at", "issued_by", "reason")
register("credential.issued", "Credential issued", required=("credential",), optional=_CREDENTIAL)
register("credential.revoked", "Credential revoked", required=("credential",), optional=_CREDENTIAL)
register(
    "credential.refused",
    "Credential refused",
    required=("reason", "count"),
    optional=(*_CREDENTIAL, "since"),
)
register("signin.succeeded", "Signed in", required=("principal",), optional=("address",))
register("signin.failed", "Sign-in failed", optional=("username", "address"))
register("signin.ended", "Signed out", required=("principal",), optional=("address",))

# --- The ledger itself --------------------------------------------------------------------------------------------

register(
    "checkpoint.published",
    "Checkpoint given to witnesses",
    required=("size", "root"),
    optional=("witnesses", "failed", "key"),
)
register("key.rotated", "Key of the log rotated", required=("key",), optional=("previous", "name", "reason"))
_WITNESS = ("name", "address", "verifier_key", "changes", "reason")
register("witness.added", "Witness added", required=("actor", "name"), optional=_WITNESS)
register("witness.changed", "Witness changed", required=("actor", "name"), optional=_WITNESS)
register("witness.removed", "Witness removed", required=("actor", "name"), optional=_WITNESS)
register(
    "subject.erased",
    "Content of a subject erased",
    required=("actor", "keys"),
    optional=("subject", "payloads", "reason", "first", "last"),
)
register(
    "archive.requested",
    "Archiving of old entries asked for",
    required=("actor", "before"),
    optional=("address",),
)
register(
    "ledger.pruned",
    "Entries moved to an archive",
    required=("first", "end", "sha256", "peaks"),
    optional=("address", "bytes", "since", "until", "reason"),
)
register(
    "ledger.verified",
    "Ledger verified",
    required=("status",),
    optional=("size", "root", "first", "fault", "checkpoint"),
)
register("payload.read", "Sensitive content of an entry read", required=("actor", "entry"), optional=("reason",))
_EXPORT = (
    "export",
    "format",
    "report",
    "filter",
    "first",
    "end",
    "rows",
    "bytes",
    "sha256",
    "limit",
    "payloads",
    "truncated",
    "start",
    "error",
    "reason",
)
register("export.requested", "Export asked for", required=("principal", "export", "format"), optional=_EXPORT)
register("export.refused", "Export refused", required=("principal", "format"), optional=(*_EXPORT, "message"))
register("export.finished", "Export ended", required=("principal", "export"), optional=_EXPORT)
register("export.downloaded", "Export taken away", required=("principal", "export"), optional=_EXPORT)
_FORWARDER = ("name", "address", "next", "changes", "reason")
register("forwarder.added", "Forwarder added", required=("actor", "name"), optional=_FORWARDER)
register("forwarder.changed", "Forwarder changed", required=("actor", "name"), optional=_FORWARDER)
register("forwarder.removed", "Forwarder removed", required=("actor", "name"), optional=_FORWARDER)
