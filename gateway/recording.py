"""What the ledger is told of a statement, and the query's row beside it (P3: first the ledger, then everything else)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from django.db import DatabaseError
from django.utils import timezone
from psycopg_pool import PoolTimeout

from audit import ledger
from audit.events import MOST_NAMES, clean_text
from audit.ledger import LedgerUnavailable, Receipt
from audit.verbs import verb_of
from gateway.drivers.base import Ending, Rows
from gateway.models import Query, QueryState
from gateway.submission import Submission
from governance.assessment import Assessment, decision_json, facts_json
from governance.errors import Cancelled, GatewayError, ServiceUnavailable
from governance.models import DataSource
from governance.policy.decision import Obligations
from identity.principals import Principal

SQL_NORMAL = 4000
MOST_LISTED = 50
# Three such and everything else together stay below what an entry may have (audit/entries.py).
LARGEST_LIST = 11_500
LARGEST_SHORT_LIST = 3_000


def record_intent(query: Query, assessment: Assessment, owner: str, **more: Any) -> Receipt:
    """Durable when it returns; only then may the statement run. The exact text and parameters are in the payload."""
    fields = {**_asked(query, owner), **_assessed(assessment), **_shown(assessment), **more}
    receipt = _append("statement.intent", fields, payload=payload_of(query))
    _update(
        query,
        **_assessed_columns(query),
        state=QueryState.RUNNING,
        ledger_index=receipt.index,
        ledger_leaf=receipt.leaf,
    )
    return receipt


def payload_of(query: Query) -> dict[str, Any]:
    """The exact text and parameters. Those of an undo are the rows that it restores: they are kept under seal with the
    request, for a set time, and the digest in the entry covers them."""
    if query.request is not None and query.request.reverts_id is not None:
        return {"sql": query.sql, "params": f"the rows that request {query.request.reverts_id} changed"}
    return {"sql": query.sql, "params": query.params}


def durable(
    query: Query, assessment: Assessment, besides: Callable[[Ending], None] | None = None
) -> Callable[[Ending], None] | None:
    """What a write does before its COMMIT: its transaction id becomes durable, so that after a crash the governed database can
    say whether it happened. `besides` may refuse first."""
    if assessment.facts.reads_only:
        return None

    def before_commit(ending: Ending) -> None:
        if besides is not None:
            besides(ending)
        _keep_transaction(query, ending)

    return before_commit


def _keep_transaction(query: Query, ending: Ending) -> None:
    running = Query.objects.filter(pk=query.pk, state=QueryState.RUNNING)
    try:
        kept = running.update(xid=ending.transaction_id, row_count=ending.changed)
    except (DatabaseError, PoolTimeout) as error:
        raise ServiceUnavailable(
            "The control database did not keep the transaction's id, so the change was rolled back.",
            remedy="Send it again shortly; the gateway recovers by itself.",
        ) from error
    if kept != 1:
        raise Cancelled("It was silent for so long that it was given up. It was rolled back: nothing was changed.")


def record_outcome(
    query: Query, assessment: Assessment, owner: str, intent: Receipt, rows: Rows, masked: list[str]
) -> Receipt:
    receipt = _append(
        "statement.outcome",
        {
            **_asked(query, owner),
            "status": "executed",
            "verdict": query.verdict or None,
            "risk": query.risk,
            "fingerprint": query.fingerprint,
            "relations": _relations(query.facts),
            **_does(assessment),
            "classes": _classes(assessment),
            **_shown(assessment),
            "intent": intent.index,
            "rows": rows.count,
            "bytes": rows.bytes,
            "duration_ms": round(rows.duration_ms),
            "truncated": rows.truncated,
            "columns": [clean_text(column.name, 100) for column in rows.columns][:MOST_LISTED],
            "masked": [clean_text(name, 100) for name in masked][:MOST_LISTED],
        },
    )
    _finish(query, QueryState.EXECUTED, receipt, row_count=rows.count, duration_ms=rows.duration_ms)
    return receipt


def record_failure(query: Query, owner: str, intent: Receipt, error: GatewayError, state: QueryState) -> Receipt:
    receipt = _append(
        "statement.outcome",
        {
            **_asked(query, owner),
            "status": state.value,
            "verdict": query.verdict or None,
            "risk": query.risk,
            "fingerprint": query.fingerprint,
            "relations": _relations(query.facts),
            "intent": intent.index,
            "sqlstate": error.sqlstate,
            "error": error.code,
        },
        payload={"message": error.message},
    )
    _finish(query, state, receipt, problem=problem_of(error), row_count=None)
    return receipt


def record_refusal(query: Query, owner: str, error: GatewayError, assessment: Assessment | None) -> Receipt:
    """Denied, or not even read: nothing was run, and the ledger says so."""
    fields = {**_asked(query, owner), **(_assessed(assessment) if assessment else {})}
    fields |= {"verdict": "deny", "code": error.code}
    payload = {"sql": query.sql, "params": query.params, "message": error.message}
    receipt = _append("statement.denied", fields, payload=payload)
    changes = _assessed_columns(query) | {"problem": problem_of(error), "verdict": "deny"}
    _finish(query, QueryState.DENIED, receipt, **changes)
    return receipt


def refuse(principal: Principal, query: Query, error: GatewayError, assessment: Assessment | None) -> GatewayError:
    """Records the refusal and gives the error to raise, with the query that it belongs to."""
    record_refusal(query, principal.owner, error, assessment)
    error.query = query
    return error


def record_check(submission: Submission, datasource: DataSource, assessment: Assessment | None, code: str = "") -> None:
    """Whoever tries out what policy lets through leaves a trace. `code`: why the text could not be read."""
    principal, run = submission.principal, submission.run
    asked = {
        "principal": principal.label,
        "owner": principal.owner,
        "door": submission.door,
        "datasource": datasource.name,
        "environment": datasource.environment,
        "credential": str(principal.credential_id) if principal.credential_id else None,
        **_context(run.id, run.step, run.model, run.traceparent, submission.on_behalf_of, submission.purpose),
    }
    told = _assessed(assessment) if assessment else {"verdict": "deny", "code": code}
    _append("statement.checked", {**asked, **told}, payload={"sql": submission.sql})


def record_reading(principal: Principal, query: Query, door: str, rows: int) -> None:
    """Rows that were kept leave once more, or for the first time where people had to approve."""
    fields = {
        "principal": principal.label,
        "owner": principal.owner,
        "door": door,
        "datasource": query.datasource.name,
        "environment": query.datasource.environment,
        "query": str(query.pk),
        "request": str(query.request_id) if query.request_id else None,
        "fingerprint": query.fingerprint or None,
        "rows": rows,
    }
    _append("result.read", fields)


def note_assessment(query: Query, assessment: Assessment) -> None:
    """On the row in memory; it is saved with the next step."""
    query.facts = facts_json(assessment.facts)
    query.decision = decision_json(assessment.decision, assessment.risk)
    query.verdict = assessment.decision.verdict.value
    query.risk = assessment.risk.score
    query.normal = assessment.facts.normal
    query.fingerprint = assessment.facts.fingerprint


def problem_of(error: GatewayError) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "code": error.code,
        "title": error.title,
        "status": error.status,
        "detail": error.message,
    }
    if error.remedy:
        problem["remedy"] = error.remedy
    if error.place is not None:
        problem["place"] = error.place
    if error.code in ("statement-failed", "cancelled"):
        problem["sqlstate"] = error.sqlstate
    return problem


def _append(kind: str, fields: dict[str, Any], payload: dict[str, Any] | None = None) -> Receipt:
    try:
        return ledger.append(kind, payload=payload, **fields)
    except LedgerUnavailable as error:
        message, remedy = UNRECORDED.get(kind, UNRECORDED[""])
        raise ServiceUnavailable(message, remedy=remedy) from error


UNRECORDED = {
    "": (
        "The ledger cannot record the statement, so it does not run.",
        "Try again shortly; the gateway recovers by itself.",
    ),
    "statement.outcome": (
        "The ledger cannot record what became of the statement, so no row leaves. A write may have been made.",
        "Look at the query's state before you send a write again; a read can simply be sent again.",
    ),
    "result.read": (
        "The ledger cannot record that the rows are read, so none leaves.",
        "Try again shortly; the gateway recovers by itself.",
    ),
    "statement.checked": (
        "The ledger cannot record the check, so nothing is told.",
        "Try again shortly; the gateway recovers by itself.",
    ),
}


def statement_fields(query: Query, assessment: Assessment, owner: str) -> dict[str, Any]:
    """For entries that are appended within a transaction of the caller's."""
    return {**_asked(query, owner), **_assessed(assessment)}


def _asked(query: Query, owner: str) -> dict[str, Any]:
    return {
        "principal": query.requester,
        "owner": owner,
        "door": query.door,
        "datasource": query.datasource.name,
        "environment": query.datasource.environment,
        "query": str(query.pk),
        **_context(query.run, query.step, query.model, query.traceparent, query.on_behalf_of, query.purpose),
        "credential": str(query.credential) if query.credential else None,
        "request": str(query.request_id) if query.request_id else None,
        "grant": str(query.grant_id) if query.grant_id else None,
    }


def _context(
    run: str, step: str, model: str, traceparent: str, on_behalf_of: str, purpose: str
) -> dict[str, str | None]:
    """What whoever asks says of itself."""
    return {
        "run": clean_text(run) or None,
        "step": clean_text(step) or None,
        "model": clean_text(model) or None,
        "traceparent": traceparent or None,
        "on_behalf_of": clean_text(on_behalf_of) or None,
        "purpose": clean_text(purpose) or None,
    }


def _assessed(assessment: Assessment) -> dict[str, Any]:
    facts, decision = assessment.facts, assessment.decision
    return {
        "verdict": decision.verdict.value,
        "risk": assessment.risk.score,
        "fingerprint": facts.fingerprint,
        "relations": fitting(sorted({use.qualified for use in facts.relations})),
        **_does(assessment),
        "hazards": sorted(facts.hazard_codes),
        "unknown": fitting([clean_text(unknown.what, 100) for unknown in facts.unknown][:MOST_LISTED], 6_000) or None,
        "policies": fitting(list(decision.policies), LARGEST_SHORT_LIST),
        "policy_version": decision.set_version,
        "catalogue_version": assessment.script.catalogue.version,
        "masked": fitting([f"{m.schema}.{m.relation}.{m.column}" for m in decision.obligations.masks]) or None,
        "obligations": _obligations(decision.obligations),
        "sql_normal": _cut(facts.normal),
        "classes": _classes(assessment),
    }


def _does(assessment: Assessment) -> dict[str, Any]:
    kinds = sorted(kind.value for kind in assessment.facts.kinds)
    return {"kinds": kinds, "verb": verb_of(kinds, assessment.facts.normal[:SQL_NORMAL]) or None}


def _classes(assessment: Assessment) -> list[str] | None:
    """The classes of data that it reads or writes, masked or not."""
    return fitting(list(assessment.touched.classes), LARGEST_SHORT_LIST) or None


def _shown(assessment: Assessment) -> dict[str, list[str] | None]:
    """Which of the classes whoever asked gets to see as they are; only where the statement runs."""
    return {"unmasked": fitting(list(assessment.touched.unmasked), LARGEST_SHORT_LIST) or None}


def _obligations(bound: Obligations) -> dict[str, Any] | None:
    """What the run is bound to besides masks. The condition of a row filter is in the policy set of that version."""
    filters = [clean_text(f"{one.schema}.{one.relation} by {one.policy}") for one in bound.row_filters]
    told: dict[str, Any] = {"row_filters": fitting(filters, LARGEST_SHORT_LIST)} if filters else {}
    if bound.max_rows is not None:
        told["max_rows"] = bound.max_rows
    return told or None


def fitting(names: list[str], most: int = LARGEST_LIST) -> list[str]:
    """As many of the names as fit into the open part of an entry; the analysis on the query's row has them all."""
    kept, size = [], 0
    for name in names[:MOST_NAMES]:
        size += len(orjson.dumps(name)) + 1
        if size > most:
            break
        kept.append(name)
    return kept


def _cut(normal: str) -> str:
    text = clean_text(normal, SQL_NORMAL)
    while len(orjson.dumps(text)) > LARGEST_LIST:
        text = clean_text(text, len(text) * 3 // 4)
    return text


def _relations(facts: dict[str, Any] | None) -> list[str] | None:
    if not facts:
        return None
    return fitting(sorted({f"{use['schema']}.{use['name']}" for use in facts["relations"]}))


def _finish(query: Query, state: QueryState, receipt: Receipt, **changes: Any) -> None:
    _update(
        query,
        state=state,
        ledger_index=receipt.index,
        ledger_leaf=receipt.leaf,
        finished_at=timezone.now(),
        **changes,
    )


def _assessed_columns(query: Query) -> dict[str, Any]:
    """What `note_assessment` put on the row in memory; saved once, with the first step after it."""
    return {name: getattr(query, name) for name in ("facts", "decision", "verdict", "risk", "normal", "fingerprint")}


def _update(query: Query, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(query, name, value)
    try:
        # One statement is its own transaction.
        Query.objects.filter(pk=query.pk).update(**changes)
    except DatabaseError as error:
        raise ServiceUnavailable(
            "The control database does not answer. What was recorded in the ledger stands.",
            remedy="Look at the query's state when it is back.",
        ) from error
