"""Reads one statement's tree: relations through CTE scopes and views, functions, hazards, and what is not understood.

Every node type is either handled, listed as plain (only its parts matter), or unknown: a syntax of a later PostgreSQL that
nobody here has thought about ends in a refusal, not in a guess. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pglast import ast
from pglast.enums import OnConflictAction

from governance.analysis import calls
from governance.analysis.builtins import (
    OPEN_SYSTEM_RELATIONS,
    SYSTEM_SCHEMAS,
)
from governance.analysis.facts import FunctionUse, Hazard, Kind, RelationUse, Unknown, Use
from governance.analysis.keys import always_true, bounded_by_key
from governance.analysis.tree import children, names, place_of
from governance.catalogue.model import Catalogue, Relation, RelationKind

Scope = frozenset[str]
MANY_ROWS = 10_000
NO_RELATION = Relation("", "", RelationKind.VIEW, ())

# Nodes that mean no more than their parts do.
PLAIN: tuple[type[ast.Node], ...] = (
    ast.A_ArrayExpr, ast.A_Const, ast.A_Indices, ast.A_Star, ast.Alias, ast.BitString, ast.BoolExpr, ast.Boolean,
    ast.BooleanTest, ast.CaseExpr, ast.CaseWhen, ast.CoalesceExpr, ast.CollateClause, ast.CTECycleClause,
    ast.CTESearchClause, ast.DefElem, ast.Float, ast.GroupingFunc, ast.GroupingSet, ast.IndexElem, ast.InferClause,
    ast.Integer, ast.JoinExpr, ast.JsonAggConstructor, ast.JsonArgument, ast.JsonArrayAgg, ast.JsonArrayConstructor,
    ast.JsonArrayQueryConstructor, ast.JsonBehavior, ast.JsonFormat, ast.JsonFuncExpr, ast.JsonIsPredicate,
    ast.JsonKeyValue, ast.JsonObjectAgg, ast.JsonObjectConstructor, ast.JsonOutput, ast.JsonParseExpr, ast.JsonReturning,
    ast.JsonScalarExpr, ast.JsonSerializeExpr, ast.JsonTable, ast.JsonTableColumn, ast.JsonTablePathSpec,
    ast.JsonValueExpr, ast.MergeWhenClause, ast.MinMaxExpr, ast.MultiAssignRef, ast.NamedArgExpr, ast.NullTest,
    ast.OnConflictClause, ast.RangeFunction, ast.RangeSubselect, ast.RangeTableFunc, ast.RangeTableFuncCol,
    ast.RangeTableSample, ast.ResTarget, ast.ReturningClause, ast.ReturningOption, ast.RowExpr, ast.SetToDefault,
    ast.SQLValueFunction, ast.String, ast.WindowDef, ast.XmlExpr, ast.XmlSerialize,
    # Inside definitions
    ast.AccessPriv, ast.AlterTableCmd, ast.ColumnDef, ast.Constraint, ast.ObjectWithArgs, ast.PartitionBoundSpec,
    ast.PartitionElem, ast.PartitionSpec, ast.RoleSpec,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Occurrence:
    """One place where a relation of the user's is read: what masking may have to replace."""

    node: Any
    relation: Relation


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A relation that the statement writes, with the whole writing node (for the columns that it touches)."""

    node: ast.Node
    relation: Relation
    alias: str


@dataclass(slots=True)
class Reader:
    """Collects while it walks; `analyse` makes the frozen facts of it. `views` maps a view to the reader of its definition."""

    catalogue: Catalogue
    read_view: Callable[[Relation], Reader]
    kinds: set[Kind] = field(default_factory=set)
    relations: set[RelationUse] = field(default_factory=set)
    functions: set[FunctionUse] = field(default_factory=set)
    hazards: list[Hazard] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    occurrences: list[Occurrence] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    views: dict[tuple[str, str], Reader] = field(default_factory=dict)
    attributes: list[tuple[str | None, str, int | None]] = field(default_factory=list)
    aliases: dict[str, list[Relation]] = field(default_factory=dict)
    parameters: int = 0
    by_key: bool = True
    rows_inserted: int | None = 0

    # --- Walking --------------------------------------------------------------------------------------------------

    def visit(self, node: ast.Node | None, scope: Scope) -> None:
        if node is None:
            return
        if handler := HANDLERS.get(type(node)):
            handler(self, node, scope)
        elif isinstance(node, PLAIN):
            self.visit_children(node, scope)
        else:
            self.not_understood(type(node).__name__, "this syntax is not known to the analysis", place_of(node))

    def visit_children(self, node: ast.Node, scope: Scope, skip: tuple[str, ...] = ()) -> None:
        for child in children(node, skip):
            self.visit(child, scope)

    def visit_all(self, nodes: Any, scope: Scope) -> None:
        for node in nodes or ():
            if isinstance(node, ast.Node):
                self.visit(node, scope)
            else:
                self.visit_all(node, scope)

    def not_understood(self, what: str, why: str, place: int | None = None) -> None:
        self.unknown.append(Unknown(what, why, place))

    def warn(self, code: str, message: str, place: int | None = None) -> None:
        self.hazards.append(Hazard(code, message, place))

    # --- Queries --------------------------------------------------------------------------------------------------

    def select(self, node: Any, scope: Scope) -> None:
        inner = self.with_clause(node.withClause, scope)
        if not node.valuesLists:
            self.kinds.add(Kind.READ)
        if node.intoClause is not None:
            self.kinds.add(Kind.DDL)
            self.define(node.intoClause.rel)
        first = len(self.occurrences)
        self.visit_children(node, inner, skip=("withClause", "intoClause", "lockingClause"))
        self._weigh_read(node, self.occurrences[first:])
        if node.lockingClause:
            self._lock_rows(node, self.occurrences[first:])

    def _weigh_read(self, node: Any, read: list[Occurrence]) -> None:
        direct = [item for item in node.fromClause or () if isinstance(item, ast.RangeVar)]
        if node.whereClause is None and len(node.fromClause or ()) > 1 and len(direct) > 1:
            self.warn("cartesian-product", "Relations are combined without any condition.", place_of(direct[1]))
        if node.whereClause or node.limitCount or node.groupClause or len(direct) != 1 or _only_aggregates(node):
            return
        large = next((o for o in read if o.node is direct[0] and o.relation.estimated_rows > MANY_ROWS), None)
        if large:
            size = f"about {large.relation.estimated_rows:,} rows"
            message = f"Reads all of {large.relation.qualified}, {size}."
            self.warn("unbounded-read", message, place_of(direct[0]))

    def _lock_rows(self, node: Any, read: list[Occurrence]) -> None:
        self.kinds.add(Kind.WRITE)
        self.warn("row-lock", "Locks the rows that it reads.", None)
        for occurrence in read:
            self.relations.add(RelationUse(occurrence.relation.schema, occurrence.relation.name, Use.LOCK))

    def with_clause(self, clause: Any, scope: Scope) -> Scope:
        """The scope with this clause's names. A plain WITH sees only what stands before it; RECURSIVE sees all
        (PostgreSQL: SELECT, "WITH Clause")."""
        if clause is None:
            return scope
        if clause.recursive:
            scope |= {cte.ctename for cte in clause.ctes}
        for cte in clause.ctes:
            self.visit(cte.ctequery, scope)
            self.visit(cte.search_clause, scope)
            self.visit(cte.cycle_clause, scope)
            scope |= {cte.ctename}
        return scope

    # --- Writes ---------------------------------------------------------------------------------------------------

    def insert(self, node: Any, scope: Scope) -> None:
        inner = self.with_clause(node.withClause, scope)
        self.write_to(node, node.relation, Use.INSERT)
        values = node.selectStmt
        if values is None:
            self._count_inserted(1)
        elif (
            isinstance(values, ast.SelectStmt) and values.valuesLists and not calls.multiplies(self, values.valuesLists)
        ):
            self._count_inserted(len(values.valuesLists))
        else:
            self.rows_inserted = None
        if node.onConflictClause and node.onConflictClause.action == OnConflictAction.ONCONFLICT_UPDATE:
            self.also(node.relation, Use.UPDATE)
        self.visit_children(node, inner, skip=("withClause", "relation"))

    def _count_inserted(self, rows: int) -> None:
        if self.rows_inserted is not None:
            self.rows_inserted += rows

    def update(self, node: Any, scope: Scope) -> None:
        inner = self.with_clause(node.withClause, scope)
        relation = self.write_to(node, node.relation, Use.UPDATE)
        self._weigh_where(node, node.whereClause, relation, "update-without-where", "Changes every row")
        if relation:
            changed = {str(target.name) for target in node.targetList or () if isinstance(target, ast.ResTarget)}
            self.follow_foreign_keys(relation, Use.UPDATE, changed)
        self.visit_children(node, inner, skip=("withClause", "relation"))

    def delete(self, node: Any, scope: Scope) -> None:
        inner = self.with_clause(node.withClause, scope)
        relation = self.write_to(node, node.relation, Use.DELETE)
        self._weigh_where(node, node.whereClause, relation, "delete-without-where", "Deletes every row")
        if relation:
            self.follow_foreign_keys(relation, Use.DELETE, set())
        self.visit_children(node, inner, skip=("withClause", "relation"))

    def _weigh_where(self, node: Any, where: ast.Node | None, relation: Relation | None, code: str, what: str) -> None:
        name = relation.qualified if relation else node.relation.relname
        place = place_of(node.relation)
        if where is None:
            self.warn(code, f"{what} of {name}: there is no WHERE.", place)
        elif always_true(where):
            self.warn("always-true-where", f"{what} of {name}: the WHERE holds for all of them.", place)
        alias = node.relation.alias.aliasname if node.relation.alias else node.relation.relname
        if relation is None or isinstance(where, ast.CurrentOfExpr) or not bounded_by_key(where, relation, alias):
            self.by_key = False

    def merge(self, node: Any, scope: Scope) -> None:
        inner = self.with_clause(node.withClause, scope)
        for use in (Use.INSERT, Use.UPDATE, Use.DELETE):
            self.write_to(node, node.relation, use) if use is Use.INSERT else self.also(node.relation, use)
        self.by_key, self.rows_inserted = False, None
        self.visit_children(node, inner, skip=("withClause", "relation"))

    def write_to(self, node: ast.Node, name: Any, use: Use) -> Relation | None:
        """A target is always a real relation: PostgreSQL never takes a CTE for it."""
        self.kinds.add(Kind.WRITE)
        relation = self.resolve(name)
        if relation is None:
            return None
        place = place_of(name)
        if relation.kind not in (RelationKind.TABLE, RelationKind.PARTITIONED):
            self.not_understood(
                relation.qualified,
                f"writing through a {relation.kind.name.lower().replace('_', ' ')} is not followed",
                place,
            )
        if relation.has_rules:
            self.not_understood(
                relation.qualified, "it has rewrite rules, which can turn this write into another", place
            )
        if relation.triggers:
            names_ = ", ".join(trigger.name for trigger in relation.triggers[:5])
            self.warn("fires-trigger", f"Writing {relation.qualified} fires triggers: {names_}.", place)
        alias = name.alias.aliasname if name.alias else name.relname
        self.targets.append(Target(node, relation, alias))
        self.aliases.setdefault(alias, []).append(relation)
        self.relations.add(RelationUse(relation.schema, relation.name, use))
        if getattr(node, "whereClause", None) is not None or getattr(node, "returningClause", None) is not None:
            self.relations.add(RelationUse(relation.schema, relation.name, Use.READ))
        return relation

    def also(self, name: Any, use: Use) -> None:
        if relation := self.resolve(name, quiet=True):
            self.relations.add(RelationUse(relation.schema, relation.name, use))

    def follow_foreign_keys(
        self, relation: Relation, use: Use, changed: set[str], seen: frozenset[str] = frozenset()
    ) -> None:
        """Adds what ON DELETE and ON UPDATE actions write elsewhere."""
        for child in self.catalogue.relations.values():
            for key in child.foreign_keys:
                if key.target != (relation.schema, relation.name) or child.qualified in seen:
                    continue
                action = key.on_delete if use is Use.DELETE else key.on_update
                if action not in "cnd" or (use is Use.UPDATE and not changed & set(key.target_columns)):
                    continue
                effect = Use.DELETE if use is Use.DELETE and action == "c" else Use.UPDATE
                self.relations.add(RelationUse(child.schema, child.name, effect))
                self.warn("cascade", f"A foreign key carries the change on to {child.qualified}.")
                self.follow_foreign_keys(child, effect, set(key.columns), seen | {child.qualified})

    # --- Names ----------------------------------------------------------------------------------------------------

    def range_var(self, node: Any, scope: Scope) -> None:
        if node.schemaname is None and node.catalogname is None and node.relname in scope:
            self.aliases.setdefault(node.alias.aliasname if node.alias else node.relname, []).append(NO_RELATION)
            return
        relation = self.resolve(node)
        if relation is None:
            return
        self.relations.add(RelationUse(relation.schema, relation.name, Use.READ))
        self.aliases.setdefault(node.alias.aliasname if node.alias else node.relname, []).append(relation)
        if relation.schema in SYSTEM_SCHEMAS:
            return
        if relation.kind is RelationKind.FOREIGN:
            self.not_understood(
                relation.qualified, "it is a foreign table: its data lies on another server", place_of(node)
            )
        self.occurrences.append(Occurrence(node, relation))
        if relation.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW):
            self._follow_view(relation, place_of(node))

    def _follow_view(self, view: Relation, place: int | None) -> None:
        if (view.schema, view.name) in self.views:
            return
        inner = self.read_view(view)
        self.views[view.schema, view.name] = inner
        self.relations |= inner.relations
        self.functions |= inner.functions
        self.hazards += [
            hazard for hazard in inner.hazards if hazard.code not in ("unbounded-read", "cartesian-product")
        ]
        for unknown in inner.unknown:
            self.not_understood(unknown.what, f"{unknown.why} (inside the view {view.qualified})", place)

    def derived(self, node: Any, scope: Scope) -> None:
        """A sub-query, a function or a join in FROM: its alias is no relation's."""
        if node.alias:
            self.aliases.setdefault(node.alias.aliasname, []).append(NO_RELATION)
        self.visit_children(node, scope)

    def resolve(self, node: Any, *, quiet: bool = False) -> Relation | None:
        """The relation that PostgreSQL would take; what is not in the catalogue, or closed, is noted as not understood."""
        shown = ".".join(part for part in (node.catalogname, node.schemaname, node.relname) if part)
        why = ""
        if node.catalogname:
            why = "names that lead through a database are not followed"
        else:
            # A bare name that begins with pg_ may be a system relation, which PostgreSQL takes before any of the user's.
            closed = node.schemaname in SYSTEM_SCHEMAS or (node.schemaname is None and node.relname.startswith("pg_"))
            own = None if closed else self.catalogue.resolve(node.schemaname, node.relname)
            if found := self._system_relation(node) or own:
                return found
            why = "this system relation is closed" if closed else "there is no such relation in the catalogue"
        if not quiet:
            self.not_understood(shown, why, place_of(node))
        return None

    def _system_relation(self, node: Any) -> Relation | None:
        # Without a schema, pg_catalog comes first: PostgreSQL searches it before the path unless the path names it.
        schema = node.schemaname or "pg_catalog"
        if (schema, node.relname) in OPEN_SYSTEM_RELATIONS:
            return Relation(schema, node.relname, RelationKind.VIEW, ())
        return None

    def define(self, node: Any, *, exists: bool = False, use: Use = Use.DEFINE) -> Relation | None:
        """A relation that a definition makes or changes; one that is only being made need not be in the catalogue."""
        relation = self.resolve(node, quiet=True)
        if relation is None and (exists or node.catalogname):
            self.resolve(node)
            return None
        if relation and relation.schema in SYSTEM_SCHEMAS:
            self.not_understood(relation.qualified, "a system relation is not changed", place_of(node))
        path = self.catalogue.search_path
        schema = relation.schema if relation else node.schemaname or (path[0] if path else "public")
        self.relations.add(RelationUse(schema, node.relname, use))
        return relation

    def param_ref(self, node: Any, _scope: Scope) -> None:
        self.parameters = max(self.parameters, node.number)

    def with_misplaced(self, node: ast.Node, _scope: Scope) -> None:
        self.not_understood(type(node).__name__, "it stands where it is not expected", place_of(node))


AGGREGATES = frozenset({"count", "sum", "avg", "min", "max", "bool_and", "bool_or", "every"})


def _only_aggregates(node: Any) -> bool:
    """Whether the select returns one row: each output is a plain aggregate."""
    outputs = [target.val for target in node.targetList or ()]
    return bool(outputs) and all(
        isinstance(output, ast.FuncCall) and names(output.funcname)[-1] in AGGREGATES and output.over is None
        for output in outputs
    )


HANDLERS: dict[type[ast.Node], Callable[[Reader, Any, Scope], None]] = {
    ast.SelectStmt: Reader.select,
    ast.InsertStmt: Reader.insert,
    ast.UpdateStmt: Reader.update,
    ast.DeleteStmt: Reader.delete,
    ast.MergeStmt: Reader.merge,
    ast.RangeVar: Reader.range_var,
    ast.FuncCall: calls.function_call,
    ast.A_Expr: calls.expression,
    ast.SubLink: calls.sub_link,
    ast.SortBy: calls.sort_by,
    ast.TypeName: calls.type_name,
    ast.TypeCast: lambda reader, node, scope: reader.visit_children(node, scope),
    ast.RangeSubselect: Reader.derived,
    ast.RangeFunction: Reader.derived,
    ast.RangeTableFunc: Reader.derived,
    ast.JsonTable: Reader.derived,
    ast.JoinExpr: calls.join,
    ast.CaseExpr: calls.case,
    ast.ColumnRef: calls.column_ref,
    ast.A_Indirection: calls.indirection,
    ast.ParamRef: Reader.param_ref,
    ast.WithClause: Reader.with_misplaced,
    ast.IntoClause: Reader.with_misplaced,
}
