"""Which query reads which relations itself, and by what names: for the changes that concern a whole level. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast

from governance.analysis.tree import children, descendants


def queries_in(statement: ast.Node) -> Iterator[Any]:
    """Every SELECT in it, at any depth."""
    return (node for node in descendants(statement) if isinstance(node, ast.SelectStmt))


def from_items(query: Any) -> list[Any]:
    """What stands in its FROM, joins taken apart; of no sub-query."""
    found: list[Any] = []
    waiting = list(query.fromClause or ())
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, ast.JoinExpr):
            waiting = [item.larg, item.rarg, *waiting]
        elif isinstance(item, ast.RangeTableSample):
            waiting = [item.relation, *waiting]
        else:
            found.append(item)
    return found


def own_parts(node: Any) -> Iterator[ast.Node]:
    """The node and all below it that belongs to the same query: sub-queries are left out."""
    if isinstance(node, (tuple, list)):
        for item in node:
            yield from own_parts(item)
    elif isinstance(node, ast.Node):
        yield node
        if not isinstance(node, ast.SelectStmt):
            for child in children(node):
                yield from own_parts(child)


def name_in(node: Any) -> str:
    """The name by which an item of FROM is known, empty where it has none."""
    if node.alias:
        return str(node.alias.aliasname)
    return str(node.relname) if isinstance(node, ast.RangeVar) else ""
