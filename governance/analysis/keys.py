"""How far a WHERE bounds a write: to rows named by key, or not at all. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from pglast import ast
from pglast.enums import A_Expr_Kind, BoolExprType, NullTestType

from governance.analysis.tree import names
from governance.catalogue.model import Relation

# A write that lists its rows by key stays "by key" up to this many of them.
KEYED_ROWS = 100


def bounded_by_key(where: ast.Node | None, relation: Relation, alias: str) -> bool:
    """Whether the conjunction pins every column of a primary or unique key of `relation` to constants or parameters."""
    rows = rows_by_key(where, relation, alias)
    return rows is not None and rows <= KEYED_ROWS


def rows_by_key(where: ast.Node | None, relation: Relation, alias: str) -> int | None:
    """How many rows the conjunction lets through at most, by the narrowest key that it pins; None where it pins none."""
    rows_of: dict[str, int] = {}
    for condition in conjuncts(where):
        if found := _pinned(condition, alias):
            column, rows = found
            rows_of[column] = min(rows, rows_of.get(column, rows))
    pinned = (key for key in relation.keys if key and key <= rows_of.keys())
    return min((prod(rows_of[column] for column in key) for key in pinned), default=None)


def conjuncts(where: Any) -> Iterator[ast.Node]:
    if isinstance(where, ast.BoolExpr) and where.boolop == BoolExprType.AND_EXPR:
        for part in where.args or ():
            yield from conjuncts(part)
    elif where is not None:
        yield where


def _pinned(condition: ast.Node, alias: str) -> tuple[str, int] | None:
    """`column = constant` gives (column, 1); `column IN (a, b)` gives (column, 2)."""
    if not isinstance(condition, ast.A_Expr) or names(condition.name) not in (("=",), ("pg_catalog", "=")):
        return None
    left, right = condition.lexpr, condition.rexpr
    if condition.kind == A_Expr_Kind.AEXPR_IN and isinstance(right, (tuple, list)):
        column = _own_column(left, alias)
        return (column, len(right)) if column and all(_is_value(item) for item in right) else None
    if condition.kind != A_Expr_Kind.AEXPR_OP:
        return None
    for side, other in ((left, right), (right, left)):
        if (column := _own_column(side, alias)) and _is_value(other):
            return column, 1
    return None


def _own_column(node: Any, alias: str) -> str | None:
    if not isinstance(node, ast.ColumnRef):
        return None
    parts = names(node.fields)
    if len(parts) == 1 or (len(parts) == 2 and parts[0] == alias):
        return parts[-1]
    return None


def _is_value(node: Any) -> bool:
    """A constant or a parameter, possibly cast or negated: one value, the same for every row."""
    if isinstance(node, ast.TypeCast):
        return _is_value(node.arg)
    if isinstance(node, ast.A_Expr) and node.lexpr is None and names(node.name) == ("-",):
        return _is_value(node.rexpr)
    return isinstance(node, (ast.A_Const, ast.ParamRef))


def always_true(node: ast.Node | None) -> bool:
    """Whether a condition certainly holds for every row: constants, `1 = 1`, `x = x`, and what AND, OR, NOT make of them."""
    return _truth(node) is True


def _truth(node: Any) -> bool | None:
    if isinstance(node, ast.TypeCast):
        return _truth(node.arg) if not _is_text(node.arg) else _text_truth(node.arg)
    if isinstance(node, ast.A_Const):
        return bool(node.val.boolval) if isinstance(node.val, ast.Boolean) else None
    if isinstance(node, ast.BoolExpr):
        return _combine(node)
    if isinstance(node, ast.NullTest) and isinstance(node.arg, ast.A_Const):
        return bool(node.arg.isnull) == (node.nulltesttype == NullTestType.IS_NULL)
    if isinstance(node, ast.A_Expr) and node.kind == A_Expr_Kind.AEXPR_OP:
        return _compare(node)
    return None


def _combine(node: Any) -> bool | None:
    truths: list[bool | None] = [_truth(part) for part in node.args]
    if node.boolop == BoolExprType.NOT_EXPR:
        return None if truths[0] is None else not truths[0]
    absorbing = bool(node.boolop == BoolExprType.OR_EXPR)
    if absorbing in truths:
        return absorbing
    return None if None in truths else not absorbing


def _compare(node: Any) -> bool | None:
    left, right, operator = node.lexpr, node.rexpr, names(node.name)[-1]
    if isinstance(left, ast.ColumnRef) and isinstance(right, ast.ColumnRef):
        # `x = x` holds for every row but those where x is NULL: close enough to "all" to be told.
        return True if operator in ("=", "<=", ">=") and _same_column(left, right) else None
    if not (isinstance(left, ast.A_Const) and isinstance(right, ast.A_Const)) or left.isnull or right.isnull:
        return None
    a, b = _plain(left), _plain(right)
    if a is None or b is None or type(a) is not type(b):
        return None
    if operator in ("=", "<>", "!="):
        return (a == b) is (operator == "=")
    if isinstance(a, int) and isinstance(b, int) and operator in ("<", ">", "<=", ">="):
        return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[str(operator)]
    return None


def _same_column(left: Any, right: Any) -> bool:
    """`x` beside `t.x` counts; `a.x` beside `b.x` joins, and `x` beside `new.x` compares with another row."""
    (*left_of, left_name), (*right_of, right_name) = names(left.fields), names(right.fields)
    if left_of and right_of:
        return left_of[-1:] == right_of[-1:] and left_name == right_name
    return left_name == right_name and not {*left_of, *right_of} & {"new", "old", "excluded"}


def _plain(constant: Any) -> int | str | None:
    if isinstance(constant.val, ast.Integer):
        return int(constant.val.ival or 0)
    if isinstance(constant.val, ast.String):
        return str(constant.val.sval)
    return None


def _is_text(node: ast.Node | None) -> bool:
    return isinstance(node, ast.A_Const) and isinstance(node.val, ast.String)


def _text_truth(node: Any) -> bool | None:
    """`'t'::boolean` and its like."""
    return {"t": True, "true": True, "on": True, "yes": True, "1": True}.get(str(node.val.sval).strip().lower())
