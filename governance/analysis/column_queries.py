"""How columns are followed through queries: the clauses of a SELECT, set operations and CTEs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.enums import SetOperation

from governance.analysis import column_from, column_writes
from governance.analysis.naming import name_of
from governance.analysis.ranges import (
    NOTHING,
    Entry,
    Item,
    Level,
    Lineage,
    Output,
    Source,
    bare_column,
    computed,
    either,
    item_of_outputs,
    items_named,
    rename,
    row_of,
    star,
)
from governance.analysis.tree import names

if TYPE_CHECKING:
    from governance.analysis.columns import Resolver

# After so many rounds without an end, every column of a recursive CTE is made from everything that the statement reads.
MAX_ROUNDS = 10


@dataclass(slots=True)
class Cte:
    """Read when it is first named, since one of WITH RECURSIVE may stand before those that it names. `outputs` are a first
    guess while it is being read, which its own references take; `used` says that one did."""

    node: Any
    outer: Level | None
    ctes: Mapping[str, Cte]
    outputs: tuple[Output, ...] | None = None
    busy: bool = False
    used: bool = False


Ctes = Mapping[str, Cte]


def run(
    resolver: Resolver,
    node: Any,
    outer: Level | None,
    ctes: Ctes,
    sink: set[Source],
    guess: Cte | None = None,
) -> Sequence[Output]:
    """The outputs of a query, or of a write's RETURNING. `guess`: the CTE whose first branch this finds."""
    if type(node) is not ast.SelectStmt:
        return column_writes.returned(resolver, node, outer, ctes, sink)
    if node.withClause is not None:
        ctes = with_clause(resolver, node.withClause, outer, ctes)
    if node.larg is not None:
        outputs, level = _set_operation(resolver, node, outer, ctes, sink, guess), Level(outer, ctes)
        level.items.append(item_of_outputs("", outputs))
    else:
        level = Level(outer, ctes)
        outputs = _select(resolver, node, level, sink)
    if node.sortClause is not None:
        for item in node.sortClause:
            _by_output(resolver, item.node, level, outputs, resolver.uses.order)
    for bound in (node.limitCount, node.limitOffset):
        if bound is not None:
            resolver.expression(bound, level, resolver.uses.filter)
    if node.intoClause is not None:
        resolver.made(node.intoClause, rename(outputs, names(node.intoClause.colNames)))
    return outputs


def _select(resolver: Resolver, node: Any, level: Level, sink: set[Source]) -> Sequence[Output]:
    if node.valuesLists is not None:
        return _values(resolver, node.valuesLists, level, sink)
    column_from.add_from(resolver, node.fromClause, level)
    if node.whereClause is not None:
        resolver.expression(node.whereClause, level, resolver.uses.filter)
    if node.windowClause is not None:
        level.windows = {}
        for window in node.windowClause:
            level.windows[window.name] = resolver.window(window, level, sink)
    outputs = targets(resolver, node.targetList, level, sink)
    if node.groupClause is not None:
        for item in _grouped(node.groupClause):
            _by_input(resolver, item, level, outputs)
    if node.havingClause is not None:
        resolver.expression(node.havingClause, level, resolver.uses.filter)
    if node.distinctClause is not None:
        _distinct(resolver, node.distinctClause, level, outputs)
    return outputs


# --- Outputs ------------------------------------------------------------------------------------------------------


def targets(resolver: Resolver, items: Any, level: Level, sink: set[Source]) -> list[Output]:
    outputs: list[Output] = []
    for target in items or ():
        value, kind = target.val, type(target.val)
        if kind is ast.ColumnRef and type(value.fields[-1]) is ast.A_Star:
            outputs += _star(value, level, sink)
        elif kind is ast.A_Indirection and type(value.indirection[-1]) is ast.A_Star:
            outputs.append(Output("", resolver.expression(value, level, sink), many=True))
        else:
            outputs.append(Output(name_of(target), resolver.expression(value, level, sink)))
    return outputs


def _star(value: Any, level: Level, sink: set[Source]) -> Iterator[Output]:
    qualifier = [part.sval for part in value.fields[:-1]]
    items: Sequence[Item] = items_named(level, qualifier) if qualifier else level.items
    entries: Sequence[Entry] = items if qualifier else level.entries
    for item in items:
        sink |= row_of(item, value.location).sources
    if qualifier and not items:
        everything = computed([row_of(item, value.location) for item in level.items])
        sink |= everything.sources
        yield Output("", everything, many=True)
    for entry in entries:
        yield from star(entry)


def _values(resolver: Resolver, rows: Any, level: Level, sink: set[Source]) -> list[Output]:
    columns: list[Lineage] = []
    for row in rows:
        for index, value in enumerate(row):
            if index == len(columns):
                columns.append(NOTHING)
            if type(value) is not ast.A_Const and type(value) is not ast.ParamRef:
                columns[index] = either((columns[index], resolver.expression(value, level, sink)))
    return [Output(f"column{index}", lineage) for index, lineage in enumerate(columns, 1)]


def _distinct(resolver: Resolver, items: Any, level: Level, outputs: Sequence[Output]) -> None:
    """Plain DISTINCT groups by all outputs; DISTINCT ON keeps the first row of each in its order."""
    for item in items:
        if item is None:
            for output in outputs:
                resolver.uses.group |= output.lineage.sources
        else:
            _by_output(resolver, item, level, outputs, resolver.uses.order)


def _by_output(resolver: Resolver, node: Any, level: Level, outputs: Sequence[Output], sink: set[Source]) -> None:
    """ORDER BY and DISTINCT ON take a bare name for an output first, and a number for its place."""
    lineage, name = _numbered(node, outputs), _bare_name(node)
    if lineage is None and name is not None:
        found = [output.lineage for output in outputs if output.name == name or output.many]
        lineage = either(found) if any(output.name == name for output in outputs) else None
    _use(resolver, node, level, lineage, sink)


def _by_input(resolver: Resolver, node: Any, level: Level, outputs: Sequence[Output]) -> None:
    """GROUP BY takes a bare name for a column of FROM first."""
    lineage, name = _numbered(node, outputs), _bare_name(node)
    if lineage is None and name is not None:
        if any(name in item.columns for item in level.items):
            lineage = bare_column(level, name, node.location)
        elif found := [output.lineage for output in outputs if output.name == name]:
            lineage = computed((*found, *(item.whole for item in level.items if item.is_open)))
    _use(resolver, node, level, lineage, resolver.uses.group)


def _bare_name(node: Any) -> str | None:
    return names(node.fields)[0] if isinstance(node, ast.ColumnRef) and len(node.fields or ()) == 1 else None


def _use(resolver: Resolver, node: Any, level: Level, lineage: Lineage | None, sink: set[Source]) -> None:
    if lineage is None:
        resolver.expression(node, level, sink)
    else:
        resolver.note(lineage, getattr(node, "location", None), sink)


def _numbered(node: Any, outputs: Sequence[Output]) -> Lineage | None:
    if type(node) is not ast.A_Const or type(node.val) is not ast.Integer:
        return None
    place = int(node.val.ival or 0)
    if not 0 < place <= len(outputs) or any(output.many for output in outputs[:place]):
        return computed(output.lineage for output in outputs)
    return outputs[place - 1].lineage


def _grouped(items: Any) -> Iterator[Any]:
    for item in items or ():
        if type(item) is ast.GroupingSet:
            yield from _grouped(item.content)
        elif type(item) is ast.RowExpr:
            yield from _grouped(item.args)
        else:
            yield item


# --- Set operations and CTEs --------------------------------------------------------------------------------------


def _set_operation(
    resolver: Resolver, node: Any, outer: Level | None, ctes: Ctes, sink: set[Source], guess: Cte | None
) -> Sequence[Output]:
    """A long chain leans to the left: it is gone down in a loop."""
    branches, compared = [node.rarg], not _keeps_all(node)
    at = node.larg
    while at.larg is not None and not (at.withClause or at.sortClause or at.limitCount or at.limitOffset):
        branches.append(at.rarg)
        compared |= not _keeps_all(at)
        at = at.larg
    found = [run(resolver, at, outer, ctes, sink)]
    if guess is not None and guess.outputs is None:
        guess.outputs = _with_names(guess.node, found[0])
    found += [run(resolver, branch, outer, ctes, sink) for branch in reversed(branches)]
    outputs = _merged(found)
    if compared:
        for output in outputs:
            resolver.uses.group |= output.lineage.sources
    return outputs


def _keeps_all(node: Any) -> bool:
    return bool(node.all) and node.op == SetOperation.SETOP_UNION


def _merged(branches: Sequence[Sequence[Output]]) -> Sequence[Output]:
    first = branches[0]
    aligned = all(len(branch) == len(first) for branch in branches)
    if aligned and not any(output.many for branch in branches for output in branch):
        return [
            Output(columns[0].name, either([column.lineage for column in columns]))
            for columns in zip(*branches, strict=True)
        ]
    anything = computed(output.lineage for branch in branches for output in branch)
    known = [Output(output.name, anything) for output in first if not output.many]
    return [*known, Output("", anything, many=True)]


def with_clause(resolver: Resolver, clause: Any, outer: Level | None, ctes: Ctes) -> Ctes:
    """The names in sight after it. Without RECURSIVE each sees those before it; with it, all of them."""
    known = dict(ctes)
    if not clause.recursive:
        for node in clause.ctes:
            cte = Cte(node, outer, dict(known))
            outputs_of(resolver, cte)
            known[node.ctename] = cte
        return known
    mine = [Cte(node, outer, known) for node in clause.ctes]
    known.update((cte.node.ctename, cte) for cte in mine)
    for cte in mine:
        outputs_of(resolver, cte)
    return known


def outputs_of(resolver: Resolver, cte: Cte) -> Sequence[Output]:
    if cte.busy:
        cte.used = True
        return cte.outputs if cte.outputs is not None else (Output("", NOTHING, many=True),)
    if cte.outputs is None:
        cte.busy = True
        cte.outputs = _fixed_point(resolver, cte)
        cte.busy = False
    return cte.outputs


def _fixed_point(resolver: Resolver, cte: Cte) -> tuple[Output, ...]:
    """A recursive CTE is read again with what was found of it, until nothing is added."""
    for _ in range(MAX_ROUNDS):
        cte.used = False
        query = cte.node.ctequery
        found = _with_names(cte.node, run(resolver, query, cte.outer, cte.ctes, resolver.uses.output, cte))
        if not cte.used or found == cte.outputs:
            return found
        cte.outputs = found
    read = frozenset().union(*(sources for _, sources in resolver.uses.by_clause()))
    return tuple(Output(output.name, Lineage(read, False), output.many) for output in cte.outputs or ())


def _with_names(node: Any, outputs: Sequence[Output]) -> tuple[Output, ...]:
    """Under the names of the CTE, with the columns that SEARCH and CYCLE add."""
    named = tuple(rename(outputs, names(node.aliascolnames)))
    for clause, added in (
        (node.search_clause, ("search_seq_column",)),
        (node.cycle_clause, ("cycle_mark_column", "cycle_path_column")),
    ):
        if clause is not None:
            listed = names(getattr(clause, "search_col_list", None) or getattr(clause, "cycle_col_list", None))
            sources = computed(output.lineage for output in named if output.name in listed or output.many)
            named += tuple(Output(str(getattr(clause, slot)), sources) for slot in added)
    return named
