"""A run of the scan over a data source: one at a time for each, every run in the ledger, nothing classified by it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
from celery import current_app
from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from audit import ledger
from audit.events import clean_text
from governance.catalogue import store
from governance.catalogue.connection import open_connection
from governance.catalogue.model import Catalogue, Relation, RelationName
from governance.catalogue.propagate import Classes
from governance.classification import classes_of
from governance.errors import GatewayError
from governance.models import ClassProposal, ClassScan, DataSource
from governance.scanning import proposals, sampling
from governance.scanning.columns import Found, columns_to_scan, findings_in
from governance.scanning.errors import ScanRefused
from governance.scanning.examples import masked_examples
from governance.scanning.validators import COUNTRIES, Detector, detectors

logger = logging.getLogger(__name__)
TASK = "governance.scan"
# A relation is bounded by its time-outs; a scan that has not moved for this long is not being worked on.
DEAD_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Options:
    sample: int = sampling.ROWS
    relation: RelationName | None = None
    countries: tuple[str, ...] = COUNTRIES


@dataclass(slots=True)
class Outcome:
    """`skipped`: relations that were not read, with why."""

    proposed: list[ClassProposal] = field(default_factory=list)
    rejected_before: int = 0
    relations: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)


Tell = Callable[[int, int, str], None]


def begin(datasource: DataSource, *, actor: str) -> ClassScan:
    """Raises `ScanRefused` while another one is under way."""
    close_dead(datasource)
    try:
        with transaction.atomic():
            scan = ClassScan.objects.create(datasource=datasource, started_by=actor)
            _record(scan, "started")
    except IntegrityError:
        raise ScanRefused(
            f"{datasource.name} is being scanned already.", remedy="Wait for it to end; its proposals will be the same."
        ) from None
    return scan


def request(datasource: DataSource, *, actor: str) -> ClassScan:
    """Hands a scan to a worker. Raises `ScanRefused`."""
    scan = begin(datasource, actor=actor)
    try:
        current_app.send_task(TASK, args=[scan.pk], queue="maintenance", retry=False)
    except BrokerError:
        _end(scan, ClassScan.State.FAILED, "The broker (Redis) did not take the task.")
        raise ScanRefused(
            "The broker (Redis) does not answer, so no worker can scan. Nothing was read.",
            remedy="Try again shortly, or scan on the machine: manage.py classify NAME --scan",
        ) from None
    return scan


def latest(datasource: DataSource) -> ClassScan | None:
    close_dead(datasource)
    return ClassScan.objects.filter(datasource=datasource).first()


def close_dead(datasource: DataSource) -> None:
    """A worker that was killed leaves its scan open; it must not be in the way for ever."""
    for scan in ClassScan.objects.filter(
        datasource=datasource, state__in=ClassScan.OPEN, touched_at__lt=timezone.now() - DEAD_AFTER
    ):
        _end(scan, ClassScan.State.FAILED, "It stopped without a word: its worker has died, or none is running.")


def run(scan: ClassScan, options: Options | None = None, tell: Tell = lambda done, total, name: None) -> Outcome | None:
    """None if somebody else has taken it. `tell` is called before each relation with how many are done, of how many."""
    waiting = ClassScan.objects.filter(pk=scan.pk, state=ClassScan.State.WAITING)
    if not waiting.update(state=ClassScan.State.RUNNING, touched_at=timezone.now()):
        return None
    with _ended_whatever_happens(scan):
        outcome = _scan(scan, options or Options(), tell)
        scan.proposed, scan.skipped = len(outcome.proposed), outcome.skipped[:500]
        _end(scan, ClassScan.State.FINISHED)
    return outcome


@contextmanager
def _ended_whatever_happens(scan: ClassScan) -> Iterator[None]:
    try:
        yield
    except GatewayError as error:
        _end(scan, ClassScan.State.FAILED, error.message)
        raise
    except BaseException as error:
        _end(scan, ClassScan.State.FAILED, f"It was broken off ({type(error).__name__}); the reason is in the log.")
        raise


def _scan(scan: ClassScan, options: Options, tell: Tell) -> Outcome:
    datasource = scan.datasource
    catalogue = store.current(datasource)
    classes = classes_of(datasource, catalogue)
    chosen = _chosen(datasource, catalogue, options.relation)
    known = detectors(timezone.now().date(), options.countries)
    outcome = Outcome(relations=len(chosen))
    with open_connection(datasource.dsn) as connection:
        for done, relation in enumerate(chosen):
            tell(done, len(chosen), relation.qualified)
            _touch(scan, done, len(chosen))
            if reason := sampling.why_not(catalogue, relation):
                outcome.skipped.append((relation.qualified, reason))
                continue
            reading = partial(_findings, connection, catalogue, relation, classes, known, options.sample)
            _scan_relation(datasource, connection, relation, reading, outcome)
    tell(len(chosen), len(chosen), "")
    _touch(scan, len(chosen), len(chosen))
    return outcome


def _chosen(datasource: DataSource, catalogue: Catalogue, only: RelationName | None) -> list[Relation]:
    if only is not None:
        relation = catalogue.relations.get(only)
        if relation is None or not sampling.holds_rows(relation):
            raise ScanRefused(
                f"{datasource.name} has no table {'.'.join(only)} with rows to scan.",
                remedy=f"Check the name; if it is new, synchronise first: datasource sync {datasource.name}",
            )
        return [relation]
    return sorted(filter(sampling.holds_rows, catalogue.relations.values()), key=lambda found: found.qualified)


def _scan_relation(
    datasource: DataSource,
    connection: psycopg.Connection[Any],
    relation: Relation,
    reading: Callable[[], list[tuple[Found, list[str]]]],
    outcome: Outcome,
) -> None:
    """What cannot be read is said and passed over; open proposals about it stay."""
    try:
        with connection.transaction():
            sampling.set_up(connection)
            found = reading()
    except psycopg.Error as error:
        if connection.closed:
            raise
        outcome.skipped.append((relation.qualified, sampling.reason_of(error)))
        return
    kept = proposals.keep(datasource, relation, found)
    outcome.proposed += kept.proposed
    outcome.rejected_before += kept.rejected_before


def _findings(
    connection: psycopg.Connection[Any],
    catalogue: Catalogue,
    relation: Relation,
    classes: Classes,
    known: Sequence[Detector],
    rows: int,
) -> list[tuple[Found, list[str]]]:
    classified = classes.get((relation.schema, relation.name), {})
    columns = columns_to_scan(catalogue, relation, classified)
    sample = sampling.read_sample(connection, relation, columns, rows)
    return [
        (one, masked_examples(connection, relation, one.column, one.path, one.finding.data_class))
        for one in findings_in(relation, columns, sample, classified, known)
    ]


def _touch(scan: ClassScan, done: int, total: int) -> None:
    scan.done, scan.total = done, total
    ClassScan.objects.filter(pk=scan.pk).update(done=done, total=total, touched_at=timezone.now())


def _end(scan: ClassScan, state: ClassScan.State, problem: str = "") -> None:
    with transaction.atomic():
        ended = ClassScan.objects.filter(pk=scan.pk, state__in=ClassScan.OPEN).update(
            state=state,
            problem=problem[:500],
            finished_at=timezone.now(),
            proposed=scan.proposed,
            skipped=scan.skipped,
        )
        scan.refresh_from_db()
        if ended:
            _record(scan, state.value)


def _record(scan: ClassScan, status: str) -> None:
    ended = status != "started"
    ledger.append_within(
        "classification.scanned",
        actor=scan.started_by,
        datasource=scan.datasource.name,
        environment=scan.datasource.environment,
        status=status,
        scan=scan.pk,
        proposed=scan.proposed if ended else None,
        skipped=len(scan.skipped) if ended else None,
        error=clean_text(scan.problem) if scan.problem else None,
    )
