"""Which columns of a result came from masked values: information for the reader, never what protects. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from governance.analysis.analyse import Analysis
from governance.analysis.lineage import outputs_of
from governance.analysis.ranges import ALL, Lineage
from governance.masking.plan import MaskPlan


def masked_outputs(analysis: Analysis, plan: MaskPlan, result_names: Iterable[str]) -> tuple[bool, ...]:
    """One flag a result column, by what it is made from. Where it cannot be told which column is which (a function's row
    among others), what may be made from masked values is flagged."""
    count = len(list(result_names))
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


def _is_masked(lineage: Lineage, plan: MaskPlan) -> bool:
    for schema, relation, column in lineage.sources:
        masks = plan.masks.get((schema, relation))
        if masks and (column == ALL or column in masks):
            return True
    return False
