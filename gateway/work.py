"""The run itself: the rewritten statement, bounded, through the data source's driver."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Protocol

from pglast import ast

from gateway.drivers import driver_for
from gateway.drivers.base import CommitUnknown, Ending, Limits, Rows, Source, Step, Work
from gateway.models import Query
from gateway.outside import what_stays
from gateway.running import RunningStatement
from governance.analysis.facts import Kind
from governance.assessment import Assessment
from governance.errors import Cancelled, DataSourceUnavailable, DriverFailed
from governance.inheritance import carry_classes
from governance.masking.outputs import asked_in, masked_outputs
from governance.masking.rewrite import place_before
from governance.models import DataSource
from governance.pseudonyms import settings_for

# An index alone can answer for its columns, in the order of their raw values: rows would come sorted by what is masked.
UNSORTED = (("enable_indexonlyscan", "off"),)
SENSITIVE_WRITE = "sensitive-in-write"


class Capture(Protocol):
    """How a statement is run so that it shows the rows that it changes (gateway/undo/capture.py)."""

    @property
    def isolation(self) -> str: ...

    def steps(self, params: list[Any]) -> tuple[Step, ...]: ...


class CommitInDoubt(DataSourceUnavailable):
    """The connection broke during COMMIT: whether the change is there is not known here."""

    code = "commit-in-doubt"
    title = "The data source broke off during COMMIT"


def source_of(datasource: DataSource) -> Source:
    key = hashlib.sha256(f"{datasource.pk}\0{datasource.dsn}\0{datasource.concurrency}".encode()).hexdigest()
    return Source(key, datasource.name, datasource.dsn, tuple(datasource.search_path), datasource.concurrency)


def limits_of(query: Query, assessment: Assessment) -> Limits:
    """The narrowest of what the data source, the decision and the caller say."""
    datasource = query.datasource
    asked = (datasource.max_rows, assessment.decision.obligations.max_rows, query.max_rows)
    return Limits(
        max_rows=min(limit for limit in asked if limit is not None),
        max_bytes=datasource.max_bytes,
        statement_timeout_ms=datasource.statement_timeout_ms,
        lock_timeout_ms=datasource.lock_timeout_ms,
    )


def steps_of(assessment: Assessment) -> tuple[Step, ...]:
    return tuple(
        Step(text, isinstance(analysis.parsed.statement, ast.CopyStmt), analysis.facts.reads_only)
        for text, analysis in zip(assessment.texts, assessment.script.statements, strict=True)
    )


def settings_of(datasource: DataSource, assessment: Assessment) -> tuple[tuple[str, str], ...]:
    """The key of pseudonyms is in the session only where a text needs it."""
    if not assessment.is_rewritten:
        return ()
    settings = settings_for(datasource, assessment.decision.obligations.masks)
    return (*settings, *UNSORTED) if _masks_an_index(assessment) else settings


def _masks_an_index(assessment: Assessment) -> bool:
    relations = assessment.script.catalogue.relations
    return any(
        name in relations and not relations[name].indexed.isdisjoint(columns)
        for plan in assessment.plans
        for name, columns in plan.without_scrubbing().masks.items()
    )


def run(
    query: Query,
    assessment: Assessment,
    statement: RunningStatement,
    *,
    before_commit: Callable[[Ending], None] | None = None,
    isolated: bool = False,
    capture: Capture | None = None,
) -> Rows:
    """Raises a `GatewayError`; `CommitInDoubt` where only the database can say what became of it. `capture`: the rows that it
    changes are shown to `before_commit`."""
    _check_parameters(query, assessment)
    carry_classes(query.datasource, assessment.script, assessment.plans, actor=query.requester)
    work = Work(
        steps=capture.steps(query.params) if capture else steps_of(assessment),
        params=tuple(query.params),
        limits=limits_of(query, assessment),
        read_only=assessment.facts.reads_only,
        started=statement.started,
        ended=statement.ended,
        still_wanted=statement.still_wanted,
        before_commit=before_commit,
        isolated=isolated,
        isolation=(capture.isolation if capture else "") or assessment.script.frame.isolation,
        settings=settings_of(query.datasource, assessment),
        outside_transaction=assessment.facts.outside_transaction,
    )
    try:
        return driver_for(query.datasource.engine).run(source_of(query.datasource), work)
    except Cancelled as error:
        error.remedy = f"{error.remedy} {what_stays(assessment)}".strip()
        raise
    except DriverFailed as error:
        error.remedy = f"{error.remedy} {what_stays(assessment)}".strip()
        error.place = _place_asked(error, assessment, work.steps[error.step].sql)
        raise _without_values(error, assessment) from error
    except CommitUnknown as error:
        raise CommitInDoubt(
            "The connection broke while the change was being committed: it may or may not be there.",
            remedy=f"Look at the data before you send it again. {what_stays(assessment)}".strip(),
        ) from error


def _place_asked(error: DriverFailed, assessment: Assessment, ran: str) -> int | None:
    """In the text as it was sent: whoever asked has never seen the rewritten one, nor what a capture adds to its end."""
    if error.place is None or not assessment.texts[error.step].startswith(ran[: error.place + 1]):
        return None
    analysis = assessment.script.statements[error.step]
    place = place_before(analysis, assessment.plans[error.step], error.place)
    return None if place is None else analysis.parsed.start + place


def _without_values(error: DriverFailed, assessment: Assessment) -> DriverFailed:
    """A write or a definition that touches sensitive columns runs on the raw values once people approved it, and the
    database's message may quote one (P2): `invalid input syntax for type integer: "…"`."""
    defines = Kind.DDL in assessment.facts.kinds and bool(assessment.decision.obligations.masks)
    if SENSITIVE_WRITE not in assessment.facts.hazard_codes and not defines:
        return error
    return DriverFailed(
        f"The database refused the statement with SQLSTATE {error.sqlstate}. Its message may quote values that are masked"
        " for whoever asked, so it is not shown.",
        remedy=error.remedy,
        sqlstate=error.sqlstate,
    )


def masked_names(assessment: Assessment, rows: Rows) -> tuple[bool, ...]:
    """Of a COPY's lines: whether any value in them may be masked."""
    step = asked_in(assessment.script.statements, rows.step)
    analysis, plan = assessment.script.statements[step], assessment.plans[step]
    if isinstance(analysis.parsed.statement, ast.CopyStmt):
        return tuple(plan.concerns(analysis) for _ in rows.columns)
    return masked_outputs(analysis, plan, [column.name for column in rows.columns])


def _parameters(used: int) -> str:
    return {0: "no parameters", 1: "one parameter ($1)"}.get(used, f"{used} parameters ($1 to ${used})")


def _check_parameters(query: Query, assessment: Assessment) -> None:
    given, used = len(query.params), assessment.facts.parameters
    if given != used:
        raise DriverFailed(
            f"The statement uses {_parameters(used)}; sent with it: {given}.",
            remedy="Send one value for each $n, in order." if used else "Leave the values out.",
            sqlstate="08P01",
        )
