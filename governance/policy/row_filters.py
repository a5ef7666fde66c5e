"""A row filter: a SQL condition that is safe to put into anybody's statement. Pure.

It may name columns of its relation, constants, and what is built in, changes nothing and cannot fail: a filter that
fails for some rows would tell of rows that it hides. To open an operator or a function: its name in the sets below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pglast import ast, parse_sql, scan
from pglast.enums import A_Expr_Kind, CoercionForm
from pglast.parser import ParseError

LONGEST = 2000
OPERATORS = frozenset("= <> != < <= > >= || @> <@ && -> ->> #> #>> ? ?| ?&".split())
# They fail for some patterns, so the pattern must be a constant.
PATTERNS = frozenset("~ ~* !~ !~* ~~ !~~ ~~* !~~*".split())
FUNCTIONS = frozenset(
    """
    lower upper length char_length octet_length btrim ltrim rtrim left right replace strpos position starts_with reverse
    array_length cardinality jsonb_typeof json_typeof
    """.split()
)
TYPES = frozenset(
    """
    bool int2 int4 int8 float4 float8 numeric text varchar bpchar date time timetz timestamp timestamptz interval uuid
    json jsonb inet cidr bytea
    """.split()
)
_PREFIX = "SELECT WHERE "


class RowFilterError(ValueError):
    """Says what in the condition has no place in a row filter."""


def read_row_filter(text: str) -> str:
    """The condition as it is put into statements: its functions named with their schema. Raises `RowFilterError`."""
    if len(text) > LONGEST:
        raise RowFilterError(f"it has {len(text)} characters, at most {LONGEST} are kept")
    condition = _parse(text)
    calls: list[int] = []
    _check(condition, calls)
    return _qualified(text, calls)


def _parse(text: str) -> ast.Node:
    """The text as one expression by itself, so that brackets put round it hold it together."""
    if not text.strip():
        raise RowFilterError("it is empty")
    try:
        statements = parse_sql(_PREFIX + text)
        comments = [token.name for token in scan(_PREFIX + text) if token.name in ("SQL_COMMENT", "C_COMMENT")]
    except ParseError as error:
        raise RowFilterError(f"it is not a SQL condition: {error.args[0]}") from None
    if comments:
        raise RowFilterError("comments have no place in it: write them above the policy")
    select = statements[0].stmt if len(statements) == 1 and not text.rstrip().endswith(";") else None
    if not isinstance(select, ast.SelectStmt) or select.whereClause is None or _has_more(select):
        raise RowFilterError("it must be one SQL condition and nothing else")
    condition: ast.Node = select.whereClause
    return condition


def _has_more(select: Any) -> bool:
    """Anything of a SELECT besides its WHERE."""
    defaults = {"whereClause", "limitOption", "op", "groupDistinct", "groupByAll", "all"}
    return any(getattr(select, name, None) for name in type(select).__slots__ if name not in defaults) or bool(
        select.op
    )


def _check(node: Any, calls: list[int]) -> None:
    """Each node must be of a known, harmless sort; `calls` collects where functions are named without a schema."""
    if node is None:
        return
    if isinstance(node, tuple | list):
        for item in node:
            _check(item, calls)
        return
    look = _ALLOWED.get(type(node))
    if look is None:
        raise RowFilterError(f"{_called(node)} has no place in it")
    look(node, calls)


def _check_column(node: Any, _calls: list[int]) -> None:
    if len(node.fields) != 1 or not isinstance(node.fields[0], ast.String):
        raise RowFilterError("name columns of the relation by their bare names, without a table in front")


def _check_operator(node: Any, calls: list[int]) -> None:
    names = [part.sval for part in node.name]
    if len(names) != 1 or (names[0] not in OPERATORS | PATTERNS and node.kind not in _WORDS):
        raise RowFilterError(f"the operator {'.'.join(names)} is not among those that a row filter may use")
    if names[0] in PATTERNS and not isinstance(node.rexpr, ast.A_Const):
        raise RowFilterError(f"what {names[0]} compares with must be a constant")
    _check((node.lexpr, node.rexpr), calls)


def _check_call(node: Any, calls: list[int]) -> None:
    names = [part.sval for part in node.funcname]
    bare = names[-1]
    if bare not in FUNCTIONS or (len(names) > 1 and names[:-1] != ["pg_catalog"]):
        raise RowFilterError(f"the function {'.'.join(names)} is not among those that a row filter may use")
    if node.agg_order or node.agg_filter or node.over or node.agg_star or node.agg_distinct or node.func_variadic:
        raise RowFilterError(f"{bare} must be called plainly")
    if len(names) == 1 and node.funcformat == CoercionForm.COERCE_EXPLICIT_CALL:
        calls.append(node.location)
    _check(node.args, calls)


def _check_cast(node: Any, calls: list[int]) -> None:
    names = [part.sval for part in node.typeName.names]
    if names[-1] not in TYPES or (len(names) > 1 and names[:-1] != ["pg_catalog"]) or node.typeName.setof:
        raise RowFilterError(f"the type {'.'.join(names)} is not among those that a row filter may cast to")
    if not isinstance(node.arg, ast.A_Const | ast.A_ArrayExpr):
        raise RowFilterError("only constants may be cast: a cast of a column fails for some of its values")
    _check(node.arg, calls)


def _fields(*names: str) -> Callable[[Any, list[int]], None]:
    def look(node: Any, calls: list[int]) -> None:
        for name in names:
            _check(getattr(node, name), calls)

    return look


_WORDS = frozenset(
    {
        A_Expr_Kind.AEXPR_DISTINCT, A_Expr_Kind.AEXPR_NOT_DISTINCT, A_Expr_Kind.AEXPR_IN, A_Expr_Kind.AEXPR_LIKE,
        A_Expr_Kind.AEXPR_ILIKE, A_Expr_Kind.AEXPR_BETWEEN, A_Expr_Kind.AEXPR_NOT_BETWEEN,
    }
)  # fmt: skip
_ALLOWED: dict[type, Callable[[Any, list[int]], None]] = {
    ast.ColumnRef: _check_column,
    ast.A_Const: _fields(),
    ast.A_Expr: _check_operator,
    ast.BoolExpr: _fields("args"),
    ast.NullTest: _fields("arg"),
    ast.BooleanTest: _fields("arg"),
    ast.FuncCall: _check_call,
    ast.TypeCast: _check_cast,
    ast.CoalesceExpr: _fields("args"),
    ast.MinMaxExpr: _fields("args"),
    ast.CaseExpr: _fields("arg", "args", "defresult"),
    ast.CaseWhen: _fields("expr", "result"),
    ast.A_ArrayExpr: _fields("elements"),
}
_NAMES: dict[type, str] = {
    ast.SubLink: "a sub-query",
    ast.ParamRef: "a parameter",
    ast.SQLValueFunction: "what depends on the time or the session",
    ast.CollateClause: "COLLATE",
    ast.RowExpr: "a row",
    ast.A_Indirection: "a field or an element of a value",
}


def _called(node: object) -> str:
    return _NAMES.get(type(node), type(node).__name__)


def _qualified(text: str, calls: list[int]) -> str:
    """A function of the same name and nearer types, made elsewhere, must not stand in for the built-in one."""
    for place in sorted((place - len(_PREFIX) for place in calls), reverse=True):
        text = f"{text[:place]}pg_catalog.{text[place:]}"
    return text
