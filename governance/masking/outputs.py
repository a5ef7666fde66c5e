"""Which columns of a result came from masked values: information for the reader, never what protects. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pglast import ast

from governance.analysis.analyse import Analysis
from governance.analysis.lineage import outputs_of
from governance.analysis.ranges import ALL, Lineage
from governance.masking.plan import MaskPlan


def masked_outputs(analysis: Analysis, plan: MaskPlan, result_names: Iterable[str]) -> tuple[bool, ...]:
    """One flag a result column, by what it is made from. Where it cannot be told which column is which (a function's row
    among others), what may be made from masked values is flagged."""
    count = len(list(result_names))
    plan = plan.without_scrubbing()
    if not plan.masks:
        return (False,) * count
    outputs = outputs_of(analysis)
    flags = [_is_masked(output.lineage, plan) for output in outputs]
    open_ones = [place for place, output in enumerate(outputs) if output.many]
    if not open_ones and len(outputs) == count:
        return tuple(flags)
    if len(open_ones) == 1 and len(outputs) - 1 <= count:
        place = open_ones[0]
        return tuple(flags[:place] + [flags[place]] * (count - len(outputs) + 1) + flags[place + 1 :])
    return (any(flags) if outputs else plan.concerns(analysis),) * count


def asked_in(statements: Sequence[Analysis], step: int) -> int:
    """Which statement of a text asks for the rows of this one: of a FETCH or an EXECUTE, the DECLARE or PREPARE before it."""
    shown: Any = statements[step].parsed.statement
    for place in range(step - 1, -1, -1):
        earlier: Any = statements[place].parsed.statement
        if isinstance(shown, ast.FetchStmt) and isinstance(earlier, ast.DeclareCursorStmt):
            found = earlier.portalname == shown.portalname
        else:
            both = isinstance(shown, ast.ExecuteStmt) and isinstance(earlier, ast.PrepareStmt)
            found = both and earlier.name == shown.name
        if found:
            return place
    return step


def _is_masked(lineage: Lineage, plan: MaskPlan) -> bool:
    for schema, relation, column in lineage.sources:
        masks = plan.masks.get((schema, relation))
        if masks and (column == ALL or column in masks):
            return True
    return False
