"""The statement with masks in place: every change that masking makes, in one list. Pure."""

from __future__ import annotations

from governance.analysis.analyse import Analysis
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
        words = frozenset(token.name for token in analysis.parsed.tokens)
        rewriting = Rewriting(analysis, plan, Edits(analysis.parsed.sql), rewrite, words)
        for step in STEPS:
            step(rewriting)
        return rewriting.edits.apply()
    except RecursionError as error:
        raise MaskingImpossible("The statement is nested too deeply to be masked.", remedy="Simplify it.") from error
