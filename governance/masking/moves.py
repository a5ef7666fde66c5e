"""Which columns keep a class under another name, or get one, when a definition is changed: RENAME, SET SCHEMA, USING. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pglast import ast
from pglast.enums import AlterTableType, ObjectType

from governance.analysis.analyse import Analysis
from governance.analysis.tree import descendants
from governance.catalogue.model import Catalogue, Relation, RelationName
from governance.catalogue.propagate import Classes, class_of_several
from governance.classes import place_key, split_place


def renamed_classes(analysis: Analysis, classes: Classes) -> Mapping[RelationName, Mapping[str, str]]:
    """What is classified under an old name is classified under the new one too, whoever renames it. Pure."""
    if not isinstance(analysis.parsed.statement, (ast.RenameStmt, ast.AlterObjectSchemaStmt)):
        return {}
    node: Any = analysis.parsed.statement
    if node.relation is None:
        return {}
    relation = analysis.catalogue.resolve(node.relation.schemaname, node.relation.relname)
    if relation is None:
        return {}
    name = (relation.schema, relation.name)
    there = {place: of for place, of in classes.get(name, {}).items() if relation.column(split_place(place)[0])}
    if isinstance(node, ast.AlterObjectSchemaStmt):
        return {(str(node.newschema), relation.name): there}
    if node.renameType != ObjectType.OBJECT_COLUMN:
        return {(relation.schema, str(node.newname)): there}
    old, new = str(node.subname), str(node.newname)
    return {one: _under(new, old, classes.get(one, {})) for one in _with_heirs(name, analysis.catalogue)}


def rewritten_classes(analysis: Analysis, classes: Classes) -> Mapping[RelationName, Mapping[str, str]]:
    """ALTER COLUMN … TYPE … USING computes a column from others, raw, whoever asks. Pure."""
    if not isinstance(analysis.parsed.statement, ast.AlterTableStmt):
        return {}
    node: Any = analysis.parsed.statement
    relation = analysis.catalogue.resolve(node.relation.schemaname, node.relation.relname)
    if relation is None:
        return {}
    found: dict[str, str] = {}
    for command in node.cmds:
        if command.subtype == AlterTableType.AT_AlterColumnType and command.def_.raw_default is not None:
            used = _columns_in(command.def_.raw_default, relation) - {str(command.name)}
            places = classes.get((relation.schema, relation.name), {}).items()
            if wanted := {data_class for place, data_class in places if split_place(place)[0] in used}:
                found[str(command.name)] = class_of_several(wanted)
    return dict.fromkeys(_with_heirs((relation.schema, relation.name), analysis.catalogue), found) if found else {}


def _columns_in(expression: ast.Node, relation: Relation) -> set[str]:
    """All of the relation's where a name in it may be that of a whole row."""
    there = {column.name for column in relation.columns}
    used: set[str] = set()
    for node in descendants(expression):
        if isinstance(node, ast.ColumnRef):
            last: Any = (node.fields or ())[-1]
            name = str(getattr(last, "sval", ""))
            used |= {name} if name in there else there
    return used


def _under(new: str, old: str, places: Mapping[str, str]) -> dict[str, str]:
    parts = ((*split_place(place), data_class) for place, data_class in places.items())
    return {place_key(new, path): data_class for column, path, data_class in parts if column == old}


def _with_heirs(name: RelationName, catalogue: Catalogue) -> set[RelationName]:
    """Columns are renamed in children and partitions too."""
    found, before = {name}, 0
    while len(found) > before:
        before = len(found)
        found |= {one for one, relation in catalogue.relations.items() if found.intersection(relation.parents)}
    return found
