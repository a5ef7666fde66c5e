"""Reads queries: what stands in FROM, through the scopes of WITH and through views; row locks; what is read whole. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast

from governance.analysis.builtins import SYSTEM_SCHEMAS
from governance.analysis.facts import Kind, RelationUse, Use
from governance.analysis.occurrence import Occurrence
from governance.analysis.overlay import Filled
from governance.analysis.tree import names, place_of
from governance.catalogue.model import Relation, RelationKind

if TYPE_CHECKING:
    from governance.analysis.reader import Reader, Scope

MANY_ROWS = 10_000
SAMPLING = frozenset({"bernoulli", "system", "pg_catalog.bernoulli", "pg_catalog.system"})
NO_RELATION = Relation("", "", RelationKind.VIEW, ())


def select(reader: Reader, node: Any, scope: Scope) -> None:
    inner = with_clause(reader, node.withClause, scope)
    if not node.valuesLists:
        reader.kinds.add(Kind.READ)
    if node.intoClause is not None:
        reader.kinds.add(Kind.DDL)
        into(reader, node.intoClause.rel, node)
    first = len(reader.occurrences)
    reader.visit_children(node, inner, skip=("withClause", "intoClause", "lockingClause"))
    _weigh_read(reader, node, reader.occurrences[first:])
    if node.lockingClause:
        _lock_rows(reader, node, reader.occurrences[first:])


def into(reader: Reader, target: Any, query: Any, aliases: tuple[str, ...] = ()) -> None:
    """SELECT INTO and CREATE TABLE AS. The columns of what is made are told from the query's outputs, once it is read."""
    schema = reader.make(target)
    if schema is not None:
        reader.changes.filled.append(Filled(schema, str(target.relname), query, aliases=aliases))


def sample(reader: Reader, node: Any, scope: Scope) -> None:
    method = ".".join(names(node.method))
    if method not in SAMPLING:
        reader.not_understood(f"TABLESAMPLE {method}", "only bernoulli and system are read", place_of(node))
    reader.visit_children(node, scope, skip=("method",))


def _weigh_read(reader: Reader, node: Any, read: list[Occurrence]) -> None:
    direct = [item for item in node.fromClause or () if isinstance(item, ast.RangeVar)]
    if node.whereClause is None and len(node.fromClause or ()) > 1 and len(direct) > 1:
        reader.warn("cartesian-product", "Relations are combined without any condition.", place_of(direct[1]))
    if node.whereClause or node.limitCount or node.groupClause or len(direct) != 1 or _only_aggregates(node):
        return
    large = next((o for o in read if o.node is direct[0] and o.relation.estimated_rows > MANY_ROWS), None)
    if large:
        size = f"about {large.relation.estimated_rows:,} rows"
        message = f"Reads all of {large.relation.qualified}, {size}."
        reader.warn("unbounded-read", message, place_of(direct[0]))


def _lock_rows(reader: Reader, node: Any, read: list[Occurrence]) -> None:
    reader.kinds.add(Kind.WRITE)
    reader.warn("row-lock", "Locks the rows that it reads.", None)
    for occurrence in read:
        reader.relations.add(RelationUse(occurrence.relation.schema, occurrence.relation.name, Use.LOCK))


def with_clause(reader: Reader, clause: Any, scope: Scope) -> Scope:
    """The scope with this clause's names. A plain WITH sees only what stands before it; RECURSIVE sees all
    (PostgreSQL: SELECT, "WITH Clause")."""
    if clause is None:
        return scope
    if clause.recursive:
        scope |= {cte.ctename for cte in clause.ctes}
    for cte in clause.ctes:
        reader.visit(cte.ctequery, scope)
        reader.visit(cte.search_clause, scope)
        reader.visit(cte.cycle_clause, scope)
        scope |= {cte.ctename}
    return scope


def range_var(reader: Reader, node: Any, scope: Scope) -> None:
    if node.schemaname is None and node.catalogname is None and node.relname in scope:
        reader.aliases.setdefault(node.alias.aliasname if node.alias else node.relname, []).append(NO_RELATION)
        return
    relation = reader.resolve(node)
    if relation is None:
        return
    reader.relations.add(RelationUse(relation.schema, relation.name, Use.READ))
    reader.aliases.setdefault(node.alias.aliasname if node.alias else node.relname, []).append(relation)
    if relation.schema in SYSTEM_SCHEMAS:
        return
    if relation.kind is RelationKind.FOREIGN:
        reader.not_understood(
            relation.qualified, "it is a foreign table: its data lies on another server", place_of(node)
        )
    reader.occurrences.append(Occurrence(node, relation))
    if relation.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW):
        _follow_view(reader, relation, place_of(node))


def _follow_view(reader: Reader, view: Relation, place: int | None) -> None:
    if (view.schema, view.name) in reader.views:
        return
    inner = reader.read_view(view)
    reader.views[view.schema, view.name] = inner
    reader.kinds |= inner.kinds
    reader.relations |= inner.relations
    reader.functions |= inner.functions
    reader.hazards += [hazard for hazard in inner.hazards if hazard.code not in ("unbounded-read", "cartesian-product")]
    for unknown in inner.unknown:
        reader.not_understood(
            unknown.what, f"{unknown.why} (inside the view {view.qualified})", place, final=unknown.final
        )


def derived(reader: Reader, node: Any, scope: Scope) -> None:
    """A sub-query, a function or a join in FROM: its alias is no relation's."""
    if node.alias:
        reader.aliases.setdefault(node.alias.aliasname, []).append(NO_RELATION)
    reader.visit_children(node, scope)


AGGREGATES = frozenset({"count", "sum", "avg", "min", "max", "bool_and", "bool_or", "every"})


def _only_aggregates(node: Any) -> bool:
    """Whether the select returns one row: each output is a plain aggregate."""
    outputs = [target.val for target in node.targetList or ()]
    return bool(outputs) and all(
        isinstance(output, ast.FuncCall) and names(output.funcname)[-1] in AGGREGATES and output.over is None
        for output in outputs
    )
