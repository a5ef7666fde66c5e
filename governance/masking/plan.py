"""Which relations of a statement need which masks, and whether that can be done with certainty. Pure.

What cannot be is refused before anything runs (`MaskingImpossible`): a mask that fails is a refusal, never a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pglast import ast
from pglast.enums import SetOperation

from governance.analysis.analyse import Analysis
from governance.analysis.facts import Clause, Hazard, Use
from governance.analysis.tree import descendants
from governance.catalogue.model import Relation, RelationKind, RelationName
from governance.classes import UNCLASSIFIED_TEXT
from governance.masking.errors import MaskingImpossible
from governance.policy.decision import MaskedColumn, RowFilter

# The statements in which a relation can be replaced by a sub-select with the same meaning.
REWRITABLE = (
    ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.CreateTableAsStmt,
    ast.CopyStmt, ast.ExplainStmt, ast.PrepareStmt, ast.DeclareCursorStmt,
)  # fmt: skip
Masks = Mapping[str, tuple[MaskedColumn, ...]]
NO_MASKS: Masks = {}


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """Masks by relation and column (several where they lie on places inside it), and row filters by relation. Empty: the
    statement runs as it was written."""

    masks: Mapping[RelationName, Masks]
    filters: Mapping[RelationName, tuple[RowFilter, ...]] = field(default_factory=dict)

    def of(self, relation: Relation) -> Masks:
        return self.masks.get((relation.schema, relation.name), NO_MASKS)

    def filters_of(self, relation: Relation) -> tuple[RowFilter, ...]:
        return self.filters.get((relation.schema, relation.name), ())

    def changes(self, relation: Relation) -> bool:
        """Whether this principal gets anything but the relation as it is."""
        return bool(self.of(relation) or self.filters_of(relation))

    def needs(self, analysis: Analysis, relation: Relation) -> bool:
        """Whether it must be replaced where it is read: for itself, or for what lies below a view."""
        return self.changes(relation) or self.lies_under(analysis, relation)

    def lies_under(self, analysis: Analysis, relation: Relation) -> bool:
        view = analysis.views.get((relation.schema, relation.name))
        return view is not None and relation.kind is RelationKind.VIEW and self.concerns(view)

    def concerns(self, analysis: Analysis) -> bool:
        """Whether it reads a relation that must be replaced."""
        return any(self.needs(analysis, occurrence.relation) for occurrence in analysis.occurrences)

    def without_scrubbing(self) -> MaskPlan:
        """Only what stands for classified columns: text that nobody classified is mostly shown as it is."""
        masks = {
            name: kept
            for name, columns in self.masks.items()
            if (kept := {column: masks for column, masks in columns.items() if not _only_scrubs(masks)})
        }
        return MaskPlan(masks, self.filters)


def _only_scrubs(masks: tuple[MaskedColumn, ...]) -> bool:
    return all(mask.data_class == UNCLASSIFIED_TEXT for mask in masks)


NOTHING = MaskPlan({})


def plan_masks(analysis: Analysis, masks: Iterable[MaskedColumn], row_filters: Iterable[RowFilter] = ()) -> MaskPlan:
    """Raises `MaskingImpossible` with the reason and what to do instead."""
    plan = MaskPlan(_masks_by_column(masks), _filters_by_relation(row_filters))
    if not plan.masks and not plan.filters:
        return plan
    _check_definitions(analysis, plan)
    if isinstance(analysis.parsed.statement, ast.ViewStmt):
        return NOTHING  # A view holds no rows. Reading it is masked below it, for whoever reads.
    _check_every_read(analysis, plan)
    _check_bodies(analysis, plan)
    if plan.concerns(analysis):
        _check_form(analysis)
    _check_materialised(analysis, plan)
    return plan


def _masks_by_column(masks: Iterable[MaskedColumn]) -> dict[RelationName, dict[str, tuple[MaskedColumn, ...]]]:
    found: dict[RelationName, dict[str, tuple[MaskedColumn, ...]]] = {}
    for mask in masks:
        columns = found.setdefault((mask.schema, mask.relation), {})
        columns[mask.column] = (*columns.get(mask.column, ()), mask)
    return found


def _filters_by_relation(filters: Iterable[RowFilter]) -> dict[RelationName, tuple[RowFilter, ...]]:
    found: dict[RelationName, tuple[RowFilter, ...]] = {}
    for one in filters:
        found[one.schema, one.relation] = (*found.get((one.schema, one.relation), ()), one)
    return found


def _check_every_read(analysis: Analysis, plan: MaskPlan) -> None:
    """What must be replaced and is read where nothing can be put in its place is not read at all."""
    replaceable = {
        (occurrence.relation.schema, occurrence.relation.name)
        for inner in (analysis, *_views_in(analysis))
        for occurrence in inner.occurrences
    } | {(target.relation.schema, target.relation.name) for target in analysis.targets}
    for use in analysis.facts.relations:
        name = (use.schema, use.name)
        if use.use is Use.READ and name not in replaceable and (name in plan.masks or name in plan.filters):
            raise MaskingImpossible(
                f"{use.qualified} has sensitive columns and is read in a way that cannot be masked.",
                remedy="Use a plain SELECT.",
            )


def _check_bodies(analysis: Analysis, plan: MaskPlan) -> None:
    """A function runs as its owner wrote it: nothing can be put in the place of what it reads."""
    for (schema, name), bodies in analysis.bodies.items():
        for body in bodies:
            touched = [*(o.relation for o in body.occurrences), *(target.relation for target in body.targets)]
            found = next((relation for relation in touched if plan.needs(body, relation)), None)
            if found is not None:
                raise MaskingImpossible(
                    f"The function {schema}.{name}() reads {found.qualified}, which has columns that are masked for you.",
                    remedy="Read the relation itself; its sensitive columns come masked.",
                )
            _check_bodies(body, plan)


def _check_form(analysis: Analysis) -> None:
    statement = analysis.parsed.statement
    if not isinstance(statement, REWRITABLE):
        raise MaskingImpossible(
            f"{type(statement).__name__.removesuffix('Stmt')} cannot be masked, and it touches sensitive columns.",
            remedy="Use a plain SELECT.",
        )


def _check_materialised(analysis: Analysis, plan: MaskPlan) -> None:
    """What a materialised view stores is masked like a table's columns, by the classes of what they are made from. Which rows
    it stores was settled on raw values, and no mask on its columns can hide that."""
    plan = plan.without_scrubbing()
    for inner in (analysis, *_views_in(analysis)):
        for occurrence in inner.occurrences:
            relation = occurrence.relation
            below = inner.views.get((relation.schema, relation.name))
            if relation.kind is not RelationKind.MATERIALIZED_VIEW or below is None:
                continue
            uses = _masked_uses(below, plan)
            if uses - {Clause.OUTPUT} or (uses and not plan.of(relation)) or _picks_rows(below, plan):
                raise MaskingImpossible(
                    f"What the materialised view {relation.qualified} holds depends on values that are masked for you.",
                    remedy="Read the relations that it is made from.",
                )


def _masked_uses(definition: Analysis, plan: MaskPlan) -> set[Clause]:
    found = set()
    for one in (definition, *_views_in(definition)):
        for use in one.facts.columns:
            masks = plan.masks.get((use.schema, use.relation), NO_MASKS)
            if use.column in masks or (masks and use.column == "*"):
                found.add(use.clause)
    return found


def _picks_rows(definition: Analysis, plan: MaskPlan) -> bool:
    inside = (definition, *_views_in(definition))
    if any(plan.filters_of(occurrence.relation) for one in inside for occurrence in one.occurrences):
        return True
    return plan.concerns(definition) and any(_compares_rows(query) for query in _queries_in(definition))


def _compares_rows(query: ast.SelectStmt) -> bool:
    """DISTINCT, and UNION, INTERSECT and EXCEPT without ALL, keep a row or not by all of its values."""
    return bool(query.distinctClause) or (query.op != SetOperation.SETOP_NONE and not query.all)


def _queries_in(definition: Analysis) -> Iterator[ast.SelectStmt]:
    for one in (definition, *_views_in(definition)):
        yield from (node for node in descendants(one.parsed.statement) if isinstance(node, ast.SelectStmt))


def _views_in(analysis: Analysis) -> Iterator[Analysis]:
    for view in analysis.views.values():
        yield view
        yield from _views_in(view)


def explains_masked(analysis: Analysis, plan: MaskPlan) -> bool:
    """An EXPLAIN that reads what must be replaced, or plans a write to it: its condition meets raw statistics as well."""
    if not is_explain(analysis):
        return False
    return plan.concerns(analysis) or any(plan.changes(target.relation) for target in analysis.targets)


def is_explain(analysis: Analysis) -> bool:
    return isinstance(analysis.parsed.statement, ast.ExplainStmt)


def explained(analyses: Sequence[Analysis], plans: Sequence[MaskPlan]) -> Hazard | None:
    """A plan is chosen by statistics of raw values, so its very shape can tell of them: policy must open it."""
    for analysis, plan in zip(analyses, plans, strict=True):
        if explains_masked(analysis, plan):
            return Hazard("explain-masked", "EXPLAIN shows a plan that was chosen by statistics of masked columns.")
    return None


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
