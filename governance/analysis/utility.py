"""Which statement is read how. One row per statement that PostgreSQL's grammar has; what has none is opaque, and so refused.

What is understood is read by a function; what is known but not followed says why. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pglast import ast

from governance.analysis import definitions as define
from governance.analysis import forms, session
from governance.analysis.facts import FunctionUse, Kind
from governance.analysis.reader import Reader
from governance.analysis.tree import place_of


def read_statement(reader: Reader, node: ast.Node) -> None:
    """Reads the outermost statement, of whatever sort."""
    if handler := STATEMENTS.get(type(node)):
        return handler(reader, node)
    kind, why = NOT_FOLLOWED.get(type(node), (Kind.OPAQUE, "this statement is not known"))
    reader.kinds.add(kind)
    reader.outside_transaction |= type(node) in OUTSIDE
    if why:
        name = type(node).__name__.removesuffix("Stmt")
        reader.not_understood(name.upper() if name.istitle() else name, why, place_of(node))
    return None


def select(reader: Reader, node: Any) -> None:
    if setting := session.set_config_alone(node):
        reader.kinds.add(Kind.READ)
        reader.functions.add(FunctionUse("pg_catalog", "set_config", "v", "internal"))
        session.set_variable(reader, setting)
    else:
        forms.query(reader, node)


CODE = "it brings or runs code that is not read"
MEANING = "it changes what other statements mean"
ELSEWHERE = "it reaches what lies outside this database"

STATEMENTS: dict[type[ast.Node], Callable[[Reader, Any], None]] = {
    ast.SelectStmt: select,
    ast.InsertStmt: forms.query,
    ast.UpdateStmt: forms.query,
    ast.DeleteStmt: forms.query,
    ast.MergeStmt: forms.query,
    ast.CopyStmt: forms.copy,
    ast.ExplainStmt: forms.explain,
    ast.PrepareStmt: forms.prepare,
    ast.ExecuteStmt: forms.execute,
    ast.DeallocateStmt: forms.deallocate,
    ast.DeclareCursorStmt: forms.declare,
    ast.FetchStmt: forms.fetch,
    ast.ClosePortalStmt: forms.close,
    ast.TransactionStmt: forms.transaction,
    ast.LockStmt: forms.lock,
    ast.VacuumStmt: forms.vacuum,
    ast.ClusterStmt: forms.cluster,
    ast.ReindexStmt: forms.reindex,
    ast.VariableSetStmt: session.set_variable,
    ast.VariableShowStmt: session.show,
    ast.DiscardStmt: session.discard,
    ast.ListenStmt: session.talks,
    ast.UnlistenStmt: session.talks,
    ast.NotifyStmt: session.talks,
    ast.CreateStmt: define.create_table,
    ast.CreateTableAsStmt: define.create_table_as,
    ast.ViewStmt: define.create_view,
    ast.IndexStmt: define.create_index,
    ast.AlterTableStmt: define.alter_table,
    ast.DropStmt: define.drop,
    ast.TruncateStmt: define.truncate,
    ast.RenameStmt: define.rename,
    ast.AlterObjectSchemaStmt: define.rename,
    ast.CreateSchemaStmt: define.create_schema,
    ast.CreateSeqStmt: define.create_sequence,
    ast.AlterSeqStmt: define.definition,
    ast.CreateEnumStmt: define.create_type,
    ast.CompositeTypeStmt: define.create_type,
    ast.AlterEnumStmt: define.definition,
    ast.CreateDomainStmt: define.create_domain,
    ast.AlterDomainStmt: define.alter_domain,
    ast.CreateStatsStmt: define.create_statistics,
    ast.AlterStatsStmt: define.definition,
    ast.AlterCollationStmt: define.definition,
    ast.CommentStmt: define.comment,
    ast.RefreshMatViewStmt: define.refresh,
    ast.GrantStmt: define.grant,
    ast.GrantRoleStmt: define.privilege,
    ast.CreateRoleStmt: define.privilege,
    ast.AlterRoleStmt: define.privilege,
    ast.AlterRoleSetStmt: define.privilege,
    ast.DropRoleStmt: define.privilege,
    ast.AlterOwnerStmt: define.privilege,
    ast.AlterDefaultPrivilegesStmt: define.privilege,
    ast.CreatePolicyStmt: define.policy,
    ast.AlterPolicyStmt: define.policy,
    ast.DropOwnedStmt: define.privilege,
    ast.ReassignOwnedStmt: define.privilege,
}
NOT_FOLLOWED: dict[type[ast.Node], tuple[Kind, str]] = {
    # Understood, and denied or parked by policy for their kind alone
    ast.ConstraintsSetStmt: (Kind.TRANSACTION, ""),
    ast.CheckPointStmt: (Kind.ADMIN, ""),
    # Code
    ast.DoStmt: (Kind.OPAQUE, CODE),
    ast.CallStmt: (Kind.OPAQUE, CODE),
    ast.LoadStmt: (Kind.OPAQUE, CODE),
    ast.CreateFunctionStmt: (Kind.OPAQUE, CODE),
    ast.AlterFunctionStmt: (Kind.OPAQUE, CODE),
    ast.CreateTrigStmt: (Kind.OPAQUE, CODE),
    ast.CreateEventTrigStmt: (Kind.OPAQUE, CODE),
    ast.AlterEventTrigStmt: (Kind.OPAQUE, CODE),
    ast.CreateExtensionStmt: (Kind.OPAQUE, CODE),
    ast.AlterExtensionStmt: (Kind.OPAQUE, CODE),
    ast.AlterExtensionContentsStmt: (Kind.OPAQUE, CODE),
    ast.CreatePLangStmt: (Kind.OPAQUE, CODE),
    ast.CreateTransformStmt: (Kind.OPAQUE, CODE),
    ast.CreateAmStmt: (Kind.OPAQUE, CODE),
    ast.DefineStmt: (Kind.OPAQUE, CODE),  # aggregates, operators, base types, collations, text search
    ast.CreateRangeStmt: (Kind.OPAQUE, CODE),
    ast.AlterTypeStmt: (Kind.OPAQUE, CODE),
    ast.ReturnStmt: (Kind.OPAQUE, CODE),
    ast.PLAssignStmt: (Kind.OPAQUE, CODE),
    # Meaning
    ast.RuleStmt: (Kind.OPAQUE, MEANING),
    ast.SecLabelStmt: (Kind.PRIVILEGE, MEANING),
    ast.CreateCastStmt: (Kind.OPAQUE, MEANING),
    ast.CreateConversionStmt: (Kind.OPAQUE, MEANING),
    ast.CreateOpClassStmt: (Kind.OPAQUE, MEANING),
    ast.CreateOpFamilyStmt: (Kind.OPAQUE, MEANING),
    ast.AlterOpFamilyStmt: (Kind.OPAQUE, MEANING),
    ast.AlterOperatorStmt: (Kind.OPAQUE, MEANING),
    ast.AlterTSDictionaryStmt: (Kind.OPAQUE, MEANING),
    ast.AlterTSConfigurationStmt: (Kind.OPAQUE, MEANING),
    ast.AlterObjectDependsStmt: (Kind.OPAQUE, MEANING),
    # Other places
    ast.CreateFdwStmt: (Kind.ADMIN, ELSEWHERE),
    ast.AlterFdwStmt: (Kind.ADMIN, ELSEWHERE),
    ast.CreateForeignServerStmt: (Kind.ADMIN, ELSEWHERE),
    ast.AlterForeignServerStmt: (Kind.ADMIN, ELSEWHERE),
    ast.CreateUserMappingStmt: (Kind.ADMIN, ELSEWHERE),
    ast.AlterUserMappingStmt: (Kind.ADMIN, ELSEWHERE),
    ast.DropUserMappingStmt: (Kind.ADMIN, ELSEWHERE),
    ast.CreateForeignTableStmt: (Kind.ADMIN, ELSEWHERE),
    ast.ImportForeignSchemaStmt: (Kind.ADMIN, ELSEWHERE),
    ast.CreatePublicationStmt: (Kind.ADMIN, ELSEWHERE),
    ast.AlterPublicationStmt: (Kind.ADMIN, ELSEWHERE),
    ast.CreateSubscriptionStmt: (Kind.ADMIN, ELSEWHERE),
    ast.AlterSubscriptionStmt: (Kind.ADMIN, ELSEWHERE),
    ast.DropSubscriptionStmt: (Kind.ADMIN, ELSEWHERE),
    # The server
    ast.AlterSystemStmt: (Kind.ADMIN, ELSEWHERE),
    ast.CreatedbStmt: (Kind.ADMIN, ELSEWHERE),
    ast.DropdbStmt: (Kind.ADMIN, ELSEWHERE),
    ast.AlterDatabaseStmt: (Kind.ADMIN, ELSEWHERE),
    ast.AlterDatabaseSetStmt: (Kind.ADMIN, ELSEWHERE),
    ast.AlterDatabaseRefreshCollStmt: (Kind.ADMIN, ELSEWHERE),
    ast.CreateTableSpaceStmt: (Kind.ADMIN, ELSEWHERE),
    ast.DropTableSpaceStmt: (Kind.ADMIN, ELSEWHERE),
    ast.AlterTableSpaceOptionsStmt: (Kind.ADMIN, ELSEWHERE),
    ast.AlterTableMoveAllStmt: (Kind.ADMIN, ELSEWHERE),
}
# PostgreSQL refuses these inside a transaction block, whatever their options.
OUTSIDE: frozenset[type[ast.Node]] = frozenset(
    (ast.AlterSystemStmt, ast.CreatedbStmt, ast.DropdbStmt, ast.CreateTableSpaceStmt, ast.DropTableSpaceStmt)
)
