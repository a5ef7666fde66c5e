"""What a driver has seen of a request, as what is kept of it."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings

from approvals.impact.content import Change, Content, Sample, SampleRow, Undo
from approvals.impact.service import Measurement
from approvals.undo import Possible
from gateway.measuring import effects, failures, refusals, sampling
from gateway.measuring.asking import Asked
from gateway.measuring.trial import Run, Seen
from gateway.undo.capture import too_large
from governance.analysis.facts import Use
from governance.assessment import Assessment

OTHER_FORM = "The rows of this form of statement cannot be shown."
REFUSED_FORM = "The rows could not be shown: the database refuses the statement in the form that shows them."


def unseen(assessment: Assessment, why: str) -> Measurement:
    """Of what is neither run nor planned."""
    return Measurement(_outline(assessment), problem=why)


def measurement(asked: Asked, seen: Seen, not_tried: str, undo: Possible) -> Measurement:
    """`not_tried`: why it was not tried out, where that was settled before."""
    content = replace(_outline(asked.assessment), sizes=seen.sizes)
    content = replace(content, undo=_undo(undo, content, seen))
    found = Measurement(content, estimated_rows=seen.estimated_rows, table_rows=_table_rows(content))
    if seen.run is not None:
        with_run = _with_run(content, asked, seen.run)
        return replace(found, content=with_run, rows=seen.run.rows, duration_ms=seen.run.duration_ms)
    if seen.refused is None:
        return found if content.reads_only else replace(found, problem=not_tried or seen.too_large)
    if problem := failures.passing(seen.refused, settings.DRY_RUN_MS, settings.DRY_RUN_LOCK_MS):
        return replace(found, content=replace(content, passing=True), problem=problem)
    return replace(found, content=replace(content, tried=True, failure=failures.failure(seen.refused)))


def _outline(assessment: Assessment) -> Content:
    """What is known of it without the data source."""
    facts = assessment.facts
    return Content(
        reads_only=facts.reads_only,
        defines=bool(facts.kinds & refusals.DEFINING),
        targets=tuple(".".join(name) for name in effects.targets_of(assessment.script)),
    )


def _undo(found: Possible, content: Content, seen: Seen) -> Undo | None:
    if content.reads_only:
        return None
    if found.undoable is not None and seen.run and (why := too_large(found.undoable, seen.run.rows)):
        return Undo(False, why)
    return Undo(found.yes, found.why_not)


def _table_rows(content: Content) -> int | None:
    """Of the largest relation among those that it names."""
    rows = [size.rows for size in content.sizes if size.qualified in content.targets and size.rows is not None]
    return max(rows, default=None)


def _with_run(content: Content, asked: Asked, run: Run) -> Content:
    script, facts = asked.assessment.script, asked.assessment.facts
    changes = effects.changes_of(run.counted, script)
    samples = _samples(asked, run)
    truncated = tuple(sorted({use.qualified for use in facts.relations if use.use is Use.TRUNCATE}))
    return replace(
        content,
        tried=True,
        changes=changes or _uncounted(content, facts.written, run.rows),
        truncated=truncated,
        triggers=effects.triggers_of(changes, facts, script.catalogue),
        locks=run.locks,
        waiting=run.waiting,
        sequences=run.sequences,
        rewritten=tuple(name for name in map(".".join, run.rewritten) if name not in truncated),
        samples=samples,
        no_sample="" if samples or not run.rows else _why_no_sample(asked),
    )


def _uncounted(content: Content, written: tuple[str, ...], rows: int) -> tuple[Change, ...]:
    """A server that keeps no counts (track_counts) still tells how many rows the statement changed."""
    if not rows or len(content.targets) != 1 or content.targets[0] not in written:
        return ()
    schema, _, name = content.targets[0].partition(".")
    return (Change(schema, name, 0, rows, 0),)


def _why_no_sample(asked: Asked) -> str:
    if asked.problem:
        return f"The rows could not be shown: {asked.problem}"
    return REFUSED_FORM if any(asked.showings) else OTHER_FORM


def _samples(asked: Asked, run: Run) -> tuple[Sample, ...]:
    """In the order of the statements, and not more rows than a page takes."""
    left, found = sampling.MOST_ROWS, []
    for showing, answer in zip(asked.showings, run.samples, strict=True):
        rows: tuple[SampleRow, ...] = sampling.rows_of(showing, answer)[:left] if showing and answer else ()
        if showing and rows:
            found.append(Sample(showing.relation.qualified, rows, sampling.count_of(answer or ())))
            left -= len(rows)
    return tuple(found)
