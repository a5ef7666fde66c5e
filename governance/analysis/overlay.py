"""What the statements of a text leave behind for those after them: relations, types, a search path, prepared statements
and cursors. Pure.

PostgreSQL resolves each statement when it comes to it, so each is analysed against the catalogue as it is by then. What is
not certain (the columns of a new relation, the new name of one that was there before) is left out, and then not found.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pglast import ast

from governance.analysis.facts import Kind
from governance.catalogue.model import Catalogue, Relation, RelationKind, RelationName, Type

# The driver names it last in the search path; PostgreSQL would otherwise look there before anywhere else.
TEMPORARY = "pg_temp"


@dataclass(frozen=True, slots=True)
class Held:
    """A statement that waits under a name: what using it does."""

    kinds: frozenset[Kind]
    rows_inserted: int | None = 0


@dataclass(frozen=True, slots=True)
class Earlier:
    """Left by the statements before this one. `made`: relations that the text itself made, under their present names.
    `sets_path`: it has set a search path of its own."""

    prepared: Mapping[str, Held] = field(default_factory=dict)
    cursors: Mapping[str, Held] = field(default_factory=dict)
    made: frozenset[RelationName] = frozenset()
    sets_path: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """A relation that is made from a query; its columns are the outputs of it, under `aliases` where those are given."""

    schema: str
    name: str
    query: ast.Node
    kind: RelationKind = RelationKind.TABLE
    aliases: tuple[str, ...] = ()
    definition: str | None = None


@dataclass(slots=True)
class Changes:
    """What one statement leaves behind; a name in `prepared` or `cursors` that maps to None is let go of."""

    made: list[Relation] = field(default_factory=list)
    filled: list[Filled] = field(default_factory=list)
    changed: dict[RelationName, Relation] = field(default_factory=dict)
    gone: set[RelationName] = field(default_factory=set)
    schemas_made: set[str] = field(default_factory=set)
    schemas_gone: set[str] = field(default_factory=set)
    types_made: dict[RelationName, Type] = field(default_factory=dict)
    prepared: dict[str, Held | None] = field(default_factory=dict)
    cursors: dict[str, Held | None] = field(default_factory=dict)
    search_path: tuple[str, ...] | None = None

    def concern_names(self) -> bool:
        """Whether names may mean something else to the statements after it."""
        relations = self.made or self.filled or self.changed or self.gone
        others = self.schemas_made or self.schemas_gone or self.types_made
        return bool(relations or others) or self.search_path is not None


def creation_schema(catalogue: Catalogue, node: Any) -> str:
    """Where PostgreSQL puts a new object of this name: the first schema of the path that there is."""
    if node.schemaname:
        return str(node.schemaname)
    if node.relpersistence == "t":
        return TEMPORARY
    return first_schema(catalogue)


def first_schema(catalogue: Catalogue) -> str:
    path = catalogue.search_path
    there = (name for name in path if name in catalogue.schemas or name == TEMPORARY)
    return next(there, path[0] if path else "public")


def after(catalogue: Catalogue, earlier: Earlier, changes: Changes) -> tuple[Catalogue, Earlier]:
    """The catalogue and what is held by name, once the statement with these changes has run."""
    renamed = changes.concern_names()
    held = dataclasses.replace(
        earlier,
        # PostgreSQL reads a prepared statement, and what a cursor calls, once more when names may mean something else.
        prepared={} if renamed else _without_none({**earlier.prepared, **changes.prepared}),
        cursors={} if renamed else _without_none({**earlier.cursors, **changes.cursors}),
        sets_path=earlier.sets_path or changes.search_path is not None,
    )
    if not renamed:
        return catalogue, held
    relations, made = _relations(catalogue, earlier, changes)
    path = catalogue.search_path if changes.search_path is None else changes.search_path
    if TEMPORARY not in path and any(schema == TEMPORARY for schema, _ in relations):
        path = (*path, TEMPORARY)
    changed = dataclasses.replace(
        catalogue,
        search_path=path,
        relations=relations,
        types={**catalogue.types, **changes.types_made},
        schemas=(catalogue.schemas | changes.schemas_made) - changes.schemas_gone,
    )
    return changed, dataclasses.replace(held, made=made)


def _without_none(held: Mapping[str, Held | None]) -> dict[str, Held]:
    return {name: item for name, item in held.items() if item is not None}


def _relations(
    catalogue: Catalogue, earlier: Earlier, changes: Changes
) -> tuple[dict[RelationName, Relation], frozenset[RelationName]]:
    """What has the name of something that is there already was not made (IF NOT EXISTS) or replaces a view."""
    gone = changes.gone | {name for name in catalogue.relations if name[0] in changes.schemas_gone}
    relations = {name: relation for name, relation in catalogue.relations.items() if name not in gone}
    relations.update(changes.changed)
    made = (earlier.made - gone) | (changes.changed.keys() - catalogue.relations.keys())
    for relation in changes.made:
        name = (relation.schema, relation.name)
        there = relations.get(name)
        if there is None or (relation.kind is RelationKind.VIEW and there.kind is RelationKind.VIEW):
            relations[name] = relation
            made |= {name}
    return relations, frozenset(made)
