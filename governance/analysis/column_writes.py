"""How columns are followed through statements that write, copy or define, and what each write puts where. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.enums import MergeMatchKind, ReturningOptionKind

from governance.analysis import column_from, column_queries
from governance.analysis.ranges import (
    NOTHING,
    Item,
    Level,
    Lineage,
    Output,
    Source,
    computed,
    item_of_outputs,
    item_of_relation,
    open_item,
    rename,
)
from governance.analysis.tree import names, place_of
from governance.catalogue.model import Relation

if TYPE_CHECKING:
    from governance.analysis.columns import Resolver

Ctes = Mapping[str, Any]
QUERIES = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def statement(resolver: Resolver, node: Any, defined: Iterable[Relation] = ()) -> Sequence[Output]:
    """The outputs of a whole statement. `defined`: the relations that a definition is about."""
    uses = resolver.uses
    if isinstance(node, QUERIES):
        into = getattr(node, "intoClause", None)
        return column_queries.run(resolver, node, None, {}, uses.output if into is None else uses.write)
    if isinstance(node, ast.CreateTableAsStmt):
        return _create_table_as(resolver, node)
    if isinstance(node, ast.ViewStmt):
        column_queries.run(resolver, node.query, None, {}, uses.write)
        return ()
    if isinstance(node, (ast.DeclareCursorStmt, ast.PrepareStmt)):
        return statement(resolver, node.query)
    if isinstance(node, ast.ExplainStmt):
        statement(resolver, node.query)
        read = frozenset[Source]().union(*(sources for _, sources in uses.by_clause()))
        return (Output("QUERY PLAN", Lineage(read, False) if read else NOTHING),)
    if isinstance(node, ast.CopyStmt):
        return _copy(resolver, node)
    resolver.expression(node, Level(None, {}, [item_of_relation(one, one.name) for one in defined]), uses.write)
    return ()


def _create_table_as(resolver: Resolver, node: Any) -> Sequence[Output]:
    outputs: Sequence[Output]
    if isinstance(node.query, QUERIES):
        outputs = column_queries.run(resolver, node.query, None, {}, resolver.uses.write)
    else:
        outputs = (Output("", NOTHING, many=True),)
    resolver.made(node.into, rename(outputs, names(node.into.colNames)))
    return ()


def _copy(resolver: Resolver, node: Any) -> Sequence[Output]:
    if node.query is not None:
        return statement(resolver, node.query)
    relation = resolver.relation(node.relation) or resolver.targets.get(id(node))
    if relation is None:
        return ()
    item = item_of_relation(relation, str(node.relation.relname))
    listed = names(node.attlist)
    outputs = [output for output in item.outputs if not listed or output.name in listed]
    if node.whereClause is not None:
        resolver.expression(node.whereClause, Level(None, {}, [item]), resolver.uses.filter)
    sink = resolver.uses.write if node.is_from else resolver.uses.output
    for output in outputs:
        sink |= output.lineage.sources
    return () if node.is_from else outputs


# --- INSERT, UPDATE, DELETE, MERGE --------------------------------------------------------------------------------


def returned(resolver: Resolver, node: Any, outer: Level | None, ctes: Ctes, sink: set[Source]) -> Sequence[Output]:
    """What a write returns; nothing without RETURNING."""
    write = _WRITES.get(type(node))
    if write is None:
        resolver.expression(node, Level(outer, ctes), sink)
        return ()
    if node.withClause is not None:
        ctes = column_queries.with_clause(resolver, node.withClause, outer, ctes)
    resolver.raw.setdefault(id(node), {})
    level = Level(outer, ctes)
    others = write(resolver, node, level)
    clause = node.returningClause
    return () if clause is None else _returning(resolver, node, clause, Level(outer, ctes), others, sink)


def _returning(
    resolver: Resolver, node: Any, clause: Any, level: Level, others: Sequence[Item], sink: set[Source]
) -> Sequence[Output]:
    """Its columns are not noted as raw: masking refuses a RETURNING that shows them."""
    target, relation = _target(resolver, node), resolver.targets.get(id(node))
    first, last = ([*others], [target]) if isinstance(node, ast.MergeStmt) else ([target], [*others])
    level.entries += [*first, *last]
    level.items += [target, *others]
    aliases = {ReturningOptionKind.RETURNING_OPTION_OLD: "old", ReturningOptionKind.RETURNING_OPTION_NEW: "new"}
    for option in clause.options or ():
        aliases[option.option] = str(option.value)
    if relation is not None:
        level.items += [item_of_relation(relation, alias) for alias in aliases.values()]
    return column_queries.targets(resolver, clause.exprs, level, sink)


def _target(resolver: Resolver, node: Any) -> Item:
    name = node.relation
    alias = str(name.alias.aliasname if name.alias else name.relname)
    relation = resolver.targets.get(id(node))
    return open_item(alias, NOTHING) if relation is None else item_of_relation(relation, alias)


def _raw_target(resolver: Resolver, node: Any) -> Item:
    item = _target(resolver, node)
    item.raw = resolver.raw[id(node)]
    return item


def _insert(resolver: Resolver, node: Any, level: Level) -> Sequence[Item]:
    relation = resolver.targets.get(id(node))
    outputs: Sequence[Output] = ()
    if node.selectStmt is not None:
        outputs = column_queries.run(resolver, node.selectStmt, level.outer, level.ctes, resolver.uses.write)
    columns = _inserted(resolver, node.cols, relation, outputs, level)
    _put(resolver, node, relation, columns)
    if (clause := node.onConflictClause) is not None:
        level.items += [_raw_target(resolver, node), item_of_outputs("excluded", _excluded(relation, columns))]
        _on_conflict(resolver, node, clause, level)
    return ()


def _inserted(
    resolver: Resolver, cols: Any, relation: Relation | None, values: Sequence[Output], level: Level
) -> list[Output]:
    """The columns that get a value, with what it is made from; `cols` None: the first ones of the relation."""
    listed = [str(target.name) for target in cols or ()]
    for target in cols or ():
        if target.indirection:
            resolver.expression(target.indirection, level, resolver.uses.write)
    if not listed:
        listed = [column.name for column in relation.columns] if relation else []
    if any(value.many for value in values):
        anything = computed(value.lineage for value in values)
        return [Output(name, anything) for name in listed]
    return [Output(name, value.lineage) for name, value in zip(listed, values, strict=False)]


def _excluded(relation: Relation | None, columns: Sequence[Output]) -> list[Output]:
    known = {column.name: column for column in columns}
    others = relation.columns if relation else ()
    return [known.get(column.name, Output(column.name, NOTHING)) for column in others] or list(columns)


def _on_conflict(resolver: Resolver, node: Any, clause: Any, level: Level) -> None:
    relation, uses = resolver.targets.get(id(node)), resolver.uses
    if clause.infer is not None:
        for element in clause.infer.indexElems or ():
            if element.name is not None and relation is not None:
                resolver.raw[id(node)].setdefault(str(element.name), place_of(clause.infer))
                uses.filter.add((relation.schema, relation.name, str(element.name)))
            elif element.expr is not None:
                resolver.expression(element.expr, level, uses.filter)
        if clause.infer.whereClause is not None:
            resolver.expression(clause.infer.whereClause, level, uses.filter)
    _put(resolver, node, relation, _set(resolver, clause.targetList, level))
    if clause.whereClause is not None:
        resolver.expression(clause.whereClause, level, uses.filter)


def _update(resolver: Resolver, node: Any, level: Level) -> Sequence[Item]:
    level.items.append(_raw_target(resolver, node))
    others = _other_relations(resolver, node.fromClause, level)
    if node.whereClause is not None:
        resolver.expression(node.whereClause, level, resolver.uses.filter)
    _put(resolver, node, resolver.targets.get(id(node)), _set(resolver, node.targetList, level))
    return others


def _delete(resolver: Resolver, node: Any, level: Level) -> Sequence[Item]:
    level.items.append(_raw_target(resolver, node))
    others = _other_relations(resolver, node.usingClause, level)
    if node.whereClause is not None:
        resolver.expression(node.whereClause, level, resolver.uses.filter)
    return others


def _other_relations(resolver: Resolver, nodes: Any, level: Level) -> list[Item]:
    first = len(level.items)
    column_from.add_from(resolver, nodes, level)
    return level.items[first:]


def _merge(resolver: Resolver, node: Any, level: Level) -> Sequence[Item]:
    source = Level(level.outer, level.ctes)
    column_from.add_from(resolver, (node.sourceRelation,), source)
    level.items += [_raw_target(resolver, node), *source.items]
    resolver.expression(node.joinCondition, level, resolver.uses.join)
    relation = resolver.targets.get(id(node))
    for clause in node.mergeWhenClauses or ():
        # Where there is no row of the target, its columns do not exist.
        own = source if clause.matchKind == MergeMatchKind.MERGE_WHEN_NOT_MATCHED_BY_TARGET else level
        if clause.condition is not None:
            resolver.expression(clause.condition, own, resolver.uses.filter)
        if clause.values is not None:
            values = [Output("", resolver.expression(value, own, resolver.uses.write)) for value in clause.values]
            _put(resolver, node, relation, _inserted(resolver, clause.targetList, relation, values, own))
        else:
            _put(resolver, node, relation, _set(resolver, clause.targetList, own))
    return source.items


def _set(resolver: Resolver, targets: Any, level: Level) -> list[Output]:
    """What SET puts into which column."""
    columns = []
    for target in targets or ():
        value = target.val
        if isinstance(value, ast.MultiAssignRef):
            parts = value.source.args or () if isinstance(value.source, ast.RowExpr) else ()
            value = parts[target.val.colno - 1] if target.val.colno <= len(parts) else value.source
        lineage = resolver.expression(value, level, resolver.uses.write)
        if target.indirection:
            resolver.expression(target.indirection, level, resolver.uses.write)
            lineage = computed((lineage,))  # a part of the column, under a class of the whole
        columns.append(Output(str(target.name), lineage))
    return columns


def _put(resolver: Resolver, node: ast.Node, relation: Relation | None, columns: Sequence[Output]) -> None:
    if relation is not None and columns:
        resolver.uses.write |= {(relation.schema, relation.name, column.name) for column in columns}
        resolver.made(node, columns, relation)


_WRITES: Mapping[type[ast.Node], Callable[[Resolver, Any, Level], Sequence[Item]]] = {
    ast.InsertStmt: _insert,
    ast.UpdateStmt: _update,
    ast.DeleteStmt: _delete,
    ast.MergeStmt: _merge,
}
