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

from audit.registry import (
    COMMON,
    KIND_NAME,
    KINDS,
    LONGEST_TEXT,
    MOST_NAMES,
    RESERVED,
    UUID,
    VERDICTS,
    EventError,
    Kind,
    check_event,
    clean_text,
    register,
)

__all__ = [
    "COMMON",
    "KINDS",
    "KIND_NAME",
    "LONGEST_TEXT",
    "MOST_NAMES",
    "RESERVED",
    "UUID",
    "VERDICTS",
    "EventError",
    "Kind",
    "check_event",
    "clean_text",
    "register",
]

# --- Statements ---------------------------------------------------------------------------------------------------

_ASKED = (
    "sql_normal", "digest", "kinds", "functions", "hazards", "unknown", "policies", "purpose", "step", "model",
    "traceparent", "role", "columns", "masked", "message", "remedy", "credential", "catalogue_version",
    "policy_version", "engine", "obligations", "unmasked", "verb", "grant",
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
    "review.given",
    "Review given",
    required=("request", "actor"),
    optional=(
        *_REQUEST,
        "review",
        "group",
        "groups",
        "revision",
        "delegated_by",
        "second_factor_at",
        "row_bound",
        "grant",
        "max_uses",
        "seconds",
    ),
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

register("request.edited", "Request edited", required=("request", "actor"), optional=(*_REQUEST, "revision"))
register(
    "request.scheduled",
    "Time of a run set",
    required=("request", "actor"),
    optional=(*_REQUEST, "run_at", "not_before"),
)
register("request.reminded", "Reviewers reminded", required=("request",), optional=(*_REQUEST, "lacking"))
register("request.escalated", "Request escalated", required=("request",), optional=(*_REQUEST, "lacking", "groups"))
register(
    "request.settled",
    "Request settled without a run",
    required=("request",),
    optional=(*_REQUEST, "grant", "reviewers"),
)
register(
    "impact.started", "Trial run started, to be rolled back", required=("request",), optional=("digest", "revision")
)
register(
    "impact.measured",
    "Impact measured",
    required=("request", "status"),
    optional=("digest", "revision", "rows", "estimated_rows", "table_rows", "duration_ms", "sqlstate", "reason"),
)
_HELD = ("query", "seconds", "reason", "state", "in_transaction")
register("statement.held", "Session waits for a review", required=("request", "principal"), optional=_HELD)
register(
    "undo.kept",
    "Rows kept as they were before the change",
    required=("request", "rows"),
    optional=("digest", "relation", "action", "bytes", "expires_at", "transaction_id", "attempt"),
)
register("undo.emptied", "Kept rows deleted", required=("request",), optional=("digest", "rows", "reason"))
register(
    "undo.requested",
    "Change asked to be taken back",
    required=("request", "actor"),
    optional=("digest", "reverts", "rows"),
)
_ABSENCE = ("person", "delegate", "starts_at", "ends_at", "reason", "absence")
register("absence.set", "Absence set", required=("actor", "person", "delegate"), optional=_ABSENCE)
register("absence.ended", "Absence ended", required=("actor", "person"), optional=_ABSENCE)

# --- Grants -------------------------------------------------------------------------------------------------------

_GRANT = (
    "request", "sort", "group", "uses", "max_uses", "expires_at", "reason", "row_bound", "changes", "actor",
    "sql_normal", "comment", "seconds", "policies", "message",
)  # fmt: skip
register("grant.given", "Standing permission given", required=("grant", "principal", "datasource"), optional=_GRANT)
register("grant.used", "Standing permission used", required=("grant", "principal", "query"), optional=_GRANT)
register("grant.narrowed", "Standing permission cut down", required=("grant", "actor"), optional=_GRANT)
register("grant.revoked", "Standing permission revoked", required=("grant", "actor"), optional=_GRANT)
register("grant.ended", "Standing permission ended", required=("grant",), optional=_GRANT)
register("grant.refused", "Standing permission refused", required=("principal",), optional=("grant", *_GRANT))
register("glass.broken", "Glass broken in an emergency", required=("grant", "principal", "reason"), optional=_GRANT)
register("glass.mended", "Emergency ended, and to be reviewed", required=("grant", "principal"), optional=_GRANT)

# --- Notification -------------------------------------------------------------------------------------------------

_TOLD = ("notification", "recipient", "event", "request", "grant", "attempts", "error", "count")
register("notification.sent", "Notification sent", required=("recipient", "event"), optional=_TOLD)
register("notification.failed", "Notification given up", required=("recipient", "event"), optional=_TOLD)
_WEBHOOK = ("name", "address", "format", "events", "groups", "changes", "reason", "is_active")
register("webhook.added", "Webhook added", required=("actor", "name"), optional=_WEBHOOK)
register("webhook.changed", "Webhook changed", required=("actor", "name"), optional=_WEBHOOK)
register("webhook.removed", "Webhook removed", required=("actor", "name"), optional=_WEBHOOK)

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
_FACTOR = ("user", "factor", "name", "actor", "address", "reason")
register("factor.added", "Second factor added", required=("user", "factor"), optional=_FACTOR)
register("factor.removed", "Second factor removed", required=("user", "factor"), optional=_FACTOR)
register("factor.shown", "Second factor shown", required=("user", "factor"), optional=_FACTOR)
register("factor.refused", "Second factor refused", required=("user",), optional=_FACTOR)

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
