"""A row filter on the target of an UPDATE or DELETE joins its WHERE: rows that are not there are not changed either. Pure."""

from __future__ import annotations

from functools import partial
from typing import Any

from pglast import ast, parse_sql

from governance.analysis.parse import Token
from governance.analysis.reader import Target
from governance.analysis.tree import descendants, names, place_of
from governance.masking.edits import Rewriting, Tree, expression_tree
from governance.masking.errors import MaskingImpossible
from governance.masking.sources import condition_of
from governance.masking.types import quote_name

_BEFORE = frozenset({"RETURNING", "ASCII_59"})


def filter_targets(rewriting: Rewriting) -> None:
    for target in rewriting.analysis.targets:
        filters = rewriting.plan.filters_of(target.relation)
        if not filters or (isinstance(target.node, ast.InsertStmt) and target.node.onConflictClause is None):
            continue
        if not isinstance(target.node, ast.UpdateStmt | ast.DeleteStmt):
            raise MaskingImpossible(
                f"Only some rows of {target.relation.qualified} are there for you, which this statement cannot be bound to.",
                remedy="Use INSERT without ON CONFLICT, UPDATE or DELETE.",
            )
        _add(target, qualified(condition_of(filters), target.alias), rewriting)


def qualified(condition: str, alias: str) -> str:
    """The condition with every column named through the target, for an UPDATE … FROM may bring columns of the same name."""
    statement: Any = parse_sql(f"SELECT {condition}")[0].stmt
    places = sorted(
        (place_of(node) or 0) - len("SELECT ")
        for node in descendants(statement)
        if isinstance(node, ast.ColumnRef) and len(names(node.fields)) == 1
    )
    for place in reversed(places):
        condition = f"{condition[:place]}{quote_name(alias)}.{condition[place:]}"
    return condition


def _add(target: Target, condition: str, rewriting: Rewriting) -> None:
    node: Any = target.node
    if isinstance(node.whereClause, ast.CurrentOfExpr):
        raise MaskingImpossible(
            "WHERE CURRENT OF cannot be combined with a row filter.", remedy="Name the rows by key."
        )
    tokens = rewriting.analysis.parsed.tokens
    where, end = _extent(tokens, place_of(node.relation) or 0)
    if where is None:
        rewriting.edits.splice(end, end, f" WHERE ({condition})")
    else:
        rewriting.edits.splice(where, where, " (")
        rewriting.edits.splice(end, end, f") AND ({condition})")
    kind = type(node).__name__
    rewriting.edits.becomes(kind, place_of(node.relation) or 0, partial(_filtered, kind, condition))


def _extent(tokens: tuple[Token, ...], place: int) -> tuple[int | None, int]:
    """Where the WHERE's condition begins, if there is one, and where the statement ends before RETURNING."""
    where, depth, end = None, 0, tokens[-1].end
    for token in tokens:
        if token.start < place:
            continue
        depth += {"ASCII_40": 1, "ASCII_41": -1}.get(token.name, 0)
        if depth < 0 or (depth == 0 and token.name in _BEFORE):
            break
        if depth == 0 and token.name == "WHERE" and where is None:
            where = token.end
        end = token.end
    return where, end


def _filtered(kind: str, condition: str, tree: Tree) -> list[Tree]:
    """As PostgreSQL's grammar does it: AND takes in an AND on its left, not one on its right."""
    body, new = tree[kind], expression_tree(f"({condition})")
    old = body.get("whereClause")
    if old is None:
        return [{kind: body | {"whereClause": new}}]
    is_and = "BoolExpr" in old and old["BoolExpr"]["boolop"] == "AND_EXPR"
    parts = [*old["BoolExpr"]["args"], new] if is_and else [old, new]
    return [{kind: body | {"whereClause": {"BoolExpr": {"boolop": "AND_EXPR", "args": parts}}}}]
