"""Functions, operators and types in a statement: which of them PostgreSQL may call, and whether they are harmless. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.enums import A_Expr_Kind

from governance.analysis.builtins import SET_RETURNING, WRITES, danger_of, is_computation
from governance.analysis.facts import FunctionUse, Kind
from governance.analysis.tree import descendants, names, place_of
from governance.catalogue.model import Function

if TYPE_CHECKING:
    from governance.analysis.reader import Reader, Scope

BETWEEN = frozenset(
    {
        A_Expr_Kind.AEXPR_BETWEEN,
        A_Expr_Kind.AEXPR_NOT_BETWEEN,
        A_Expr_Kind.AEXPR_BETWEEN_SYM,
        A_Expr_Kind.AEXPR_NOT_BETWEEN_SYM,
    }
)


def function_call(reader: Reader, node: Any, scope: Scope) -> None:
    use_function(reader, names(node.funcname), place_of(node))
    reader.visit_children(node, scope)


def use_function(reader: Reader, parts: tuple[str, ...], place: int | None) -> None:
    shown = ".".join(parts)
    if len(parts) > 2 or "*" in parts:
        return reader.not_understood(shown, "a function's name that leads through a database is not followed", place)
    schema, name = (parts[0] if len(parts) == 2 else None), parts[-1]
    found = candidates(reader, schema, name)
    if not found:
        return reader.not_understood(f"{shown}()", "there is no such function in the catalogue", place)
    for function in found:
        reader.functions.add(FunctionUse(function.schema, function.name))
        _judge_function(reader, function, place)
    return None


def candidates(reader: Reader, schema: str | None, name: str) -> list[Function]:
    """All overloads that PostgreSQL may choose from: which one it takes depends on types that are not worked out here."""
    visible = {schema} if schema else {"pg_catalog", *reader.catalogue.search_path}
    return [function for function in reader.catalogue.functions.get(name, ()) if function.schema in visible]


def _judge_function(reader: Reader, function: Function, place: int | None) -> None:
    shown = f"{function.schema}.{function.name}()"
    if is_computation(function):
        return None
    if function.schema != "pg_catalog":
        how = "runs with its owner's rights" if function.security_definer else f"is written in {function.language}"
        return reader.not_understood(shown, f"it is a function of this database and {how}; its body is not read", place)
    if danger := danger_of(function):
        code, why = danger
        reader.warn(code, f"{shown}: {why}.", place)
        return reader.not_understood(shown, why, place)
    if function.name in WRITES:
        reader.kinds.add(Kind.WRITE)
    return None


def expression(reader: Reader, node: Any, scope: Scope) -> None:
    if node.kind in BETWEEN:  # its `name` is the word; PostgreSQL looks these two up by name
        use_operator(reader, (">=",), place_of(node))
        use_operator(reader, ("<=",), place_of(node))
    else:
        use_operator(reader, names(node.name), place_of(node))
    reader.visit_children(node, scope)


def case(reader: Reader, node: Any, scope: Scope) -> None:
    if node.arg is not None:  # CASE x WHEN y compares
        use_operator(reader, ("=",), place_of(node))
    reader.visit_children(node, scope)


def join(reader: Reader, node: Any, scope: Scope) -> None:
    if node.usingClause or node.isNatural:
        use_operator(reader, ("=",), None)
    reader.derived(node, scope)


def use_operator(reader: Reader, parts: tuple[str, ...], place: int | None) -> None:
    """One that a user or an extension defined is judged like a call of its function."""
    own = [
        operator
        for operator in reader.catalogue.operators.get(parts[-1], ())
        if len(parts) == 1 or operator.schema == parts[0]
    ]
    if len(parts) > 1 and parts[0] != "pg_catalog" and not own:
        return reader.not_understood(
            f"operator {'.'.join(parts)}", "there is no such operator in the catalogue", place
        )
    for operator in own:
        functions = candidates(reader, *operator.function)
        if not all(is_computation(f) or _is_compiled(f) for f in functions):
            return reader.not_understood(
                f"operator {'.'.join(parts)}", "it is an operator that this database defines", place
            )
    return None


def _is_compiled(function: Function) -> bool:
    """Not volatile and in C: else `%` could not be used beside pg_trgm, whose operator reads a setting."""
    return function.language in ("c", "internal") and function.volatility != "v" and not function.security_definer


def sub_link(reader: Reader, node: Any, scope: Scope) -> None:
    if node.operName:
        use_operator(reader, names(node.operName), place_of(node))
    reader.visit_children(node, scope)


def sort_by(reader: Reader, node: Any, scope: Scope) -> None:
    if node.useOp:
        use_operator(reader, names(node.useOp), place_of(node))
    reader.visit(node.node, scope)


def type_name(reader: Reader, node: Any, scope: Scope) -> None:
    parts = names(node.names)
    known = len(parts) == 1 or parts[0] == "pg_catalog" or parts in reader.catalogue.types
    if not known or len(parts) > 2:
        reader.not_understood(f"type {'.'.join(parts)}", "there is no such type in the catalogue", place_of(node))
    reader.visit_all(node.typmods, scope)


def column_ref(reader: Reader, node: Any, _scope: Scope) -> None:
    parts = names(node.fields)
    if len(parts) > 1 and parts[-1] != "*":
        reader.attributes.append((parts[-2], parts[-1], place_of(node)))


def indirection(reader: Reader, node: Any, scope: Scope) -> None:
    for part in node.indirection or ():
        if isinstance(part, ast.String):
            reader.attributes.append((None, str(part.sval), place_of(node)))
    reader.visit_children(node, scope)


def judge_attributes(reader: Reader) -> None:
    """`t.f` calls the function `f(t)` when `t` has no column `f` (PostgreSQL documentation, 4.2.6): where the name is
    also that of a function which is not harmless, only a known column is taken for a column."""
    for qualifier, name, place in reader.attributes:
        dangerous = [
            function
            for function in reader.catalogue.functions.get(name, ())
            if (function.schema != "pg_catalog" or danger_of(function)) and not is_computation(function)
        ]
        relations = reader.aliases.get(qualifier or "", [])
        is_column = bool(relations) and all(relation.column(name) for relation in relations)
        if dangerous and not is_column:
            use_function(reader, (name,), place)


def multiplies(reader: Reader, rows: Any) -> bool:
    """Whether a listed row may become many: PostgreSQL runs a single one like a SELECT, set-returning functions too."""
    calls = (
        names(node.funcname)
        for row in rows
        for value in row
        for node in descendants(value)
        if isinstance(node, ast.FuncCall)
    )
    return any(name[-1] in SET_RETURNING or _is_own_function(reader, name[-1]) for name in calls)


def _is_own_function(reader: Reader, name: str) -> bool:
    return any(function.schema != "pg_catalog" for function in reader.catalogue.functions.get(name, ()))
