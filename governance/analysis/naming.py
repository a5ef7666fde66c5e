"""The names that PostgreSQL gives to the columns of a query (FigureColname in parse_target.c). Pure."""

from __future__ import annotations

from typing import Any

from pglast import ast
from pglast.enums import A_Expr_Kind, JsonExprOp, MinMaxOp, SQLValueFunctionOp, SubLinkType, XmlExprOp

from governance.analysis.tree import names

UNNAMED = "?column?"
_CONSTANT_NAMES: dict[type[ast.Node], str] = {
    ast.A_ArrayExpr: "array",
    ast.CoalesceExpr: "coalesce",
    ast.GroupingFunc: "grouping",
    ast.JsonArrayAgg: "json_arrayagg",
    ast.JsonArrayConstructor: "json_array",
    ast.JsonArrayQueryConstructor: "json_array",
    ast.JsonObjectAgg: "json_objectagg",
    ast.JsonObjectConstructor: "json_object",
    ast.JsonParseExpr: "json",
    ast.JsonScalarExpr: "json_scalar",
    ast.JsonSerializeExpr: "json_serialize",
    ast.MergeSupportFunc: "merge_action",
    ast.RowExpr: "row",
    ast.XmlSerialize: "xmlserialize",
}
_JSON_NAMES = {
    JsonExprOp.JSON_EXISTS_OP: "json_exists",
    JsonExprOp.JSON_QUERY_OP: "json_query",
    JsonExprOp.JSON_VALUE_OP: "json_value",
}
# How much a name is worth: that of a column or a function stands before that of a type, CASE or nothing.
_NONE, _WEAK, _STRONG = 0, 1, 2


def name_of(target: Any) -> str:
    """Of a ResTarget."""
    return str(target.name) if target.name else _figure(target.val)[0] or UNNAMED


def _figure(node: Any) -> tuple[str, int]:
    if isinstance(node, ast.ColumnRef):
        return _last_name(node.fields)
    if isinstance(node, ast.FuncCall):
        return names(node.funcname)[-1], _STRONG
    if isinstance(node, ast.A_Expr):
        return ("nullif", _STRONG) if node.kind == A_Expr_Kind.AEXPR_NULLIF else ("", _NONE)
    if isinstance(node, ast.A_Indirection):
        named = _last_name(node.indirection)
        return named if named[0] else _figure(node.arg)
    if isinstance(node, ast.CollateClause):
        return _figure(node.arg)
    if isinstance(node, (ast.TypeCast, ast.CaseExpr)):
        return _of_wrapper(node)
    if isinstance(node, ast.SubLink):
        return _of_sub_link(node)
    return _of_special(node)


def _last_name(parts: Any) -> tuple[str, int]:
    texts = [name for name in names(parts) if name != "*"]
    return (texts[-1], _STRONG) if texts else ("", _NONE)


def _of_wrapper(node: Any) -> tuple[str, int]:
    name, worth = _figure(node.arg if isinstance(node, ast.TypeCast) else node.defresult)
    if worth > _WEAK:
        return name, worth
    if isinstance(node, ast.CaseExpr):
        return "case", _WEAK
    return names(node.typeName.names)[-1], _WEAK


def _of_sub_link(node: Any) -> tuple[str, int]:
    if node.subLinkType == SubLinkType.EXISTS_SUBLINK:
        return "exists", _STRONG
    if node.subLinkType == SubLinkType.ARRAY_SUBLINK:
        return "array", _STRONG
    if node.subLinkType == SubLinkType.EXPR_SUBLINK:
        query = node.subselect
        while isinstance(query, ast.SelectStmt) and query.larg is not None:
            query = query.larg
        targets = getattr(query, "targetList", None)
        if targets:
            return name_of(targets[0]), _STRONG
        return ("column1", _STRONG) if getattr(query, "valuesLists", None) else ("", _NONE)
    return "", _NONE


def _of_special(node: Any) -> tuple[str, int]:
    if name := _CONSTANT_NAMES.get(type(node)):
        return name, _STRONG
    if isinstance(node, ast.MinMaxExpr):
        return ("greatest" if node.op == MinMaxOp.IS_GREATEST else "least"), _STRONG
    if isinstance(node, ast.SQLValueFunction):
        word = SQLValueFunctionOp(node.op or 0).name.removeprefix("SVFOP_").removesuffix("_N").lower()
        return word, _STRONG
    if isinstance(node, ast.XmlExpr):
        word = XmlExprOp(node.op or 0).name.removeprefix("IS_").lower()
        return ("" if word == "document" else word), (_NONE if word == "document" else _STRONG)
    if isinstance(node, ast.JsonFuncExpr) and node.op in _JSON_NAMES:
        return _JSON_NAMES[node.op], _STRONG
    return "", _NONE
