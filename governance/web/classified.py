"""The columns of a data source as the page of classification lists them: with their class, and where they have it from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from governance.catalogue import store
from governance.catalogue.model import Catalogue, Column, Relation, RelationKind, RelationName
from governance.catalogue.propagate import derived_classes
from governance.classes import BUILT_IN, place_key, split_place, unclassified_text_columns
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
    # Policies can have such text scrubbed for whom they name.
    is_unclassified_text: bool = False

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
    """In the order of their names. What views show of classified columns is listed too: it is masked below them."""
    catalogue = store.current(datasource)
    effective, direct = classes_of(datasource, catalogue), _Direct.of(datasource)
    derived = derived_classes(catalogue, effective)
    rows = (
        row
        for name, relation in sorted(catalogue.relations.items())
        if relation.kind is not RelationKind.SEQUENCE
        for row in _rows_of_relation(catalogue, relation, {**derived.get(name, {}), **effective.get(name, {})}, direct)
    )
    return list(_filtered(rows, wanted))


def _filtered(rows: Iterable[Row], wanted: Wanted) -> Iterator[Row]:
    text = wanted.text.casefold()
    for row in rows:
        shown = wanted.show == "all" or bool(row.data_class) == (wanted.show == "classified")
        if shown and wanted.data_class in ("", row.data_class) and text in str(row.target).casefold():
            yield row


def _rows_of_relation(
    catalogue: Catalogue, relation: Relation, classes: Mapping[str, str], direct: _Direct
) -> Iterator[Row]:
    inside: dict[str, list[str]] = {}
    for place in sorted(classes):
        column_name, path = split_place(place)
        if path:
            inside.setdefault(column_name, []).append(path)
    text = frozenset(unclassified_text_columns(relation, classes))
    for column in relation.columns:
        for path in ("", *inside.get(column.name, ())):
            data_class = classes.get(place_key(column.name, path), "")
            yield _row(catalogue, relation, column, path, data_class, direct, column.name in text)


def _row(
    catalogue: Catalogue, relation: Relation, column: Column, path: str, data_class: str, direct: _Direct, is_text: bool
) -> Row:
    target = Target(relation.schema, relation.name, column.name, path)
    put = direct.rows.get((relation.schema, relation.name), {}).get((column.name, path))
    type_ = "inside it" if path else column.type
    if put and put.data_class == data_class:
        return Row(target, type_, data_class, is_direct=True, by=put.created_by, at=put.created_at)
    if data_class:
        origin = _origin(catalogue, relation, column, path, direct)
        return Row(target, type_, data_class, is_direct=put is not None, origin=origin)
    return Row(target, type_, is_unclassified_text=is_text)


def _origin(catalogue: Catalogue, relation: Relation, column: Column, path: str, direct: _Direct) -> str:
    if column.computed_from:
        return f"computed from {', '.join(column.computed_from)}"
    for name in _relatives(catalogue, relation):
        if (column.name, path) in direct.rows.get(name, {}):
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
