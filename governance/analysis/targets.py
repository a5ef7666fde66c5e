"""Reads writes: which relation each changes, how far its WHERE bounds it, and what else changes with it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.enums import OnConflictAction

from governance.analysis import calls, effects
from governance.analysis.facts import Kind, RelationUse, Use
from governance.analysis.keys import always_true, bounded_by_key
from governance.analysis.occurrence import Target
from governance.analysis.selects import with_clause
from governance.analysis.tree import place_of
from governance.catalogue.model import Relation, RelationKind

if TYPE_CHECKING:
    from governance.analysis.reader import Reader, Scope


def insert(reader: Reader, node: Any, scope: Scope) -> None:
    inner = with_clause(reader, node.withClause, scope)
    write_to(reader, node, node.relation, Use.INSERT)
    values = node.selectStmt
    if values is None:
        _count_inserted(reader, 1)
    elif isinstance(values, ast.SelectStmt) and values.valuesLists and not calls.multiplies(reader, values.valuesLists):
        _count_inserted(reader, len(values.valuesLists))
    else:
        reader.rows_inserted = None
    if node.onConflictClause and node.onConflictClause.action == OnConflictAction.ONCONFLICT_UPDATE:
        relation = also(reader, node.relation, Use.UPDATE)
        if relation:
            changed = _columns_set(node.onConflictClause.targetList)
            effects.of_write(reader, relation, Use.UPDATE, place_of(node.relation), changed=changed, node=node)
    reader.visit_children(node, inner, skip=("withClause", "relation"))


def _count_inserted(reader: Reader, rows: int) -> None:
    if reader.rows_inserted is not None:
        reader.rows_inserted += rows


def update(reader: Reader, node: Any, scope: Scope) -> None:
    inner = with_clause(reader, node.withClause, scope)
    relation = write_to(reader, node, node.relation, Use.UPDATE)
    _weigh_where(reader, node, node.whereClause, relation, "update-without-where", "Changes every row")
    reader.visit_children(node, inner, skip=("withClause", "relation"))


def delete(reader: Reader, node: Any, scope: Scope) -> None:
    inner = with_clause(reader, node.withClause, scope)
    relation = write_to(reader, node, node.relation, Use.DELETE)
    _weigh_where(reader, node, node.whereClause, relation, "delete-without-where", "Deletes every row")
    reader.visit_children(node, inner, skip=("withClause", "relation"))


def _weigh_where(
    reader: Reader, node: Any, where: ast.Node | None, relation: Relation | None, code: str, what: str
) -> None:
    name = relation.qualified if relation else node.relation.relname
    place = place_of(node.relation)
    if where is None:
        reader.warn(code, f"{what} of {name}: there is no WHERE.", place)
    elif always_true(where):
        reader.warn("always-true-where", f"{what} of {name}: the WHERE holds for all of them.", place)
    alias = node.relation.alias.aliasname if node.relation.alias else node.relation.relname
    if relation is None or isinstance(where, ast.CurrentOfExpr) or not bounded_by_key(where, relation, alias):
        reader.by_key = False


def merge(reader: Reader, node: Any, scope: Scope) -> None:
    inner = with_clause(reader, node.withClause, scope)
    if relation := write_to(reader, node, node.relation, Use.INSERT):
        for use in (Use.UPDATE, Use.DELETE):
            also(reader, node.relation, use)
            effects.of_write(reader, relation, use, place_of(node.relation))
    reader.by_key, reader.rows_inserted = False, None
    reader.visit_children(node, inner, skip=("withClause", "relation"))


def write_to(reader: Reader, node: ast.Node, name: Any, use: Use) -> Relation | None:
    """A target is always a real relation: PostgreSQL never takes a CTE for it."""
    reader.kinds.add(Kind.WRITE)
    relation = reader.resolve(name)
    if relation is None:
        return None
    place = place_of(name)
    if relation.kind not in (RelationKind.TABLE, RelationKind.PARTITIONED):
        reader.not_understood(
            relation.qualified,
            f"writing through a {relation.kind.name.lower().replace('_', ' ')} is not followed",
            place,
        )
    if relation.has_rules:
        reader.not_understood(relation.qualified, "it has rewrite rules, which can turn this write into another", place)
    alias = name.alias.aliasname if name.alias else name.relname
    reader.targets.append(Target(node, relation, alias))
    reader.aliases.setdefault(alias, []).append(relation)
    reader.relations.add(RelationUse(relation.schema, relation.name, use))
    changed = _columns_set(node.targetList) if isinstance(node, ast.UpdateStmt) else None
    written = None if isinstance(node, ast.MergeStmt) else node
    effects.of_write(reader, relation, use, place, changed=changed, node=written)
    if getattr(node, "whereClause", None) is not None or getattr(node, "returningClause", None) is not None:
        reader.relations.add(RelationUse(relation.schema, relation.name, Use.READ))
    return relation


def _columns_set(targets: Any) -> frozenset[str]:
    return frozenset(str(target.name) for target in targets or () if isinstance(target, ast.ResTarget))


def also(reader: Reader, name: Any, use: Use) -> Relation | None:
    if relation := reader.resolve(name, quiet=True):
        reader.relations.add(RelationUse(relation.schema, relation.name, use))
    return relation


def current_of(reader: Reader, node: Any, _scope: Scope) -> None:
    reader.not_understood("WHERE CURRENT OF", "name the rows by their key instead", place_of(node))
