"""What of a request is put to the driver: its statements, each with the form that shows rows, and the masks of what they show.

A sample is seen by several people, so it carries the masks of all classified columns, whatever policy lets any of them see, and
besides those that hold for whoever asked; text that nobody classified is scrubbed.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from pglast import ast

from gateway.measuring import refusals, sampling
from gateway.measuring.sampling import Showing
from gateway.measuring.trial import Bounds, Trial, TrialStep
from gateway.models import Query
from gateway.running import RunningStatement
from gateway.work import UNSORTED
from governance.assessment import Assessment
from governance.catalogue.model import RelationName
from governance.classes import BUILT_IN, UNCLASSIFIED_TEXT, split_place, unclassified_text_columns
from governance.classification import classes_of
from governance.inheritance import carried_classes
from governance.masking.errors import MaskingImpossible
from governance.models import DataSource
from governance.policy.decision import MaskedColumn
from governance.pseudonyms import settings_for

PLANNED = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.CreateTableAsStmt)


@dataclass(frozen=True, slots=True)
class Asked:
    """`showings`: for each statement how its rows are shown, or None; `problem`: why one is not shown though it could be."""

    query: Query
    assessment: Assessment
    masks: tuple[MaskedColumn, ...]
    showings: tuple[Showing | None, ...]
    problem: str

    def trial(self, statement: RunningStatement, *, tries_out: bool) -> Trial:
        assessment, datasource = self.assessment, self.query.datasource
        facts, script = assessment.facts, assessment.script
        return Trial(
            steps=self._steps(),
            params=tuple(self.query.params),
            relations=refusals.touched(facts, script.catalogue),
            bounds=Bounds(settings.DRY_RUN_MS, settings.DRY_RUN_LOCK_MS, settings.DRY_RUN_ROWS),
            tries_out=tries_out,
            defines=bool(facts.kinds & refusals.DEFINING),
            started=statement.started,
            ended=statement.ended,
            still_wanted=statement.still_wanted,
            isolation=script.frame.isolation,
            settings=(*settings_for(datasource, self.masks), *UNSORTED),
        )

    def _steps(self) -> tuple[TrialStep, ...]:
        assessment = self.assessment
        together = zip(assessment.script.statements, assessment.texts, self.showings, strict=True)
        return tuple(
            TrialStep(
                text,
                showing.sql_for if showing else None,
                isinstance(analysis.parsed.statement, PLANNED),
                analysis.facts.reads_only,
            )
            for analysis, text, showing in together
        )


def ask(query: Query, assessment: Assessment) -> Asked:
    try:
        masks = tuple(_masks(query.datasource, assessment))
    except MaskingImpossible as error:
        return Asked(query, assessment, (), (None,) * len(assessment.texts), error.message)
    by_relation: dict[RelationName, dict[str, tuple[MaskedColumn, ...]]] = {}
    for mask in masks:
        columns = by_relation.setdefault((mask.schema, mask.relation), {})
        columns[mask.column] = (*columns.get(mask.column, ()), mask)
    showings: list[Showing | None] = []
    problem = ""
    for analysis, text in zip(assessment.script.statements, assessment.texts, strict=True):
        try:
            showings.append(sampling.showing(analysis, text, by_relation))
        except MaskingImpossible as error:
            showings.append(None)
            problem = error.message
    return Asked(query, assessment, masks, tuple(showings), problem)


def _masks(datasource: DataSource, assessment: Assessment) -> list[MaskedColumn]:
    catalogue = assessment.script.catalogue
    classes = classes_of(datasource)
    found = list(assessment.decision.obligations.masks)
    # What it copies from a classified column is as sensitive in the sample as it is there.
    for one in carried_classes(datasource, assessment.script, assessment.plans):
        at, mask = one.target, _mask_of(one.data_class)
        found.append(MaskedColumn(at.schema, at.relation, at.column, one.data_class, mask, at.path))
    for name in {(t.relation.schema, t.relation.name) for one in assessment.script.statements for t in one.targets}:
        relation, places = catalogue.relations.get(name), classes.get(name, {})
        for place, data_class in places.items():
            column, path = split_place(place)
            found.append(MaskedColumn(*name, column, data_class, _mask_of(data_class), path))
        for column in unclassified_text_columns(relation, places) if relation else ():
            found.append(MaskedColumn(*name, column, UNCLASSIFIED_TEXT, BUILT_IN[UNCLASSIFIED_TEXT].mask))
    return list(dict.fromkeys(found))


def _mask_of(data_class: str) -> str:
    return BUILT_IN[data_class].mask if data_class in BUILT_IN else "redact"
