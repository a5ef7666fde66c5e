"""Reads what defines (tables, views, types, privileges), what is dangerous about it, and what it leaves behind. Pure."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.enums import AlterTableType, ConstrType, DropBehavior, ObjectType

from governance.analysis import effects
from governance.analysis.facts import Kind, RelationUse, Use
from governance.analysis.overlay import TEMPORARY, Filled, first_schema
from governance.analysis.selects import into
from governance.analysis.tree import names, place_of
from governance.catalogue.model import Column, Relation, RelationKind, Type

if TYPE_CHECKING:
    from governance.analysis.reader import Reader

NOTHING: frozenset[str] = frozenset()
RELATIONS = (
    ObjectType.OBJECT_TABLE,
    ObjectType.OBJECT_VIEW,
    ObjectType.OBJECT_MATVIEW,
    ObjectType.OBJECT_FOREIGN_TABLE,
    ObjectType.OBJECT_SEQUENCE,
)


def create_table(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    schema = reader.make(node.relation)
    parents = [reader.define(parent) for parent in node.inhRelations or ()]
    reader.visit(node.partbound, NOTHING)
    reader.visit(node.partspec, NOTHING)
    columns = [column for parent in parents if parent for column in parent.columns]
    keys = []
    for element in node.tableElts or ():
        columns += _define_element(reader, element)
        keys += _keys_of(element)
    # A partition is not known to what follows: an UPDATE of its parent can move raw rows into it, past their classes.
    if schema is not None and node.partbound is None:
        kind = RelationKind.PARTITIONED if node.partspec else RelationKind.TABLE
        names_of_parents = tuple((parent.schema, parent.name) for parent in parents if parent)
        made = Relation(
            schema, str(node.relation.relname), kind, tuple(columns), keys=tuple(keys), parents=names_of_parents
        )
        reader.changes.made.append(made)


def _keys_of(element: Any) -> list[frozenset[str]]:
    """Of a table that is being made: what a write to it may be bounded by."""
    kinds = (ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE)
    if isinstance(element, ast.Constraint) and element.contype in kinds and not element.deferrable:
        return [frozenset(names(element.keys))] if element.keys else []
    found: list[frozenset[str]] = []
    for constraint in getattr(element, "constraints", None) or ():
        if constraint.contype in kinds and not constraint.deferrable:
            found.append(frozenset({str(element.colname)}))
    return found


def _define_element(reader: Reader, element: ast.Node | None) -> list[Column]:
    """A column, a constraint or a LIKE: its expressions are read, the relations that it points at are noted. Gives the
    columns that it adds."""
    if element is None:
        return []
    if isinstance(element, ast.TableLikeClause):
        like = reader.define(element.relation)
        return list(like.columns) if like else []
    if isinstance(element, ast.Constraint):
        if element.pktable is not None:
            reader.define(element.pktable)
        reader.visit(element.raw_expr, NOTHING)
        reader.visit(element.where_clause, NOTHING)
        return []
    if isinstance(element, ast.ColumnDef):
        reader.visit(element.typeName, NOTHING)
        reader.visit(element.raw_default, NOTHING)
        for constraint in element.constraints or ():
            _define_element(reader, constraint)
        type_ = ".".join(names(element.typeName.names)) if element.typeName else ""
        return [Column(str(element.colname), type_, type_)]
    reader.visit(element, NOTHING)
    return []


def create_table_as(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    if not isinstance(node.query, ast.SelectStmt):
        reader.not_understood("CREATE TABLE AS", "only a query can be its source", place_of(node.into.rel))
        reader.make(node.into.rel)
        return
    if node.objtype == ObjectType.OBJECT_MATVIEW:
        reader.make(node.into.rel)  # and is not known to what follows: a REFRESH would fill it anew, from raw values
    else:
        into(reader, node.into.rel, node.query, names(node.into.colNames))
    reader.visit(node.query, NOTHING)


def create_view(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    reader.visit(node.query, NOTHING)
    reader.visit_all(node.options, NOTHING)
    over_temporary = any(occurrence.relation.schema == TEMPORARY for occurrence in reader.occurrences)
    schema = reader.make(node.view, temporary=over_temporary)
    if schema is not None:
        name, aliases = str(node.view.relname), names(node.aliases)
        reader.changes.filled.append(Filled(schema, name, node.query, RelationKind.VIEW, aliases))


def create_index(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    reader.define(node.relation)
    if node.concurrent:
        reader.outside_transaction = True
    else:
        message = f"Building the index locks {node.relation.relname} against writes."
        reader.warn("index-not-concurrent", message, place_of(node.relation))
    reader.visit_all(node.indexParams, NOTHING)
    reader.visit(node.whereClause, NOTHING)


REWRITES = {
    AlterTableType.AT_AlterColumnType,
    AlterTableType.AT_SetLogged,
    AlterTableType.AT_SetUnLogged,
    AlterTableType.AT_SetTableSpace,
}
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
# Left out on purpose: what puts the rows of one relation under the name of another (ATTACH and DETACH PARTITION, INHERIT),
# and DROP or SET EXPRESSION, which change what a column holds under the class that it was given.
SHAPE = {
    AlterTableType.AT_AddColumn,
    AlterTableType.AT_ColumnDefault,
    AlterTableType.AT_DropNotNull,
    AlterTableType.AT_SetNotNull,
    AlterTableType.AT_SetStatistics,
    AlterTableType.AT_SetStorage,
    AlterTableType.AT_SetCompression,
    AlterTableType.AT_DropColumn,
    AlterTableType.AT_AddConstraint,
    AlterTableType.AT_AlterConstraint,
    AlterTableType.AT_ValidateConstraint,
    AlterTableType.AT_DropConstraint,
    AlterTableType.AT_AddIdentity,
    AlterTableType.AT_SetIdentity,
    AlterTableType.AT_DropIdentity,
    AlterTableType.AT_SetRelOptions,
    AlterTableType.AT_ResetRelOptions,
    AlterTableType.AT_ClusterOn,
    AlterTableType.AT_DropCluster,
}


def alter_table(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    relation = reader.define(node.relation)
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
            reader.not_understood(f"ALTER TABLE ({kind.name})", "this change is not followed", place)
        if getattr(command.def_, "concurrent", False):  # DETACH PARTITION CONCURRENTLY
            reader.outside_transaction = True
        added = _read_change(reader, command)
        if relation:
            relation = _changed(reader, relation, kind, str(command.name), added)
    reader.warn("blocking-lock", f"Locks {node.relation.relname} against all use while it runs.", place)


def _read_change(reader: Reader, command: Any) -> list[Column]:
    if isinstance(command.def_, tuple):  # storage options
        reader.visit_all(command.def_, NOTHING)
        return []
    return _define_element(reader, command.def_)


def _changed(reader: Reader, relation: Relation, kind: Any, column: str, added: list[Column]) -> Relation:
    """The relation as the rest of the text sees it. A column added to one that was there before stays unknown: it has not
    been classified."""
    columns = relation.columns
    if kind == AlterTableType.AT_DropColumn:
        columns = tuple(there for there in columns if there.name != column)
    elif kind == AlterTableType.AT_AddColumn and (relation.schema, relation.name) in reader.earlier.made:
        columns = (*columns, *added)
    if columns != relation.columns:
        relation = dataclasses.replace(relation, columns=columns)
        reader.changes.changed[relation.schema, relation.name] = relation
    return relation


def drop(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    for item in node.objects:
        parts = names(item) if isinstance(item, (tuple, list)) else names(getattr(item, "names", None) or (item,))
        what = node.removeType.name.removeprefix("OBJECT_").replace("_", " ").lower()
        reader.warn("drop", f"Drops the {what} {'.'.join(parts)} for good.")
        if node.removeType in RELATIONS:
            _drop_relation(reader, parts)
        elif node.removeType == ObjectType.OBJECT_SCHEMA:
            reader.changes.schemas_gone.add(parts[-1])
    if node.concurrent:
        reader.outside_transaction = True


def _drop_relation(reader: Reader, parts: tuple[str, ...]) -> None:
    schema = parts[-2] if len(parts) > 1 else None
    relation = reader.catalogue.resolve(schema, parts[-1])
    if relation:
        reader.changes.gone.add((relation.schema, relation.name))
    there = relation.schema if relation else schema or first_schema(reader.catalogue)
    reader.relations.add(RelationUse(there, parts[-1], Use.DEFINE))


def truncate(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.WRITE)
    reader.by_key = False
    cascade = bool(node.behavior == DropBehavior.DROP_CASCADE)
    for relation in node.relations:
        if target := reader.define(relation, use=Use.TRUNCATE):
            effects.of_truncate(reader, target, place_of(relation), cascade=cascade)
        reader.warn("truncate", f"Empties {relation.relname} completely.", place_of(relation))


def rename(reader: Reader, node: Any) -> None:
    """RENAME and SET SCHEMA. A classified relation must not change its name under its classes: `rename` says so to masking."""
    reader.kinds.add(Kind.DDL)
    if node.relation is None:
        reader.not_understood(_words(node), "renaming this sort of object is not followed")
        return
    relation = reader.define(node.relation)
    reader.warn(
        "rename", f"Statements that use {node.relation.relname} by its old name will fail.", place_of(node.relation)
    )
    if relation:
        _renamed(reader, node, relation)


def _renamed(reader: Reader, node: Any, relation: Relation) -> None:
    """What the text made keeps being known. What was there before is not, so that nobody reads it past its classes."""
    name = (relation.schema, relation.name)
    becomes = _under_new_name(node, relation) if name in reader.earlier.made else None
    if becomes is None or (becomes.schema, becomes.name) != name:
        reader.changes.gone.add(name)
    if becomes is not None:
        reader.changes.changed[becomes.schema, becomes.name] = becomes


def _under_new_name(node: Any, relation: Relation) -> Relation | None:
    if isinstance(node, ast.AlterObjectSchemaStmt):
        return dataclasses.replace(relation, schema=str(node.newschema))
    if node.renameType in RELATIONS:
        return dataclasses.replace(relation, name=str(node.newname))
    if relation.kind is RelationKind.VIEW:
        return None  # its definition has the old names
    old, new = str(node.subname), str(node.newname)
    columns = (dataclasses.replace(one, name=new) if one.name == old else one for one in relation.columns)
    return dataclasses.replace(relation, columns=tuple(columns), keys=())


def grant(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.PRIVILEGE)
    reader.warn("privilege-change", "Changes who may do what in the database.")
    for item in node.objects or ():
        if isinstance(item, ast.RangeVar):
            reader.define(item)


def privilege(reader: Reader, _node: ast.Node) -> None:
    reader.kinds.add(Kind.PRIVILEGE)
    reader.warn("privilege-change", "Changes who may do what in the database.")


def policy(reader: Reader, node: Any) -> None:
    """Row security: its conditions are evaluated for every row, and decide who sees it."""
    privilege(reader, node)
    reader.define(node.table)
    reader.visit(node.qual, NOTHING)
    reader.visit(node.with_check, NOTHING)


def definition(reader: Reader, _node: ast.Node) -> None:
    """Nothing in it is evaluated."""
    reader.kinds.add(Kind.DDL)


def create_schema(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    if node.schemaname:
        reader.changes.schemas_made.add(str(node.schemaname))
    if node.schemaElts:
        reader.not_understood("CREATE SCHEMA with what it holds", "create that by statements of their own")


def create_sequence(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    schema = reader.make(node.sequence)
    if schema is not None:
        columns = tuple(Column(name, "", "") for name in ("last_value", "log_cnt", "is_called"))
        reader.changes.made.append(Relation(schema, str(node.sequence.relname), RelationKind.SEQUENCE, columns))


def comment(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    parts = names(node.object) if isinstance(node.object, (tuple, list)) else ()
    if node.objtype == ObjectType.OBJECT_COLUMN:
        parts = parts[:-1]
    elif node.objtype not in RELATIONS:
        return
    name = ast.RangeVar(relname=parts[-1], schemaname=parts[-2] if len(parts) > 1 else None)
    reader.define(name)


def create_type(reader: Reader, node: Any) -> None:
    """Enums, and rows of attributes."""
    reader.kinds.add(Kind.DDL)
    if isinstance(node, ast.CreateEnumStmt):
        _add_type(reader, names(node.typeName), Type("e", labels=names(node.vals)))
        return
    attributes = []
    for element in node.coldeflist or ():
        attributes += [(column.name, column.type) for column in _define_element(reader, element)]
    schema = reader.make(node.typevar)
    _add_type(reader, (schema or "", str(node.typevar.relname)), Type("c", attributes=tuple(attributes)))


def create_domain(reader: Reader, node: Any) -> None:
    """Its checks and its default are evaluated for every value that is cast to it."""
    reader.kinds.add(Kind.DDL)
    reader.visit(node.typeName, NOTHING)
    for constraint in node.constraints or ():
        _define_element(reader, constraint)
    _add_type(reader, names(node.domainname), Type("d", base=".".join(names(node.typeName.names))))


def alter_domain(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    for part in node.def_ if isinstance(node.def_, tuple) else (node.def_,):
        _define_element(reader, part)


def _add_type(reader: Reader, parts: tuple[str, ...], made: Type) -> None:
    schema = parts[-2] if len(parts) > 1 else first_schema(reader.catalogue)
    reader.changes.types_made[schema, parts[-1]] = made


def create_statistics(reader: Reader, node: Any) -> None:
    """What they hold is closed (pg_statistic_ext_data); planning uses it."""
    reader.kinds.add(Kind.DDL)
    for relation in node.relations or ():
        if isinstance(relation, ast.RangeVar):
            reader.define(relation)
    reader.visit_all(node.exprs, NOTHING)


def refresh(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.DDL)
    reader.define(node.relation)
    reader.warn("blocking-lock", f"Locks {node.relation.relname} while it is filled again.", place_of(node.relation))


def _words(node: ast.Node) -> str:
    return type(node).__name__.removesuffix("Stmt")
