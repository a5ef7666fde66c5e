"""Which columns of a result came from masked values: information for the reader, never what protects. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pglast import ast

from governance.analysis.analyse import Analysis
from governance.analysis.tree import descendants, names
from governance.masking.plan import MaskPlan


def masked_outputs(analysis: Analysis, plan: MaskPlan, result_names: Iterable[str]) -> tuple[bool, ...]:
    """One flag a result column. Renames are followed by name, so a column may be flagged that merely shares one."""
    found = _masked_names(analysis, plan)
    outputs = list(result_names)
    if not found:
        return (False,) * len(outputs)
    branches = list(_branches(analysis.parsed.statement))
    if any(len(branch) != len(outputs) or any(map(_is_star, branch)) for branch in branches):
        # The places of a star's columns are not known here; their names are, but for the later branches of a union.
        return tuple(len(branches) > 1 or name in found for name in outputs)
    if not branches:
        return tuple(name in found for name in outputs)
    return tuple(any(_mentions(target, found) for target in targets) for targets in zip(*branches, strict=True))


def _masked_names(analysis: Analysis, plan: MaskPlan) -> set[str]:
    """Names under which masked values are known in the statement: columns, rows, and whatever is named after them."""
    found: set[str] = set()
    for occurrence in analysis.occurrences:
        relation, masked = occurrence.relation, set(plan.of(occurrence.relation))
        if view := analysis.views.get((relation.schema, relation.name)):
            masked |= _masked_names(view, plan) & {column.name for column in relation.columns}
        if masked:
            found |= masked | set(_names_of_alias(occurrence.node.alias) or [occurrence.node.relname])
    introduced = [one for node in descendants(analysis.parsed.statement) for one in _introduced(node)]
    grown = True
    while grown and found:
        grown = False
        for new, bodies in introduced:
            if not found.issuperset(new) and any(_mentions(body, found) for body in bodies):
                found |= new
                grown = True
    return found


def _introduced(node: Any) -> Iterator[tuple[set[str], tuple[Any, ...]]]:
    """The names that a node gives, and what they stand for. A list of columns is taken whole: any of them may be masked."""
    if isinstance(node, ast.ResTarget) and node.name and node.val is not None:
        yield {str(node.name)}, (node.val,)
    elif isinstance(node, ast.CommonTableExpr):
        yield {str(node.ctename), *names(node.aliascolnames)}, (node.ctequery,)
    elif isinstance(node, ast.RangeSubselect) and node.alias:
        yield set(_names_of_alias(node.alias)), (node.subquery,)
    elif isinstance(node, ast.RangeFunction) and node.alias:
        yield set(_names_of_alias(node.alias)), tuple(node.functions or ())
    elif isinstance(node, ast.JoinExpr) and node.alias:
        yield set(_names_of_alias(node.alias)), (node.larg, node.rarg)
    elif isinstance(node, ast.RangeVar) and node.alias:
        yield set(_names_of_alias(node.alias)), (ast.RangeVar(relname=node.relname),)


def _names_of_alias(alias: Any) -> list[str]:
    return [str(alias.aliasname), *names(alias.colnames)] if alias else []


def _mentions(node: Any, found: set[str]) -> bool:
    return any(_names_one(one, found) for part in _parts(node) for one in descendants(part))


def _parts(node: Any) -> Iterator[ast.Node]:
    """A function in FROM is a tuple of its call and its column definitions."""
    if isinstance(node, (tuple, list)):
        for item in node:
            yield from _parts(item)
    elif node is not None:
        yield node


def _names_one(node: Any, found: set[str]) -> bool:
    if isinstance(node, ast.RangeVar):
        return node.relname in found
    return isinstance(node, ast.ColumnRef) and (names(node.fields)[-1] in found or _is_star(node))


def _branches(statement: Any) -> Iterator[list[Any]]:
    """The output expressions of a query; of each of its branches where it is a union or the like."""
    if not isinstance(statement, ast.SelectStmt):
        return
    if statement.larg is not None:
        yield from _branches(statement.larg)
        yield from _branches(statement.rarg)
    elif statement.targetList:
        yield [target.val for target in statement.targetList if isinstance(target, ast.ResTarget)]
    else:
        yield from (list(row) for row in statement.valuesLists or () if isinstance(row, (tuple, list)))


def _is_star(node: Any) -> bool:
    return isinstance(node, ast.ColumnRef) and names(node.fields)[-1] == "*"
