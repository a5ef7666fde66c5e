"""RETURNING of a masked target: each masked column gives way to its mask, `*` to the list of columns. Pure.

The target of a write cannot be replaced by a sub-select, so here it is references that are: those that may mean a column of
the target. Where a reference could mean more than it says (whole rows, names inside sub-queries), the statement is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pglast import ast

from governance.analysis.column_from import add_from
from governance.analysis.columns import Resolver
from governance.analysis.ranges import Level
from governance.analysis.reader import Target
from governance.analysis.tree import children, names, place_of
from governance.masking.edits import Rewriting, Tree, expression_tree
from governance.masking.errors import MaskingImpossible
from governance.masking.masks import masked_value
from governance.masking.plan import Masks
from governance.masking.system_columns import SYSTEM_COLUMNS
from governance.masking.types import quote_name

NOWHERE = ast.SelectStmt()


def mask_returning(rewriting: Rewriting) -> None:
    for target in rewriting.analysis.targets:
        masks = rewriting.plan.of(target.relation)
        clause = getattr(target.node, "returningClause", None)
        if clause is None or not masks:
            continue
        rows = {target.alias, "old", "new", *_renamed(clause)}
        for returned in clause.exprs or ():
            _mask_one(returned, target, masks, rows, rewriting)


def _renamed(clause: Any) -> Iterator[str]:
    """`RETURNING WITH (OLD AS o)` names the rows anew."""
    return (str(option.value) for option in clause.options or () if option.value)


def _mask_one(returned: Any, target: Target, masks: Masks, rows: set[str], rewriting: Rewriting) -> None:
    value = returned.val
    if isinstance(value, ast.ColumnRef) and names(value.fields)[-1] == "*":
        _write_star_out(returned, target, masks, rows, rewriting)
        return
    for node, home in _references(value, None):
        *qualifier, name = names(node.fields)
        inside = home is not None
        if name == "*" and inside and not qualifier:
            continue  # All of the sub-query's own FROM; the target never stands there.
        if name == "*" or (not qualifier and name in rows):
            raise _impossible(f"a whole row of {target.relation.qualified}")
        if qualifier and qualifier[-1] not in rows:
            continue
        if name not in masks:
            _check_known(node, home, target, rewriting)
            continue
        if inside and not qualifier:
            raise _impossible(f"{name} inside a sub-query")
        _replace(node, _value_of(qualifier, name), target, masks, rewriting)
        if node is value and not returned.name:
            # An expression has another name than the column that it stands for.
            rewriting.edits.splice(_end_of(node, rewriting), _end_of(node, rewriting), f" AS {quote_name(name)}")
            rewriting.edits.becomes("ResTarget", place_of(returned) or 0, partial(_named, name))


def _references(node: Any, home: ast.SelectStmt | None) -> Iterator[tuple[Any, ast.SelectStmt | None]]:
    """Column references, and the sub-query that each stands in. What stands in a FROM sees nothing that is beside it."""
    if isinstance(node, ast.ColumnRef):
        yield node, home
    if isinstance(node, ast.SelectStmt):
        home = node
        for item in node.fromClause or ():
            yield from _references(item, NOWHERE)
    for child in children(node, ("fromClause",) if isinstance(node, ast.SelectStmt) else ()):
        yield from _references(child, home)


def _check_known(node: Any, home: ast.SelectStmt | None, target: Target, rewriting: Rewriting) -> None:
    """A column of the target that the catalogue does not know may be computed from one that is masked."""
    *qualifier, name = names(node.fields)
    if name in SYSTEM_COLUMNS or target.relation.column(name) is not None:
        return
    beside = target.node if home is None else home
    if qualifier or name not in _offered(beside, rewriting):
        raise MaskingImpossible(
            f"RETURNING cannot be masked: it is not certain that {name} is no new column of {target.relation.qualified}.",
            remedy="Write columns of other relations with their relation's name before them.",
        )


def _offered(node: Any, rewriting: Rewriting) -> set[str]:
    """The columns that a bare name finds in the FROM of this node. Were one the target's as well, PostgreSQL would call the
    name ambiguous, or take the one of the inner query."""
    slots = ("fromClause", "usingClause", "sourceRelation")
    sources = [item for slot in slots if (found := getattr(node, slot, None)) for item in _as_items(found)]
    known = {id(occurrence.node): occurrence.relation for occurrence in rewriting.analysis.occurrences}
    level = Level(None, {})
    add_from(Resolver(known, {}, {}), sources, level)
    return {name for item in level.items for name in item.columns}


def _as_items(found: Any) -> tuple[Any, ...]:
    return tuple(found) if isinstance(found, tuple | list) else (found,)


def _impossible(what: str) -> MaskingImpossible:
    return MaskingImpossible(
        f"RETURNING cannot be masked: it shows {what}.",
        remedy="Name the columns that you need in RETURNING, without these.",
    )


def _value_of(qualifier: list[str], name: str) -> str:
    return ".".join(quote_name(part) for part in (*qualifier[-1:], name))


def _replace(node: Any, value: str, target: Target, masks: Masks, rewriting: Rewriting) -> None:
    place = place_of(node) or 0
    expression = _masked(names(node.fields)[-1], value, target, masks)
    rewriting.edits.splice(place, _end_of(node, rewriting), expression)
    rewriting.edits.becomes("ColumnRef", place, lambda _: [expression_tree(expression)])


def _masked(name: str, value: str, target: Target, masks: Masks) -> str:
    column = target.relation.column(name)
    if column is None:
        raise MaskingImpossible(f"{target.relation.qualified} has no column {name} to mask.")
    return f"({masked_value(column, masks[name], value)})"


def _end_of(node: Any, rewriting: Rewriting) -> int:
    """A reference of n names is n names and n - 1 dots."""
    tokens, place = rewriting.analysis.parsed.tokens, place_of(node)
    first = next(number for number, token in enumerate(tokens) if token.start == place)
    return tokens[first + 2 * (len(node.fields) - 1)].end


def _named(name: str, tree: Tree) -> list[Tree]:
    return [{"ResTarget": {"name": name} | tree["ResTarget"]}]


def _write_star_out(returned: Any, target: Target, masks: Masks, rows: set[str], rewriting: Rewriting) -> None:
    *qualifier, _ = names(returned.val.fields)
    if qualifier and qualifier[-1] not in rows:
        return
    if not qualifier and (isinstance(target.node, ast.MergeStmt) or _others(target.node)):
        raise _impossible("`*` of several relations")
    row = qualifier[-1:] or [target.alias]
    listed: Mapping[str, str] = {
        column.name: _masked(column.name, _value_of(row, column.name), target, masks)
        if column.name in masks
        else _value_of(row, column.name)
        for column in target.relation.columns
    }
    place = place_of(returned) or 0
    text = ", ".join(
        f"{expression} AS {quote_name(name)}" if name in masks else expression for name, expression in listed.items()
    )
    rewriting.edits.splice(place, _end_of(returned.val, rewriting), text)
    rewriting.edits.becomes("ResTarget", place, partial(_listed, listed, masks))


def _others(node: Any) -> bool:
    return bool(getattr(node, "fromClause", None) or getattr(node, "usingClause", None))


def _listed(listed: Mapping[str, str], masks: Masks, _tree: Tree) -> list[Tree]:
    return [
        {"ResTarget": ({"name": name} if name in masks else {}) | {"val": expression_tree(expression)}}
        for name, expression in listed.items()
    ]
