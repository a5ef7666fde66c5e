"""The columns of a data source as the page of classification lists them: with their class, and where they have it from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from governance.catalogue import store
from governance.catalogue.model import Catalogue, Column, Relation, RelationKind, RelationName
from governance.classes import BUILT_IN
from governance.classification import Target, classes_of
from governance.models import Classification, DataSource
from governance.scanning.proposals import effect_of


@dataclass(frozen=True, slots=True)
class Row:
    """A column, or a place in it. `origin` says where the class is from, unless somebody put it right here."""

    target: Target
    type: str
    data_class: str = ""
    is_direct: bool = False
    origin: str = ""
    by: str = ""
    at: datetime | None = None

    @property
    def written(self) -> str:
        """The target as it is typed: names that PostgreSQL would fold or cut are in double quotes."""
        target = self.target
        place = ".".join(_written(name) for name in (target.schema, target.relation, target.column))
        return f"{place}:{target.path}" if target.path else place

    @property
    def title(self) -> str:
        found = BUILT_IN.get(self.data_class)
        return found.title if found else self.data_class

    @property
    def mask(self) -> str:
        found = BUILT_IN.get(self.data_class)
        return found.mask if found else ""

    @property
    def effect(self) -> str:
        return effect_of(self.data_class)


def _written(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Wanted:
    show: str = "classified"
    data_class: str = ""
    text: str = ""


@dataclass(slots=True)
class _Direct:
    """By relation, then by column and path."""

    rows: dict[RelationName, dict[tuple[str, str], Classification]] = field(default_factory=dict)

    @classmethod
    def of(cls, datasource: DataSource) -> _Direct:
        found = cls()
        for row in Classification.objects.filter(datasource=datasource):
            found.rows.setdefault((row.schema, row.relation), {})[row.column, row.path] = row
        return found


def rows_of(datasource: DataSource, wanted: Wanted) -> list[Row]:
    """In the order of their names."""
    catalogue = store.current(datasource)
    classes, direct = classes_of(datasource, catalogue), _Direct.of(datasource)
    rows = (
        row
        for relation in sorted(catalogue.relations.values(), key=lambda relation: relation.qualified)
        if relation.kind is not RelationKind.SEQUENCE
        for column in relation.columns
        for row in _rows_of_column(
            catalogue, relation, column, classes.get((relation.schema, relation.name), {}).get(column.name, ""), direct
        )
    )
    return list(_filtered(rows, wanted))


def _filtered(rows: Iterable[Row], wanted: Wanted) -> Iterator[Row]:
    text = wanted.text.casefold()
    for row in rows:
        shown = wanted.show == "all" or bool(row.data_class) == (wanted.show == "classified")
        if shown and wanted.data_class in ("", row.data_class) and text in str(row.target).casefold():
            yield row


def _rows_of_column(
    catalogue: Catalogue, relation: Relation, column: Column, data_class: str, direct: _Direct
) -> Iterator[Row]:
    own = direct.rows.get((relation.schema, relation.name), {})
    target = Target(relation.schema, relation.name, column.name)
    put = own.get((column.name, ""))
    if put and (not data_class or put.data_class == data_class):
        yield Row(target, column.type, put.data_class, is_direct=True, by=put.created_by, at=put.created_at)
    elif data_class:
        origin = _origin(catalogue, relation, column, direct)
        yield Row(target, column.type, data_class, is_direct=put is not None, origin=origin)
    else:
        yield Row(target, column.type)
    for (name, path), inside in sorted(own.items()):
        if name == column.name and path:
            place = Target(relation.schema, relation.name, name, path)
            yield Row(place, "inside it", inside.data_class, is_direct=True, by=inside.created_by, at=inside.created_at)


def _origin(catalogue: Catalogue, relation: Relation, column: Column, direct: _Direct) -> str:
    if column.computed_from:
        return f"computed from {', '.join(column.computed_from)}"
    for name in _relatives(catalogue, relation):
        if (column.name, "") in direct.rows.get(name, {}):
            return f"shared with {'.'.join(name)}"
    return "follows from what it is made of"


def _relatives(catalogue: Catalogue, relation: Relation) -> list[RelationName]:
    """Parents and children, near ones first."""
    start = (relation.schema, relation.name)
    found, waiting = [start], [start]
    while waiting:
        name = waiting.pop(0)
        known = catalogue.relations.get(name)
        near = [*(known.parents if known else ()), *_children(catalogue, name)]
        fresh = [one for one in near if one not in found]
        found += fresh
        waiting += fresh
    return found[1:]


def _children(catalogue: Catalogue, parent: RelationName) -> list[RelationName]:
    return sorted(name for name, relation in catalogue.relations.items() if parent in relation.parents)
