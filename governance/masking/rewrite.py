"""The statement with masks in place: every change that masking makes, in one list. Pure."""

from __future__ import annotations

from governance.analysis.analyse import Analysis
from governance.catalogue.model import RelationName
from governance.masking import forms, grouping, relations, returning, row_filters
from governance.masking.edits import Edits, Rewriting
from governance.masking.errors import MaskingImpossible
from governance.masking.plan import MaskPlan

# Each adds its edits to the statement; none undoes another's. What two of them want to change is refused.
STEPS = (
    relations.replace_relations,
    relations.drop_schemas,
    grouping.extend_groups,
    returning.mask_returning,
    row_filters.filter_targets,
    forms.show_no_estimates,
)


def rewrite(analysis: Analysis, plan: MaskPlan) -> str:
    """Raises `MaskingImpossible`."""
    if not plan.masks and not plan.filters:
        return analysis.parsed.sql
    try:
        return _edited(analysis, plan).apply()
    except RecursionError as error:
        raise MaskingImpossible("The statement is nested too deeply to be masked.", remedy="Simplify it.") from error


def place_before(analysis: Analysis, plan: MaskPlan, place: int) -> int | None:
    """Where in the statement's own text stands what the database complains of in the masked one; None: in a mask."""
    return _edited(analysis, plan).place_before(place)


def _edited(analysis: Analysis, plan: MaskPlan) -> Edits:
    words = frozenset(token.name for token in analysis.parsed.tokens)
    rewriting = Rewriting(analysis, plan, Edits(analysis.parsed.sql), rewrite, words, _used(analysis))
    for step in STEPS:
        step(rewriting)
    return rewriting.edits


def _used(analysis: Analysis) -> dict[RelationName, frozenset[str]]:
    used: dict[RelationName, set[str]] = {}
    for use in analysis.facts.columns:
        used.setdefault((use.schema, use.relation), set()).add(use.column)
    return {name: frozenset(columns) for name, columns in used.items()}
