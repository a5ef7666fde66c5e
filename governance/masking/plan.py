"""Which relations of a statement need which masks, and whether that can be done with certainty. Pure.

What cannot be is refused before anything runs (`MaskingImpossible`): a mask that fails is a refusal, never a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pglast import ast

from governance.analysis.analyse import Analysis
from governance.analysis.facts import Use
from governance.catalogue.model import Relation, RelationKind, RelationName
from governance.masking.errors import MaskingImpossible
from governance.masking.writes import returned_masked_columns
from governance.policy.decision import MaskedColumn

# The statements in which a relation can be replaced by a sub-select with the same meaning.
REWRITABLE = (
    ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.CreateTableAsStmt,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """Masks by relation and column. Empty: nothing is masked, and the statement runs as it was written."""

    masks: Mapping[RelationName, Mapping[str, MaskedColumn]]

    def of(self, relation: Relation) -> Mapping[str, MaskedColumn]:
        return self.masks.get((relation.schema, relation.name), {})

    def concerns(self, analysis: Analysis) -> bool:
        """Whether a masked relation is read anywhere in it, through views too."""
        return any(
            self.of(occurrence.relation) or self.lies_under(analysis, occurrence.relation)
            for occurrence in analysis.occurrences
        )

    def lies_under(self, analysis: Analysis, relation: Relation) -> bool:
        view = analysis.views.get((relation.schema, relation.name))
        return view is not None and self.concerns(view)


def plan_masks(analysis: Analysis, masks: Iterable[MaskedColumn]) -> MaskPlan:
    """Raises `MaskingImpossible` with the reason and what to do instead."""
    by_relation: dict[RelationName, dict[str, MaskedColumn]] = {}
    for mask in masks:
        by_relation.setdefault((mask.schema, mask.relation), {})[mask.column] = mask
    plan = MaskPlan(by_relation)
    _check_definitions(analysis, plan)
    _check_every_read(analysis, plan)
    if plan.concerns(analysis):
        _check_form(analysis)
        _check_materialised(analysis, plan)
    for target in analysis.targets:
        if columns := returned_masked_columns(target, plan.of(target.relation)):
            raise MaskingImpossible(
                f"RETURNING would show masked columns of {target.relation.qualified}: {', '.join(columns)}.",
                remedy="Name the columns that you need in RETURNING, without these.",
            )
    return plan


def _check_every_read(analysis: Analysis, plan: MaskPlan) -> None:
    """A masked relation that is read where nothing can be put in its place (COPY, for one) is not read at all."""
    replaceable = {
        (occurrence.relation.schema, occurrence.relation.name)
        for inner in (analysis, *_views_in(analysis))
        for occurrence in inner.occurrences
    } | {(target.relation.schema, target.relation.name) for target in analysis.targets}
    for use in analysis.facts.relations:
        if use.use is Use.READ and plan.masks.get((use.schema, use.name)) and (use.schema, use.name) not in replaceable:
            raise MaskingImpossible(
                f"{use.qualified} has sensitive columns and is read in a way that cannot be masked.",
                remedy="Use a plain SELECT.",
            )


def _check_form(analysis: Analysis) -> None:
    statement = analysis.parsed.statement
    if not isinstance(statement, REWRITABLE):
        raise MaskingImpossible(
            f"{type(statement).__name__.removesuffix('Stmt')} cannot be masked, and it touches sensitive columns.",
            remedy="Use a plain SELECT.",
        )


def _check_materialised(analysis: Analysis, plan: MaskPlan) -> None:
    for inner in (analysis, *_views_in(analysis)):
        for occurrence in inner.occurrences:
            relation = occurrence.relation
            if relation.kind is RelationKind.MATERIALIZED_VIEW and plan.lies_under(inner, relation):
                raise MaskingImpossible(
                    f"{relation.qualified} is a materialised view over sensitive columns: what it stores is not masked.",
                    remedy="Read the relations that it is made from.",
                )


def _views_in(analysis: Analysis) -> Iterable[Analysis]:
    for view in analysis.views.values():
        yield view
        yield from _views_in(view)


def _check_definitions(analysis: Analysis, plan: MaskPlan) -> None:
    """A classified relation keeps its name, or its classes would no longer find it."""
    if "rename" not in analysis.facts.hazard_codes:
        return
    for use in analysis.facts.relations:
        if use.use is Use.DEFINE and plan.masks.get((use.schema, use.name)):
            raise MaskingImpossible(
                f"{use.qualified} has classified columns; a rename would lose their classes.",
                remedy="Ask an administrator to rename it and to classify it anew.",
            )
