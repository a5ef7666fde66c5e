"""How columns are followed through FROM: relations, sub-queries, functions and joins become items of a level. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pglast import ast

from governance.analysis import column_queries
from governance.analysis.ranges import (
    NOTHING,
    Entry,
    Item,
    Join,
    Level,
    Output,
    column_of_entry,
    computed,
    is_open,
    item_of_outputs,
    item_of_relation,
    natural_names,
    open_item,
    star,
)
from governance.analysis.tree import names

if TYPE_CHECKING:
    from governance.analysis.columns import Resolver


def add_from(resolver: Resolver, nodes: Any, level: Level) -> None:
    for node in nodes or ():
        level.entries.append(_entry(resolver, node, level))


def _entry(resolver: Resolver, node: Any, level: Level) -> Entry:
    """Appends to the level's items what can be named from now on; gives what `*` stands for."""
    kind = type(node)
    if kind is ast.JoinExpr:
        return _join(resolver, node, level)
    if kind is ast.RangeVar:
        item = _named(resolver, node, level)
    elif kind is ast.RangeSubselect:
        item = _sub_select(resolver, node, level)
    elif kind is ast.RangeTableSample:
        for part in (*(node.args or ()), node.repeatable):
            if part is not None:
                resolver.expression(part, level, resolver.uses.filter)
        return _entry(resolver, node.relation, level)
    else:
        item = _function(resolver, node, level)
    level.items.append(item)
    return item


def _named(resolver: Resolver, node: Any, level: Level) -> Item:
    alias = str(node.alias.aliasname if node.alias else node.relname)
    renamed = names(node.alias.colnames) if node.alias else ()
    relation = resolver.relation(node)
    if relation is not None:
        return item_of_relation(relation, alias, renamed)
    if node.schemaname is None and (cte := level.ctes.get(node.relname)) is not None:
        return item_of_outputs(alias, column_queries.outputs_of(resolver, cte), renamed)
    # A system relation, or one that is not known: whoever asks for it is refused unless what it holds is harmless.
    return open_item(alias, NOTHING, renamed)


def _sub_select(resolver: Resolver, node: Any, level: Level) -> Item:
    outer = level if node.lateral else level.outer
    outputs = column_queries.run(resolver, node.subquery, outer, level.ctes, resolver.uses.output)
    alias = node.alias
    if alias is None:
        return item_of_outputs("", outputs)
    return item_of_outputs(str(alias.aliasname), outputs, names(alias.colnames))


def _function(resolver: Resolver, node: Any, level: Level) -> Item:
    """A function in FROM sees what stands before it. What its row holds is made from all its arguments."""
    lineage = resolver.expression(_arguments(node), level, resolver.uses.output)
    alias = node.alias
    defined = [str(column.colname) for column in _definitions(node)]
    if alias is None:
        call = _arguments(node)[0]
        last = names(call.funcname)[-1] if isinstance(call, ast.FuncCall) else ""
        return open_item(last, lineage, defined)
    return open_item(str(alias.aliasname), lineage, names(alias.colnames) or defined)


def _arguments(node: Any) -> tuple[Any, ...]:
    if isinstance(node, ast.RangeFunction):
        return tuple(call for call, _ in node.functions or ())
    if isinstance(node, ast.RangeTableFunc):
        values = [part for column in node.columns or () for part in (column.colexpr, column.coldefexpr)]
        return tuple(part for part in (node.docexpr, node.rowexpr, node.namespaces, *values) if part is not None)
    return (node,)


def _definitions(node: Any) -> Iterator[Any]:
    """`AS t(a int, b text)` after a function that returns a record."""
    if isinstance(node, ast.RangeFunction):
        for _, definitions in node.functions or ():
            yield from definitions or ()
        yield from node.coldeflist or ()


def _join(resolver: Resolver, node: Any, level: Level) -> Entry:
    first = len(level.items)
    left = _entry(resolver, node.larg, level)
    right = _entry(resolver, node.rarg, level)
    merged = names(node.usingClause) if node.usingClause else natural_names(left, right) if node.isNatural else ()
    entry = Join(left, right, merged)
    for name in merged:
        resolver.uses.join |= column_of_entry(entry, name).sources
    if node.isNatural and (is_open(left) or is_open(right)):
        resolver.uses.join |= computed(output.lineage for output in star(entry)).sources
    if node.quals is not None:
        inside = Level(level.outer, level.ctes, level.items[first:])
        resolver.expression(node.quals, inside, resolver.uses.join)
    if node.join_using_alias is not None:
        both = [Output(name, column_of_entry(entry, name)) for name in merged]
        level.items.append(item_of_outputs(str(node.join_using_alias.aliasname), both))
    if node.alias is not None:
        item = item_of_outputs(str(node.alias.aliasname), star(entry), names(node.alias.colnames))
        level.items[first:] = [item]
        return item
    return entry
