"""Which columns of a result came from masked values: information for the reader, never what protects. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pglast import ast

from governance.analysis.analyse import Analysis
from governance.analysis.tree import descendants, names
from governance.masking.plan import MaskPlan


def masked_outputs(analysis: Analysis, plan: MaskPlan, result_names: Iterable[str]) -> tuple[bool, ...]:
    """One flag a result column. Renames are followed by name, so a column may be flagged that merely shares one."""
    names_ = _masked_names(analysis, plan)
    outputs = list(result_names)
    if not names_:
        return (False,) * len(outputs)
    targets = _output_expressions(analysis.parsed.statement)
    if targets is not None and len(targets) == len(outputs) and not any(_is_star(target) for target in targets):
        return tuple(_mentions(target, names_) for target in targets)
    return tuple(name in names_ for name in outputs)


def _masked_names(analysis: Analysis, plan: MaskPlan) -> set[str]:
    """Names under which masked values are known in the statement: columns, and whatever is named after them."""
    found: set[str] = set()
    for occurrence in analysis.occurrences:
        found |= set(plan.of(occurrence.relation))
        view = analysis.views.get((occurrence.relation.schema, occurrence.relation.name))
        if view is not None:
            found |= _masked_names(view, plan) & {column.name for column in occurrence.relation.columns}
    named = [
        node
        for node in descendants(analysis.parsed.statement)
        if isinstance(node, ast.ResTarget) and node.name and node.val is not None
    ]
    grown = True
    while grown and found:
        grown = False
        for node in named:
            if node.name not in found and _mentions(node.val, found):
                found.add(str(node.name))
                grown = True
    return found


def _mentions(node: Any, names_: set[str]) -> bool:
    return any(
        isinstance(one, ast.ColumnRef) and (names(one.fields)[-1] in names_ or _is_star(one)) for one in descendants(node)
    )


def _output_expressions(statement: Any) -> list[Any] | None:
    while isinstance(statement, ast.SelectStmt) and statement.larg is not None:
        statement = statement.larg
    targets = getattr(statement, "targetList", None) if isinstance(statement, ast.SelectStmt) else None
    return [target.val for target in targets] if targets else None


def _is_star(node: Any) -> bool:
    return isinstance(node, ast.ColumnRef) and names(node.fields)[-1] == "*"
