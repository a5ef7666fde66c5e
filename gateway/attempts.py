"""One attempt at what people approved: it begins, becomes durable before COMMIT, and ends, each with its entry.

The attempt's number guards every step: who lost it (its process was stopped, cut off, or taken for dead) can neither commit
nor say what became of the request.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from approvals import services as approvals
from approvals.agreement import agreed_row_bound
from approvals.impact.access import tells_of_masked_values
from approvals.impact.service import carried_bound
from approvals.models import Request
from approvals.services import LostRace
from approvals.states import Action, State
from audit import ledger
from audit.events import clean_text
from gateway import catalogues
from gateway.drivers.base import Ending, Rows
from gateway.models import Query, QueryState
from gateway.queries import without_database_text
from gateway.recording import problem_of
from gateway.results import store_result
from gateway.undo.capture import Capture
from gateway.work import masked_names
from governance.assessment import Assessment
from governance.errors import Cancelled, GatewayError


class OutOfBounds(Exception):
    """It would change more rows than were approved, or fewer than it is about. Raised before COMMIT: nothing was changed."""


@transaction.atomic
def begin(request: Request) -> int:
    """The attempt's number. Two processes cannot both get here: the UPDATE is guarded by state and attempt."""
    attempt = request.attempt + 1
    approvals.move(request, Action.START, guard={"attempt": request.attempt}, attempt=attempt, xid="", outcome=None)
    entry("execution.started", request, attempt=attempt)
    return attempt


# --- Before COMMIT ------------------------------------------------------------------------------------------------


@transaction.atomic
def make_durable(request: Request, attempt: int, capture: Capture | None, ending: Ending) -> None:
    """If the attempt was taken away meanwhile, or the bound is exceeded, or the rows for a promised undo are not there, this
    raises and the transaction is rolled back."""
    if ending.transaction_id:
        check_bounds(request, ending.changed, ending.touched)
    mine = Request.objects.filter(pk=request.pk, state=State.EXECUTING, attempt=attempt)
    if mine.update(xid=ending.transaction_id, outcome={"row_count": ending.changed}) != 1:
        raise LostRace(f"attempt {attempt} of request {request.pk} was taken away")
    if capture is not None:
        capture.keep(request, attempt, ending)


def check_bounds(request: Request, changed: int, touched: int | None = None) -> None:
    """`touched`: with the rows that triggers, foreign keys and functions changed besides. Raises `OutOfBounds`."""
    most = agreed_row_bound(request, request.row_bound)
    if request.row_floor is not None and changed < request.row_floor:
        raise OutOfBounds(_too_few(request, changed, request.row_floor))
    if most is not None and changed > most:
        raise OutOfBounds(_too_many(request, changed, most))
    at_all = carried_bound(request, most)
    if touched is not None and at_all is not None and touched > at_all:
        raise OutOfBounds(_carried_too_many(request, touched, at_all))


def _carried_too_many(request: Request, touched: int, most: int) -> str:
    if tells_of_masked_values(request.facts, request.decision):
        return "With what it carries on to other relations it would have changed more rows than were approved."
    return (
        f"With what it carries on to other relations it would have changed {_rows(touched)};"
        f" {most:,} at all follow from what was measured and approved."
    )


def _too_many(request: Request, changed: int, most: int) -> str:
    """Without a number where it would tell whoever asked what is in columns that are masked for them."""
    if tells_of_masked_values(request.facts, request.decision):
        return "It would have changed more rows than were approved."
    return f"It would have changed {_rows(changed)}; {most} were approved."


def _too_few(request: Request, changed: int, floor: int) -> str:
    if tells_of_masked_values(request.facts, request.decision):
        return "Some of the rows that it is about have changed since, or are gone."
    missing = floor - changed
    have = "has changed since, or is gone" if missing == 1 else "have changed since, or are gone"
    return f"It would have changed {changed} of {floor} rows: {missing} {have}."


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


# --- Its end ------------------------------------------------------------------------------------------------------


def finish(query: Query, request: Request, attempt: int, rows: Rows, assessment: Assessment) -> str:
    request.refresh_from_db(fields=["xid"])
    outcome = {"row_count": rows.count, "duration_ms": rows.duration_ms}
    with transaction.atomic():
        approvals.move(request, Action.FINISH, guard={"attempt": attempt}, outcome=outcome, finished_at=timezone.now())
        store_result(query, rows, masked_names(assessment, rows))
        receipt = entry(
            "execution.finished", request, attempt=attempt, status="executed", rows=rows.count, bytes=rows.bytes,
            duration_ms=round(rows.duration_ms), transaction_id=request.xid or None,
        )  # fmt: skip
        close(query, QueryState.EXECUTED, receipt, row_count=rows.count, duration_ms=rows.duration_ms)
    catalogues.read_after(query.datasource, assessment.facts)
    return State.EXECUTED


def fail(query: Query, request: Request, attempt: int, error: GatewayError) -> str:
    state = QueryState.CANCELLED if isinstance(error, Cancelled) else QueryState.FAILED
    problem = problem_of(error)
    with transaction.atomic():
        approvals.move(
            request, Action.FAIL, guard={"attempt": attempt}, outcome={"problem": without_database_text(problem)},
            finished_at=timezone.now(),
        )  # fmt: skip
        receipt = entry(
            "execution.finished",
            request,
            attempt=attempt,
            status=state.value,
            sqlstate=error.sqlstate,
            error=error.code,
        )
        close(query, state, receipt, problem=problem)
    return State.FAILED


def entry(kind: str, request: Request, **fields: Any) -> ledger.Receipt:
    """Within the caller's transaction."""
    return ledger.append_within(
        kind,
        request=str(request.pk),
        query=str(request.query.pk),
        principal=request.requester,
        owner=request.owner.username,
        datasource=request.datasource.name,
        environment=request.datasource.environment,
        risk=request.risk,
        digest=request.digest,
        sql_normal=clean_text(request.normal, 4000),
        **fields,
    )


def close(query: Query, state: QueryState, receipt: ledger.Receipt, **changes: Any) -> None:
    changes |= {
        "state": state,
        "finished_at": timezone.now(),
        "ledger_index": receipt.index,
        "ledger_leaf": receipt.leaf,
    }
    Query.objects.filter(pk=query.pk).update(**changes)
