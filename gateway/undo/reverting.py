"""Takes back what an approved statement changed: a new request, whose statement restores exactly the kept rows.

It always goes to people, and whoever asks for it is its requester (P5). It runs like any other approved statement, and only if
all of the rows are still as the change left them: it is bound to their number from below and from above.
"""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass

from django.db import transaction

from approvals import services as approvals
from approvals.asking import terms_of
from approvals.models import Request, UndoLog
from approvals.moving import lock, record
from approvals.undo.keeping import images_of, kept_of, log_of, standing_revert
from approvals.undo.restoring import Kept, Restoring, restoring, still_there
from approvals.undo.showing import may_revert
from approvals.undo.values import Image
from gateway.admission import asking_of
from gateway.drivers import driver_for
from gateway.drivers.base import Limits, Step, Work
from gateway.models import Door, Query
from gateway.parking import park
from gateway.recording import note_assessment, refuse
from gateway.services_check import require_coordination
from gateway.work import source_of
from governance.assessment import Assessment, assess
from governance.catalogue import store as catalogue_store
from governance.catalogue.model import Relation
from governance.datasources import fetch_datasource_for
from governance.errors import Denied, GatewayError
from governance.models import DataSource
from governance.policy.decision import RequiredReview, Terms, Verdict
from identity.principals import Principal

LONGEST_WAIT_MS = 60_000


class NoUndo(GatewayError):
    """There is nothing that could be taken back, or this person may not ask for it."""

    code = "no-undo"
    title = "It cannot be taken back"
    status = 409


@dataclass(frozen=True, slots=True)
class Reverted:
    """The request that was made. `left_out`: rows that others have changed since, which it leaves as they are."""

    request: Request
    rows: int
    left_out: int


def revert(
    principal: Principal,
    request_id: uuid.UUID,
    *,
    only_unchanged: bool = False,
    reason: str = "",
    door: Door = Door.WEB,
) -> Reverted:
    """Raises `UnknownRequest`, `NoUndo`, `Denied` or another `GatewayError`; then nothing was asked for."""
    require_coordination()
    original = approvals.fetch_request_for(principal, request_id)
    if not may_revert(original, principal):
        raise NoUndo("Only people who asked for it, own the agent that did, or review it can ask to take it back.")
    log = _kept_rows(original)
    datasource = fetch_datasource_for(principal, original.datasource.name)
    kept = _still_fitting(datasource, log)
    images = list(images_of(log))
    chosen = _unchanged(datasource, kept, images) if only_unchanged else images
    statement = restoring(kept, chosen) if chosen else Restoring("", [], 0)
    if not statement.rows:
        raise NoUndo(_nothing(images, only_unchanged=only_unchanged))
    query = _query(principal, datasource, original, statement, reason, door)
    assessment = _decided(principal, query, original)
    with transaction.atomic():
        _check_once(lock(original.pk))
        park(principal, query, assessment, reverts=original, row_bound=statement.rows, row_floor=statement.rows)
        request = query.request
        assert request is not None  # noqa: S101  park made it
        record(original, "undo.requested", actor=principal.label, reverts=str(request.pk), rows=statement.rows)
    return Reverted(request, statement.rows, len(images) - len(chosen))


# --- Whether it can be --------------------------------------------------------------------------------------------


def _kept_rows(original: Request) -> UndoLog:
    log = log_of(original)
    if log is None:
        raise NoUndo("No rows are kept of it: there was no exact undo, it did not run, or the time for it is over.")
    _check_once(original)
    return log


def _check_once(original: Request) -> None:
    standing = standing_revert(original)
    if standing is not None:
        raise NoUndo(
            f"Request {standing.pk}, which takes it back, is {standing.state}.",
            remedy="Look at that request; what it did can be taken back in turn.",
        )


def _still_fitting(datasource: DataSource, log: UndoLog) -> Kept:
    """The relation as it is now must have the columns that were kept, and their types."""
    catalogue_store.synchronise(datasource, actor="gateway")
    relation = catalogue_store.current(datasource).relations.get((log.schema, log.relation))
    if relation is None:
        raise NoUndo(f"{log.schema}.{log.relation} is not there any more.")
    if _stored(relation) != [tuple(column) for column in log.columns]:
        raise NoUndo(
            f"The columns of {relation.qualified} are not those that were kept.",
            remedy="Put the columns back, or restore the rows with a statement of your own.",
        )
    if not any(frozenset(log.key) == key for key in relation.keys):
        raise NoUndo(f"{', '.join(log.key)} is no longer a key of {relation.qualified}.")
    return kept_of(log, relation.kind)


def _stored(relation: Relation) -> list[tuple[str, str]]:
    return [(column.name, column.type) for column in relation.columns if not column.generated]


def _nothing(images: list[Image], *, only_unchanged: bool) -> str:
    if only_unchanged:
        return f"All {len(images)} rows have been changed since: there is nothing left to restore."
    return "It changed no row to another value: there is nothing to restore."


# --- The statement ------------------------------------------------------------------------------------------------


def _unchanged(datasource: DataSource, kept: Kept, images: list[Image]) -> list[Image]:
    """Those that are still as the change left them. What others have changed since is theirs."""
    question = still_there(kept, images)
    work = Work(
        steps=(Step(question.sql),),
        params=tuple(question.params),
        limits=Limits(len(images) + 1, 32 * (len(images) + 10), LONGEST_WAIT_MS, datasource.lock_timeout_ms),
        read_only=True,
        started=lambda _: None,
        ended=lambda: None,
        still_wanted=lambda: None,
    )
    rows = driver_for(datasource.engine).run(source_of(datasource), work).rows
    return [images[place - 1] for place in sorted(int(row[0]) for row in rows)]


def _query(
    principal: Principal, datasource: DataSource, original: Request, statement: Restoring, reason: str, door: Door
) -> Query:
    """Not saved: where policy denies it, the rows are nowhere but where they were."""
    purpose = f"Take back what request {original.pk} changed: {statement.rows} rows." + (f" {reason}" if reason else "")
    return Query(
        requester=principal.label,
        user_id=principal.id,
        credential=principal.credential_id,
        datasource=datasource,
        door=door,
        sql=statement.sql,
        params=statement.params,
        purpose=purpose,
    )


def _decided(principal: Principal, query: Query, original: Request) -> Assessment:
    """What policy says, and at least the reviews that the change itself needed."""
    assessment = assess(query.datasource, query.sql, asking_of(principal, query))
    note_assessment(query, assessment)
    decision = assessment.decision
    if decision.verdict is Verdict.DENY:
        query.params = []
        query.save(force_insert=True)
        raise refuse(principal, query, Denied(decision.message, remedy=decision.remedy), assessment)
    needed = {*decision.required, *_required(original)}
    decision = dataclasses.replace(
        decision,
        verdict=Verdict.REVIEW,
        required=tuple(sorted(needed)),
        terms=_strictest(decision.terms, terms_of(original)),
        message=f"Taking back a change always goes to people. {decision.message}".strip(),
    )
    query.verdict = decision.verdict.value
    return dataclasses.replace(assessment, decision=decision)


def _required(original: Request) -> list[RequiredReview]:
    names = {field.name for field in dataclasses.fields(RequiredReview)}
    return [
        RequiredReview(**{name: value for name, value in one.items() if name in names}) for one in original.required
    ]


def _strictest(one: Terms, other: Terms) -> Terms:
    """Nothing but this one run can be given with it."""
    fresh = [seconds for seconds in (one.step_up, other.step_up) if seconds]
    reminders = [seconds for seconds in (one.remind_after, other.remind_after) if seconds]
    windows = tuple(dict.fromkeys((*one.windows, *other.windows)))
    return Terms(min(fresh, default=0), windows, 0, min(reminders, default=0))
