"""Functions, operators and types in a statement: which of them PostgreSQL may call, and whether they are harmless. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.enums import A_Expr_Kind

from governance.analysis.bodies import read_body
from governance.analysis.builtins import SET_RETURNING
from governance.analysis.conversions import judge_types
from governance.analysis.facts import Facts, Kind
from governance.analysis.functions import (
    NO_FUNCTION,
    NO_OPERATOR,
    NO_TYPE,
    Verdict,
    candidates,
    use_of,
    verdict_of,
    verdict_of_operator,
)
from governance.analysis.settings import harmless_to_set, harmless_to_show
from governance.analysis.tree import descendants, names, place_of
from governance.catalogue.model import Function

if TYPE_CHECKING:
    from governance.analysis.reader import Reader, Scope

OF_SETTINGS = frozenset({"current_setting", "set_config"})
# They say something of the query itself, not of a statement that uses it.
OF_ONE_QUERY = frozenset({"unbounded-read", "cartesian-product"})
BETWEEN = frozenset(
    {
        A_Expr_Kind.AEXPR_BETWEEN,
        A_Expr_Kind.AEXPR_NOT_BETWEEN,
        A_Expr_Kind.AEXPR_BETWEEN_SYM,
        A_Expr_Kind.AEXPR_NOT_BETWEEN_SYM,
    }
)


def function_call(reader: Reader, node: Any, scope: Scope) -> None:
    parts = names(node.funcname)
    if parts[-1] not in OF_SETTINGS or not _uses_a_harmless_setting(reader, parts, node.args or ()):
        use_function(reader, parts, place_of(node))
    reader.visit_children(node, scope)


def use_function(reader: Reader, parts: tuple[str, ...], place: int | None) -> None:
    shown = ".".join(parts)
    if len(parts) > 2 or "*" in parts:
        return reader.not_understood(shown, "a function's name that leads through a database is not followed", place)
    verdict = verdict_of(reader.catalogue, parts[0] if len(parts) == 2 else None, parts[-1])
    if verdict is None:
        return reader.not_understood(f"{shown}()", NO_FUNCTION, place)
    return _follow(reader, verdict, place)


def _follow(reader: Reader, verdict: Verdict, place: int | None) -> None:
    reader.functions |= verdict.uses
    if verdict.is_harmless:
        return
    for danger in verdict.dangers:
        if danger.hazard:
            reader.warn(danger.hazard, f"{danger.shown}: {danger.why}.", place)
        reader.not_understood(danger.shown, danger.why, place)
    if verdict.writes:
        reader.kinds.add(Kind.WRITE)
    for function in verdict.bodies:
        _follow_body(reader, function, place)


def _follow_body(reader: Reader, function: Function, place: int | None) -> None:
    """What a function in SQL does is part of what the statement does. How often it is called is not known, so a body that
    writes changes any number of rows."""
    if function.security_definer:
        reader.warn("security-definer", f"{function.qualified}() runs with its owner's rights.", place)
    body = read_body(function, reader.catalogue)
    if body.problem:
        reader.not_understood(f"{function.qualified}()", f"it is a function of this database and {body.problem}", place)
    known = reader.bodies.setdefault((function.schema, function.name), [])
    for analysis in body.statements:
        if analysis in known:
            continue
        known.append(analysis)
        join_facts(reader, analysis.facts, f"the function {function.qualified}()", place)


def join_facts(reader: Reader, facts: Facts, where: str, place: int | None) -> None:
    reader.kinds |= facts.kinds
    reader.relations.update(facts.relations)
    reader.functions.update(facts.functions)
    if not facts.reads_only:
        reader.by_key, reader.rows_inserted = False, None
    for hazard in facts.hazards:
        if hazard.code not in OF_ONE_QUERY:
            reader.warn(hazard.code, hazard.message, place)
    for unknown in facts.unknown:
        reader.not_understood(unknown.what, f"{unknown.why} (inside {where})", place, final=unknown.final)


def _uses_a_harmless_setting(reader: Reader, parts: tuple[str, ...], arguments: Any) -> bool:
    """`current_setting('x')` and `set_config('x', 'y', …)` of settings that are harmless to show or to set."""
    found = candidates(reader.catalogue, parts[0] if len(parts) == 2 else None, parts[-1])
    texts = [_text(argument) for argument in arguments]
    if not found or any(function.schema != "pg_catalog" for function in found) or not texts or texts[0] is None:
        return False
    if parts[-1] == "set_config":
        harmless = len(texts) == 3 and texts[1] is not None and harmless_to_set(texts[0], texts[1])
        if harmless:
            reader.kinds.add(Kind.SESSION)
    else:
        harmless = harmless_to_show(texts[0])
    if harmless:
        reader.functions.update(map(use_of, found))
    return harmless


def _text(node: Any) -> str | None:
    if isinstance(node, ast.TypeCast):
        node = node.arg
    is_text = isinstance(node, ast.A_Const) and not node.isnull and isinstance(node.val, ast.String)
    return str(node.val.sval) if is_text else None


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
    """One of PostgreSQL's own is harmless; of any other, its function is judged."""
    schema = parts[0] if len(parts) > 1 else None
    if verdict := verdict_of_operator(reader.catalogue, schema, parts[-1]):
        if verdict.dangers:
            why = f"it is an operator that this database defines, and {verdict.dangers[0].why}"
            reader.not_understood(f"operator {'.'.join(parts)}", why, place)
        _follow(reader, verdict, place)
    elif schema not in (None, "pg_catalog"):
        reader.not_understood(f"operator {'.'.join(parts)}", NO_OPERATOR, place)


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
        reader.not_understood(f"type {'.'.join(parts)}", NO_TYPE, place_of(node))
    reader.named_types.add(parts)
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
        if name not in reader.catalogue.functions:
            continue
        verdict = verdict_of(reader.catalogue, None, name)
        dangerous = verdict is not None and not verdict.is_harmless
        relations = reader.aliases.get(qualifier or "", [])
        is_column = bool(relations) and all(relation.column(name) for relation in relations)
        if dangerous and not is_column:
            use_function(reader, (name,), place)
    judge_types(reader)


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
