"""Which columns a statement reads and for what, and what each column of its result is made from. Pure.

One walk over the tree finds both. Every value is followed as a `Lineage` (ranges.py): through sub-queries, CTEs and set
operations, so that a filter on `x.e` is a filter on the column that `e` was taken from. A column of a view counts as the
view's own here; lineage.py follows it further down.

How relations are named is not worked out again: the reader's occurrences say which relation stands where.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.enums import SubLinkType

from governance.analysis import column_queries, column_writes
from governance.analysis.facts import Clause, ColumnUse, Facts
from governance.analysis.ranges import (
    ALL,
    NOTHING,
    Level,
    Lineage,
    Output,
    Source,
    bare_column,
    computed,
    items_named,
    qualified_column,
    row_of,
)
from governance.analysis.tree import names
from governance.catalogue.model import Relation, RelationName

if TYPE_CHECKING:
    from governance.analysis.analyse import Analysis
    from governance.analysis.reader import Occurrence, Target

# The sources that are read in a function of the database, by its bare name.
Called = Mapping[str, frozenset[Source]]
# What names types, functions, operators and collations holds no column.
_NAMES = frozenset({"funcname", "typeName", "operName", "collname", "useOp", "names"})
_LEAVES = frozenset({ast.A_Const, ast.ParamRef, ast.String, ast.TypeName, ast.SetToDefault, ast.SQLValueFunction})
_TEXTS = frozenset({("text",), ("varchar",), ("pg_catalog", "text"), ("pg_catalog", "varchar")})


@dataclass(slots=True)
class Uses:
    """Sources by what they are used for."""

    output: set[Source] = field(default_factory=set)
    filter: set[Source] = field(default_factory=set)
    join: set[Source] = field(default_factory=set)
    order: set[Source] = field(default_factory=set)
    group: set[Source] = field(default_factory=set)
    write: set[Source] = field(default_factory=set)

    def by_clause(self) -> tuple[tuple[Clause, set[Source]], ...]:
        return (
            (Clause.OUTPUT, self.output),
            (Clause.FILTER, self.filter),
            (Clause.JOIN, self.join),
            (Clause.ORDER, self.order),
            (Clause.GROUP, self.group),
            (Clause.WRITE, self.write),
        )

    def add(self, other: Uses) -> None:
        for (_, mine), (_, theirs) in zip(self.by_clause(), other.by_clause(), strict=True):
            mine |= theirs


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """What one write puts into the columns of a relation; None where it is only being made (`node`: its IntoClause)."""

    node: ast.Node
    relation: Relation | None
    columns: tuple[Output, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """`raw`: by writing node (its `id`), the columns of its target that it reads, and where. `places` has the filters,
    joins, orders and groups in the order of the text, with what they read."""

    uses: Uses
    outputs: tuple[Output, ...]
    written: tuple[Written, ...]
    raw: Mapping[int, Mapping[str, int | None]]
    places: tuple[tuple[frozenset[Source], int | None], ...]

    def facts(self, inner: Iterable[Facts] = ()) -> tuple[ColumnUse, ...]:
        """`inner`: the facts of the views and functions that the statement uses; what they read is read by it."""
        found = [(source, clause) for clause, sources in self.uses.by_clause() for source in sources]
        mine = tuple(column_use(source, clause) for source, clause in sorted(found))
        below = {use for facts in inner for use in facts.columns}
        return tuple(sorted({*mine, *below})) if below else mine


NO_COLUMNS = Columns(Uses(), (), (), {}, ())


@lru_cache(maxsize=65_536)
def column_use(source: Source, clause: Clause) -> ColumnUse:
    return ColumnUse(*source, clause)


def read_columns(
    statement: ast.Node,
    occurrences: Sequence[Occurrence],
    targets: Sequence[Target],
    defined: Iterable[Relation] = (),
    called: Called | None = None,
) -> Columns:
    """`defined`: what a definition is about; `called`: what the functions of the database read that it calls."""
    resolver = Resolver(
        {id(occurrence.node): occurrence.relation for occurrence in occurrences},
        {id(target.node): target.relation for target in targets},
        called or {},
    )
    outputs = column_writes.statement(resolver, statement, defined)
    return Columns(resolver.uses, tuple(outputs), tuple(resolver.written), resolver.raw, tuple(resolver.places))


def read_in_bodies(bodies: Mapping[RelationName, Sequence[Analysis]]) -> Called:
    """Of functions whose bodies are known, by schema and name: what they read, so that it is in what they return."""
    called: dict[str, frozenset[Source]] = {}
    for (_, name), statements in bodies.items():
        read = {(use.schema, use.relation, use.column) for inner in statements for use in inner.facts.columns}
        called[name] = called.get(name, frozenset()) | read
    return called


@dataclass(slots=True)
class Resolver:
    """Collects while it walks. column_queries.py and column_writes.py say what it does with queries and with writes."""

    relations: Mapping[int, Relation]
    targets: Mapping[int, Relation]
    called: Called
    uses: Uses = field(default_factory=Uses)
    written: list[Written] = field(default_factory=list)
    raw: dict[int, dict[str, int | None]] = field(default_factory=dict)
    places: list[tuple[frozenset[Source], int | None]] = field(default_factory=list)

    def expression(self, node: Any, level: Level, sink: set[Source]) -> Lineage:
        """What a value is made from; noted as used in `sink`. A bare column is told from what is computed."""
        if type(node) is ast.ColumnRef:
            lineage = self.column(node, level)
            self.note(lineage, node.location, sink)
            return lineage
        if type(node) is ast.TypeCast and _keeps_value(node):
            return self.expression(node.arg, level, sink)
        if type(node) is ast.A_Indirection:
            return self.indirection(node, level, sink)
        if type(node) is ast.SubLink and node.subLinkType == SubLinkType.EXPR_SUBLINK:
            return self.sub_link(node, level, sink)
        sources: set[Source] = set()
        self._collect(node, level, sink, sources)
        return Lineage(frozenset(sources), False) if sources else NOTHING

    def _collect(self, node: Any, level: Level, sink: set[Source], sources: set[Source]) -> None:
        """Everything below a node that is no query of its own; `sources` grows."""
        stack = [node]
        while stack:
            node = stack.pop()
            kind = type(node)
            if kind is ast.ColumnRef:
                lineage = self.column(node, level)
                sources |= lineage.sources
                self.note(lineage, node.location, sink)
            elif kind is tuple or kind is list:
                stack.extend(reversed(node))
            elif kind in _LEAVES:
                continue
            elif handler := _HANDLERS.get(kind):
                sources |= handler(self, node, level, sink).sources
            elif isinstance(node, ast.Node):
                stack.extend(self._parts(node, kind))

    def _parts(self, node: Any, kind: Any) -> list[Any]:
        parts = [getattr(node, slot) for slot in _node_slots(kind)]
        return [part for part in reversed(parts) if part is not None]

    def note(self, lineage: Lineage, place: int | None, sink: set[Source]) -> None:
        if lineage.sources:
            sink |= lineage.sources
            if sink is not self.uses.output and sink is not self.uses.write:
                self.places.append((lineage.sources, place))

    def column(self, node: Any, level: Level) -> Lineage:
        parts = [getattr(part, "sval", ALL) for part in node.fields]
        if type(node.fields[-1]) is not ast.String:
            items = items_named(level, parts[:-1]) if len(parts) > 1 else level.items
            return computed([row_of(item, node.location) for item in items])
        if len(parts) == 1:
            return bare_column(level, parts[0], node.location)
        return qualified_column(level, parts, node.location)

    def sub_link(self, node: Any, level: Level, sink: set[Source]) -> Lineage:
        """A query inside an expression. What it filters, joins and groups by decides its value as well."""
        outer, result = self.uses, set[Source]()
        self.uses = inner = Uses()
        outputs = column_queries.run(self, node.subselect, level, level.ctes, result)
        self.uses = outer
        outer.add(inner)
        values = [output.lineage for output in outputs]
        if node.subLinkType == SubLinkType.EXISTS_SUBLINK:
            # PostgreSQL does not compute the columns of EXISTS, unless they can change the number of rows.
            values = [value for value in values if not value.copied]
        self.note(computed(values), node.location, sink)
        steering = Lineage(frozenset(inner.filter | inner.join | inner.group), False)
        tested = NOTHING if node.testexpr is None else self.expression(node.testexpr, level, sink)
        if len(values) == 1 and not steering.sources and node.testexpr is None:
            return values[0]
        return computed((*values, steering, tested))

    def query_here(self, node: Any, level: Level, sink: set[Source]) -> Lineage:
        """A query where a value is expected (JSON_ARRAY(SELECT …))."""
        return computed(output.lineage for output in column_queries.run(self, node, level, level.ctes, sink))

    def call(self, node: Any, level: Level, sink: set[Source]) -> Lineage:
        """A FILTER and an ORDER BY inside a call steer its value."""
        sources: set[Source] = set()
        for part in (node.args, node.over):
            if part is not None:
                self._collect(part, level, sink, sources)
        if node.agg_order is not None:
            self._collect(node.agg_order, level, self.uses.order, sources)
        if node.agg_filter is not None:
            self._collect(node.agg_filter, level, self.uses.filter, sources)
        if self.called and (body := self.called.get(node.funcname[-1].sval)):
            sources |= body
            sink |= body
        return Lineage(frozenset(sources), False)

    def window(self, node: Any, level: Level, _sink: set[Source]) -> Lineage:
        sources: set[Source] = set()
        for part, sink in ((node.partitionClause, self.uses.group), (node.orderClause, self.uses.order)):
            if part is not None:
                self._collect(part, level, sink, sources)
        for name in (node.name, node.refname):
            if name is not None and level.windows and name in level.windows:
                sources |= level.windows[name].sources
        for part in (node.startOffset, node.endOffset):
            if part is not None:
                self._collect(part, level, self.uses.filter, sources)
        return Lineage(frozenset(sources), False)

    def indirection(self, node: Any, level: Level, sink: set[Source]) -> Lineage:
        """`(c).email` and `(c.*).email` are a column of the row; of anything else, a part of the whole value."""
        row = names(node.arg.fields) if isinstance(node.arg, ast.ColumnRef) else ()
        name = names(node.indirection)[0]
        if name != ALL and row and _is_row(row, level):
            qualifier = row[:-1] if row[-1] == ALL else row
            items = items_named(level, qualifier)
            if items and all(name in item.columns for item in items):
                lineage = qualified_column(level, (*qualifier, name), node.arg.location)
                self.note(lineage, node.arg.location, sink)
                return lineage if len(node.indirection) == 1 else computed((lineage,))
        sources: set[Source] = set()
        self._collect(node.arg, level, sink, sources)
        self._collect(node.indirection, level, sink, sources)
        return Lineage(frozenset(sources), False)

    def relation(self, node: Any) -> Relation | None:
        return self.relations.get(id(node))

    def made(self, node: ast.Node, columns: Sequence[Output], relation: Relation | None = None) -> None:
        self.written.append(Written(node, relation, tuple(columns)))


def _is_row(parts: Sequence[str], level: Level) -> bool:
    """A bare name is a column before it is a row."""
    if len(parts) > 1 or parts[0] == ALL:
        return len(parts) == 2 and parts[-1] == ALL
    at: Level | None = level
    while at is not None:
        if any(item.is_open or parts[0] in item.columns for item in at.items):
            return False
        at = at.outer
    return True


def _keeps_value(cast: Any) -> bool:
    """A cast to text of any length shows the value as it is."""
    name = cast.typeName
    if name.typmods or name.arrayBounds or type(cast.arg) is not ast.ColumnRef:
        return False
    return tuple(part.sval for part in name.names) in _TEXTS


@lru_cache(maxsize=1024)
def _node_slots(kind: Any) -> tuple[str, ...]:
    """The fields of a class that can hold nodes with columns in them."""
    types = kind.__slots__  # pglast keeps the C type of each field here
    skipped = _NAMES | ({"name"} if kind is ast.A_Expr else set())
    return tuple(
        slot
        for slot, type_ in types.items()
        if slot not in skipped and type_.c_type.endswith("*") and type_.c_type != "char*"
    )


_HANDLERS: Mapping[type[ast.Node], Any] = {
    ast.SubLink: Resolver.sub_link,
    ast.SelectStmt: Resolver.query_here,
    ast.FuncCall: Resolver.call,
    ast.WindowDef: Resolver.window,
    ast.A_Indirection: Resolver.indirection,
}
