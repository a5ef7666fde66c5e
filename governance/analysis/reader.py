"""Reads one statement's tree: relations, functions, hazards, and what is not understood.

Every node type is either handled, listed as plain (only its parts matter), or unknown: a syntax of a later PostgreSQL that
nobody here has thought about ends in a refusal, not in a guess. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pglast import ast

from governance.analysis import calls, selects, targets
from governance.analysis.builtins import OPEN_SYSTEM_RELATIONS, SYSTEM_SCHEMAS
from governance.analysis.facts import FunctionUse, Hazard, Kind, RelationUse, Unknown, Use
from governance.analysis.occurrence import Occurrence, Target
from governance.analysis.overlay import TEMPORARY, Changes, Earlier, creation_schema
from governance.analysis.tree import children, place_of
from governance.catalogue.model import Catalogue, Relation, RelationKind, RelationName

if TYPE_CHECKING:
    from governance.analysis.analyse import Analysis

__all__ = ["Occurrence", "Reader", "Scope", "Target"]

Scope = frozenset[str]
FIRST_OF_ITS_TEXT = Earlier()

# Nodes that mean no more than their parts do.
PLAIN: frozenset[type[ast.Node]] = frozenset((
    ast.A_ArrayExpr, ast.A_Indices, ast.Alias, ast.BitString, ast.BoolExpr, ast.Boolean,
    ast.BooleanTest, ast.CaseExpr, ast.CaseWhen, ast.CoalesceExpr, ast.CollateClause, ast.CTECycleClause,
    ast.CTESearchClause, ast.DefElem, ast.Float, ast.GroupingFunc, ast.GroupingSet, ast.IndexElem, ast.InferClause,
    ast.Integer, ast.JoinExpr, ast.JsonAggConstructor, ast.JsonArgument, ast.JsonArrayAgg, ast.JsonArrayConstructor,
    ast.JsonArrayQueryConstructor, ast.JsonBehavior, ast.JsonFormat, ast.JsonFuncExpr, ast.JsonIsPredicate,
    ast.JsonKeyValue, ast.JsonObjectAgg, ast.JsonObjectConstructor, ast.JsonOutput, ast.JsonParseExpr, ast.JsonReturning,
    ast.JsonScalarExpr, ast.JsonSerializeExpr, ast.JsonTable, ast.JsonTableColumn, ast.JsonTablePathSpec,
    ast.JsonValueExpr, ast.MergeSupportFunc, ast.MergeWhenClause, ast.MinMaxExpr, ast.MultiAssignRef, ast.NamedArgExpr,
    ast.NullTest, ast.OnConflictClause, ast.RangeFunction, ast.RangeSubselect, ast.RangeTableFunc, ast.RangeTableFuncCol,
    ast.ResTarget, ast.ReturningClause, ast.ReturningOption, ast.RowExpr, ast.SetToDefault,
    ast.SQLValueFunction, ast.WindowDef, ast.XmlExpr, ast.XmlSerialize,
    # Inside definitions
    ast.AccessPriv, ast.AlterTableCmd, ast.ColumnDef, ast.Constraint, ast.ObjectWithArgs, ast.PartitionBoundSpec,
    ast.PartitionCmd, ast.PartitionElem, ast.PartitionSpec, ast.RoleSpec, ast.StatsElem,
))  # fmt: skip


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
    bodies: dict[RelationName, list[Analysis]] = field(default_factory=dict)
    named_types: set[tuple[str, ...]] = field(default_factory=set)
    followed: set[Hashable] = field(default_factory=set)
    defined: list[Relation] = field(default_factory=list)
    parameters: int = 0
    by_key: bool = True
    rows_inserted: int | None = 0
    outside_transaction: bool = False
    earlier: Earlier = FIRST_OF_ITS_TEXT
    changes: Changes = field(default_factory=Changes)

    # --- Walking --------------------------------------------------------------------------------------------------

    def visit(self, node: ast.Node | None, scope: Scope) -> None:
        if node is None:
            return
        if handler := HANDLERS.get(type(node)):
            handler(self, node, scope)
        elif type(node) in PLAIN:
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

    def not_understood(self, what: str, why: str, place: int | None = None, *, final: bool = False) -> None:
        self.unknown.append(Unknown(what, why, place, final))

    def warn(self, code: str, message: str, place: int | None = None) -> None:
        self.hazards.append(Hazard(code, message, place))

    # --- Names ----------------------------------------------------------------------------------------------------

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

    def define(self, node: Any, *, use: Use = Use.DEFINE) -> Relation | None:
        """A relation that is there and that a definition changes or points at."""
        relation = self.resolve(node)
        if relation is None:
            return None
        if relation.schema in SYSTEM_SCHEMAS:
            self.not_understood(relation.qualified, "a system relation is not changed", place_of(node))
        self.relations.add(RelationUse(relation.schema, relation.name, use))
        self.defined.append(relation)
        return relation

    def make(self, node: Any, *, temporary: bool = False) -> str | None:
        """Where a relation that is being made comes to lie: its schema."""
        if node.catalogname:
            self.not_understood(node.relname, "names that lead through a database are not followed", place_of(node))
            return None
        schema = TEMPORARY if temporary else creation_schema(self.catalogue, node)
        if schema in SYSTEM_SCHEMAS:
            self.not_understood(f"{schema}.{node.relname}", "a system relation is not changed", place_of(node))
        if schema == TEMPORARY and self.earlier.sets_path and TEMPORARY not in self.catalogue.search_path:
            why = "it would be found before all others: name pg_temp last in the search path that the text sets"
            self.not_understood(f"the temporary relation {node.relname}", why, place_of(node))
        self.relations.add(RelationUse(schema, node.relname, Use.DEFINE))
        return schema

    def derived(self, node: Any, scope: Scope) -> None:
        selects.derived(self, node, scope)

    def param_ref(self, node: Any, _scope: Scope) -> None:
        self.parameters = max(self.parameters, node.number)

    def misplaced(self, node: ast.Node, _scope: Scope) -> None:
        self.not_understood(type(node).__name__, "it stands where it is not expected", place_of(node))

    def leaf(self, _node: ast.Node, _scope: Scope) -> None:
        """A constant or a name that is judged where it stands."""


HANDLERS: dict[type[ast.Node], Callable[[Reader, Any, Scope], None]] = {
    ast.SelectStmt: selects.select,
    ast.InsertStmt: targets.insert,
    ast.UpdateStmt: targets.update,
    ast.DeleteStmt: targets.delete,
    ast.MergeStmt: targets.merge,
    ast.RangeVar: selects.range_var,
    ast.FuncCall: calls.function_call,
    ast.A_Expr: calls.expression,
    ast.SubLink: calls.sub_link,
    ast.SortBy: calls.sort_by,
    ast.TypeName: calls.type_name,
    ast.TypeCast: lambda reader, node, scope: reader.visit_children(node, scope),
    ast.RangeSubselect: selects.derived,
    ast.RangeFunction: selects.derived,
    ast.RangeTableFunc: selects.derived,
    ast.JsonTable: selects.derived,
    ast.JoinExpr: calls.join,
    ast.CaseExpr: calls.case,
    ast.ColumnRef: calls.column_ref,
    ast.A_Indirection: calls.indirection,
    ast.ParamRef: Reader.param_ref,
    ast.CurrentOfExpr: targets.current_of,
    ast.RangeTableSample: selects.sample,
    ast.A_Const: Reader.leaf,
    ast.A_Star: Reader.leaf,
    ast.String: Reader.leaf,
    ast.WithClause: Reader.misplaced,
    ast.IntoClause: Reader.misplaced,
}
