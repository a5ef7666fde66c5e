"""Statements other than queries: what kind they are, what they define, and what is dangerous about them. Pure.

One row per statement that is understood. What is not in the table is opaque, and so refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pglast import ast
from pglast.enums import AlterTableType, ObjectType

from governance.analysis.facts import Kind, RelationUse, Use
from governance.analysis.reader import Reader
from governance.analysis.tree import names, place_of

NOTHING: frozenset[str] = frozenset()
RELATIONS = (
    ObjectType.OBJECT_TABLE,
    ObjectType.OBJECT_VIEW,
    ObjectType.OBJECT_MATVIEW,
    ObjectType.OBJECT_FOREIGN_TABLE,
)


def read_statement(reader: Reader, node: ast.Node) -> None:
    """Reads the outermost statement, of whatever sort."""
    if isinstance(node, QUERIES):
        if isinstance(node, ast.SelectStmt):
            reader.kinds.add(Kind.READ)  # also for VALUES, which reads nothing
        return reader.visit(node, NOTHING)
    if handler := STATEMENTS.get(type(node)):
        return handler(reader, node)
    if entry := SIMPLE.get(type(node)):
        kind, why = entry
        reader.kinds.add(kind)
        if why:
            reader.not_understood(_words(node), why, place_of(node))
        return None
    reader.kinds.add(Kind.OPAQUE)
    reader.not_understood(_words(node), "this statement is not understood yet", place_of(node))
    return None


def _words(node: ast.Node) -> str:
    return type(node).__name__.removesuffix("Stmt")


QUERIES = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)

OPAQUE_CODE = "it brings or runs code that is not read"
ALONE = "each statement runs alone in its own transaction, so there is no session to change"
OUTSIDE = "it cannot run inside the transaction that makes a statement happen at most once"
SIMPLE: dict[type[ast.Node], tuple[Kind, str]] = {
    ast.DoStmt: (Kind.OPAQUE, OPAQUE_CODE),
    ast.CallStmt: (Kind.OPAQUE, OPAQUE_CODE),
    ast.CreateFunctionStmt: (Kind.OPAQUE, OPAQUE_CODE),
    ast.CreateTrigStmt: (Kind.OPAQUE, OPAQUE_CODE),
    ast.CreateEventTrigStmt: (Kind.OPAQUE, OPAQUE_CODE),
    ast.RuleStmt: (Kind.OPAQUE, "it changes what other statements mean"),
    ast.CreateExtensionStmt: (Kind.OPAQUE, OPAQUE_CODE),
    ast.LoadStmt: (Kind.OPAQUE, OPAQUE_CODE),
    ast.TransactionStmt: (Kind.TRANSACTION, ""),
    ast.LockStmt: (Kind.TRANSACTION, ""),
    ast.ConstraintsSetStmt: (Kind.TRANSACTION, ""),
    ast.VariableSetStmt: (Kind.SESSION, ""),
    ast.VariableShowStmt: (Kind.SESSION, ""),
    ast.DiscardStmt: (Kind.SESSION, ""),
    ast.PrepareStmt: (Kind.SESSION, ALONE),
    ast.ExecuteStmt: (Kind.SESSION, ALONE),
    ast.DeallocateStmt: (Kind.SESSION, ""),
    ast.DeclareCursorStmt: (Kind.SESSION, ALONE),
    ast.FetchStmt: (Kind.SESSION, ALONE),
    ast.ClosePortalStmt: (Kind.SESSION, ""),
    ast.ListenStmt: (Kind.SESSION, ""),
    ast.UnlistenStmt: (Kind.SESSION, ""),
    ast.NotifyStmt: (Kind.SESSION, ""),
    ast.VacuumStmt: (Kind.ADMIN, OUTSIDE),
    ast.ClusterStmt: (Kind.ADMIN, OUTSIDE),
    ast.ReindexStmt: (Kind.ADMIN, OUTSIDE),
    ast.CheckPointStmt: (Kind.ADMIN, ""),
    ast.AlterSystemStmt: (Kind.ADMIN, OUTSIDE),
    ast.CreatedbStmt: (Kind.ADMIN, OUTSIDE),
    ast.DropdbStmt: (Kind.ADMIN, OUTSIDE),
}


def create_table(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    reader.define(node.relation)
    for parent in node.inhRelations or ():
        reader.define(parent, exists=True)
    reader.visit(node.partbound, NOTHING)
    reader.visit(node.partspec, NOTHING)
    for element in node.tableElts or ():
        _definition(reader, element)


def _definition(reader: Reader, element: ast.Node | None) -> None:
    """A column, a constraint or a LIKE: its expressions are read, the relations that it points at are noted."""
    if element is None:
        return
    if isinstance(element, ast.TableLikeClause):
        reader.define(element.relation, exists=True)
        return
    if isinstance(element, ast.Constraint):
        if element.pktable is not None:
            reader.define(element.pktable, exists=True)
        reader.visit(element.raw_expr, NOTHING)
        reader.visit(element.where_clause, NOTHING)
        return
    if isinstance(element, ast.ColumnDef):
        reader.visit(element.typeName, NOTHING)
        reader.visit(element.raw_default, NOTHING)
        for constraint in element.constraints or ():
            _definition(reader, constraint)
        return
    reader.visit(element, NOTHING)


def create_table_as(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    reader.define(node.into.rel)
    if not isinstance(node.query, ast.SelectStmt):
        reader.not_understood("CREATE TABLE AS", "only a query can be its source", place_of(node.into.rel))
        return
    reader.visit(node.query, NOTHING)


def create_view(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    reader.define(node.view)
    reader.visit(node.query, NOTHING)


def create_index(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    reader.define(node.relation, exists=True)
    if node.concurrent:
        reader.not_understood("CREATE INDEX CONCURRENTLY", OUTSIDE, place_of(node.relation))
    else:
        message = f"Building the index locks {node.relation.relname} against writes."
        reader.warn("index-not-concurrent", message, place_of(node.relation))
    reader.visit_all(node.indexParams, NOTHING)
    reader.visit(node.whereClause, NOTHING)


REWRITES = {AlterTableType.AT_AlterColumnType, AlterTableType.AT_SetLogged, AlterTableType.AT_SetUnLogged}
PRIVILEGES = {
    AlterTableType.AT_ChangeOwner,
    AlterTableType.AT_EnableRowSecurity,
    AlterTableType.AT_DisableRowSecurity,
    AlterTableType.AT_ForceRowSecurity,
    AlterTableType.AT_NoForceRowSecurity,
    AlterTableType.AT_DisableTrig,
    AlterTableType.AT_DisableTrigAll,
    AlterTableType.AT_DisableTrigUser,
    AlterTableType.AT_DisableRule,
}
SHAPE = {
    AlterTableType.AT_AddColumn,
    AlterTableType.AT_ColumnDefault,
    AlterTableType.AT_DropNotNull,
    AlterTableType.AT_SetNotNull,
    AlterTableType.AT_SetStatistics,
    AlterTableType.AT_SetStorage,
    AlterTableType.AT_DropColumn,
    AlterTableType.AT_AddConstraint,
    AlterTableType.AT_ValidateConstraint,
    AlterTableType.AT_DropConstraint,
    AlterTableType.AT_AddIdentity,
    AlterTableType.AT_SetIdentity,
    AlterTableType.AT_DropIdentity,
    AlterTableType.AT_SetRelOptions,
    AlterTableType.AT_ResetRelOptions,
}


def alter_table(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    reader.define(node.relation, exists=True)
    place = place_of(node.relation)
    for command in node.cmds:
        kind = command.subtype
        if kind == AlterTableType.AT_DropColumn:
            reader.warn("drop", f"Drops the column {command.name} with its data.", place)
        elif kind in REWRITES:
            reader.warn("table-rewrite", f"Rewrites all of {node.relation.relname} under a lock.", place)
        elif kind in PRIVILEGES:
            reader.kinds.add(Kind.PRIVILEGE)
            reader.warn("privilege-change", "Changes who may do what, or which guards hold.", place)
        elif kind not in SHAPE:
            reader.not_understood(f"ALTER TABLE ({kind.name})", "this change is not understood yet", place)
        if isinstance(command.def_, tuple):  # storage options
            reader.visit_all(command.def_, NOTHING)
        else:
            _definition(reader, command.def_)
    reader.warn("blocking-lock", f"Locks {node.relation.relname} against all use while it runs.", place)


def drop(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    for item in node.objects:
        parts = names(item) if isinstance(item, (tuple, list)) else names(getattr(item, "names", None) or (item,))
        what = node.removeType.name.removeprefix("OBJECT_").replace("_", " ").lower()
        reader.warn("drop", f"Drops the {what} {'.'.join(parts)} for good.")
        if node.removeType in RELATIONS:
            _define_named(reader, parts)
    if node.concurrent:
        reader.not_understood("DROP INDEX CONCURRENTLY", OUTSIDE)


def _define_named(reader: Reader, parts: tuple[str, ...]) -> None:
    schema = parts[-2] if len(parts) > 1 else None
    relation = reader.catalogue.resolve(schema, parts[-1])
    path = reader.catalogue.search_path
    reader.relations.add(
        RelationUse(relation.schema if relation else schema or (path[0] if path else "public"), parts[-1], Use.DEFINE)
    )


def truncate(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.WRITE)
    reader.by_key = False
    for relation in node.relations:
        reader.define(relation, exists=True, use=Use.TRUNCATE)
        reader.warn("truncate", f"Empties {relation.relname} completely.", place_of(relation))


def rename(reader: Reader, node: Any) -> None:
    """RENAME and SET SCHEMA. A classified relation must not change its name under its classes: `rename` says so to masking."""
    reader.kinds.add(Kind.DDL)
    if node.relation is None:
        reader.not_understood(_words(node), "renaming this sort of object is not understood yet")
        return
    reader.define(node.relation, exists=True)
    reader.warn(
        "rename", f"Statements that use {node.relation.relname} by its old name will fail.", place_of(node.relation)
    )


def grant(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.PRIVILEGE)
    reader.warn("privilege-change", "Changes who may do what in the database.")
    for item in node.objects or ():
        if isinstance(item, ast.RangeVar):
            reader.define(item, exists=True)


def privilege(reader: Reader, _node: ast.Node) -> None:
    reader.kinds.add(Kind.PRIVILEGE)
    reader.warn("privilege-change", "Changes who may do what in the database.")


def definition(reader: Reader, node: ast.Node) -> None:
    """Schemas, sequences, enums, comments: nothing in them is evaluated."""
    reader.kinds.add(Kind.DDL)


def create_schema(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    for element in node.schemaElts or ():
        read_statement(reader, element)


def refresh(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    reader.define(node.relation, exists=True)
    reader.warn("blocking-lock", f"Locks {node.relation.relname} while it is filled again.", place_of(node.relation))


def copy(reader: Reader, node: Any) -> None:
    if node.is_program:
        reader.kinds.add(Kind.ADMIN)
        reader.warn("program-execution", "Runs a program on the database server.")
    elif node.filename:
        reader.kinds.add(Kind.ADMIN)
        reader.warn("file-access", "Reads or writes a file on the database server.")
    reader.kinds.add(Kind.WRITE if node.is_from else Kind.READ)
    if node.relation is not None:
        reader.define(node.relation, exists=True, use=Use.INSERT if node.is_from else Use.READ)
    if node.query is not None:
        reader.visit(node.query, NOTHING)
    reader.not_understood("COPY", "it streams outside the rows of a result; use SELECT or INSERT instead")


def explain(reader: Reader, node: Any) -> None:
    """Taken as if it ran what it explains: with ANALYZE it does."""
    if isinstance(node.query, QUERIES):
        reader.warn("explain", "Shows the plan of a statement.")
        reader.visit(node.query, NOTHING)
        return
    reader.kinds.add(Kind.OPAQUE)
    reader.not_understood("EXPLAIN", "only queries can be explained")


STATEMENTS: dict[type[ast.Node], Callable[[Reader, Any], None]] = {
    ast.CreateStmt: create_table,
    ast.CreateTableAsStmt: create_table_as,
    ast.ViewStmt: create_view,
    ast.IndexStmt: create_index,
    ast.AlterTableStmt: alter_table,
    ast.DropStmt: drop,
    ast.TruncateStmt: truncate,
    ast.RenameStmt: rename,
    ast.AlterObjectSchemaStmt: rename,
    ast.GrantStmt: grant,
    ast.GrantRoleStmt: privilege,
    ast.CreateRoleStmt: privilege,
    ast.AlterRoleStmt: privilege,
    ast.AlterRoleSetStmt: privilege,
    ast.DropRoleStmt: privilege,
    ast.AlterOwnerStmt: privilege,
    ast.AlterDefaultPrivilegesStmt: privilege,
    ast.CreatePolicyStmt: privilege,
    ast.AlterPolicyStmt: privilege,
    ast.DropOwnedStmt: privilege,
    ast.ReassignOwnedStmt: privilege,
    ast.CreateSchemaStmt: create_schema,
    ast.CreateSeqStmt: definition,
    ast.AlterSeqStmt: definition,
    ast.CreateEnumStmt: definition,
    ast.CommentStmt: definition,
    ast.RefreshMatViewStmt: refresh,
    ast.CopyStmt: copy,
    ast.ExplainStmt: explain,
}
