"""What stands in FROM, and what a column's name means there: PostgreSQL's own scoping, level by level. Pure.

A name is looked up as PostgreSQL does (parse_relation.c): the innermost query first; a bare name is a column before it is a
row. Where it cannot be told, the answer is everything that it might be: a lineage may be too wide, never too narrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from governance.catalogue.model import Relation

# Schema, relation and column; the column `*` stands for all columns of the relation.
Source = tuple[str, str, str]
ALL = "*"
SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


class Lineage(NamedTuple):
    """What a value is made from; `copied` where it is the value of a column, unchanged, whichever of the sources that is."""

    sources: frozenset[Source]
    copied: bool


class Output(NamedTuple):
    """A column of a query. `many`: columns whose names and number are not known stand here (a function's row)."""

    name: str
    lineage: Lineage
    many: bool = False


NOTHING = Lineage(frozenset(), True)


def either(parts: Iterable[Lineage]) -> Lineage:
    """One of several values: of the branches of a union, of the two sides of a merged column."""
    found = [part for part in parts if part.sources]
    if len(found) < 2:
        return found[0] if found else NOTHING
    return Lineage(frozenset().union(*(part.sources for part in found)), all(part.copied for part in found))


def computed(parts: Iterable[Lineage]) -> Lineage:
    sources = frozenset().union(*(part.sources for part in parts))
    return Lineage(sources, False) if sources else NOTHING


@dataclass(slots=True)
class Item:
    """One entry of FROM. `whole` is what its row is made from; `is_open`: it has more columns than are known. `raw` notes
    the places of what is read from the target of a write, which nothing can be put in the place of."""

    alias: str
    outputs: Sequence[Output]
    columns: Mapping[str, Lineage]
    whole: Lineage
    is_open: bool = False
    relation: Relation | None = None
    raw: dict[str, int | None] | None = None


class Join(NamedTuple):
    """Two sides with merged columns; without any, a join's columns are those of its sides, one after the other."""

    left: Entry
    right: Entry
    merged: tuple[str, ...]


Entry = Item | Join


@dataclass(slots=True)
class Level:
    """One query while it is read. `entries` are for `*`, `items` for names: a join with an alias hides what it joins."""

    outer: Level | None
    ctes: Mapping[str, Any]
    items: list[Item] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    windows: dict[str, Lineage] | None = None


# --- Making items -------------------------------------------------------------------------------------------------

_Known = tuple[Relation, tuple[Output, ...], dict[str, Lineage], Lineage]
_known: dict[int, _Known] = {}
MAX_KNOWN = 20_000


def item_of_relation(relation: Relation, alias: str, renamed: Sequence[str] = ()) -> Item:
    _, outputs, columns, whole = _columns_of(relation)
    if renamed:
        outputs = rename(outputs, renamed)
        columns = _by_name(outputs)
    return Item(alias, outputs, columns, whole, False, relation)


def _columns_of(relation: Relation) -> _Known:
    """Kept by identity, since hashing a relation would take longer than what is kept saves."""
    known = _known.get(id(relation))
    if known is None or known[0] is not relation:
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        schema, name = relation.schema, relation.name
        columns = {column.name: Lineage(frozenset({(schema, name, column.name)}), True) for column in relation.columns}
        outputs = tuple(Output(column, lineage) for column, lineage in columns.items())
        whole = Lineage(frozenset({(schema, name, ALL)}), False)
        known = _known[id(relation)] = relation, outputs, columns, whole
    return known


def item_of_outputs(alias: str, outputs: Sequence[Output], renamed: Sequence[str] = ()) -> Item:
    if renamed:
        outputs = rename(outputs, renamed)
    is_open = any(output.many for output in outputs)
    return Item(alias, outputs, _by_name(outputs), computed(output.lineage for output in outputs), is_open)


def open_item(alias: str, lineage: Lineage, names: Sequence[str] = ()) -> Item:
    """Something whose columns are not known, each of them made from all of `lineage`; the first may be named."""
    outputs = (*(Output(name, lineage) for name in names), Output("", lineage, many=True))
    return Item(alias, outputs, dict.fromkeys(names, lineage), lineage, is_open=True)


def rename(outputs: Sequence[Output], names: Sequence[str]) -> tuple[Output, ...]:
    """The first outputs under other names. Where it is not known which are the first, any of the names may be any."""
    known = next((index for index, output in enumerate(outputs) if output.many), len(outputs))
    renamed = [Output(name, output.lineage) for name, output in zip(names, outputs[:known], strict=False)]
    if len(names) > known < len(outputs):
        anything = computed(output.lineage for output in outputs[known:])
        renamed += [Output(name, anything) for name in names[known:]]
        return (*renamed, Output("", anything, many=True))
    return (*renamed, *outputs[len(renamed) :])


def _by_name(outputs: Iterable[Output]) -> dict[str, Lineage]:
    columns: dict[str, Lineage] = {}
    for output in outputs:
        if not output.many:
            known = columns.get(output.name)
            columns[output.name] = output.lineage if known is None else either((known, output.lineage))
    return columns


# --- Looking names up ---------------------------------------------------------------------------------------------


def bare_column(level: Level, name: str, place: int | None) -> Lineage:
    """`name` alone: a column of the innermost level that has one, or else a whole row."""
    perhaps: list[Lineage] = []
    at: Level | None = level
    while at is not None:
        found = [(item, lineage) for item in at.items if (lineage := item.columns.get(name)) is not None]
        if found:
            for item, _ in found:
                if item.raw is not None:
                    item.raw.setdefault(name, place)
            if len(found) == 1 and not perhaps:
                return found[0][1]
            return either((*perhaps, *(lineage for _, lineage in found)))
        perhaps += [item.whole for item in at.items if item.is_open]
        at = at.outer
    return _bare_row(level, name, place, perhaps)


def _bare_row(level: Level, name: str, place: int | None, perhaps: list[Lineage]) -> Lineage:
    at: Level | None = level
    while at is not None:
        if rows := [item for item in at.items if item.alias == name]:
            return computed((*perhaps, *(row_of(item, place) for item in rows)))
        at = at.outer
    if perhaps:
        return computed(perhaps)
    if name in SYSTEM_COLUMNS:
        return either(_system_column(item, name) for item in level.items)
    return everything(level, place)


def qualified_column(level: Level, parts: Sequence[str], place: int | None) -> Lineage:
    """`alias.column`, `alias.*` or `schema.table.column`; `alias.f` may also be a function of the row."""
    items = items_named(level, parts[:-1])
    if not items:
        return everything(level, place)
    name = parts[-1]
    return either([_of_item(item, name, place) for item in items])


def items_named(level: Level, qualifier: Sequence[str]) -> list[Item]:
    """PostgreSQL stops at the first level where the name is found."""
    at: Level | None = level
    while at is not None:
        if found := [item for item in at.items if _is_named(item, qualifier)]:
            return found
        at = at.outer
    return []


def _is_named(item: Item, qualifier: Sequence[str]) -> bool:
    if item.alias != qualifier[-1]:
        return False
    relation = item.relation
    return len(qualifier) == 1 or (
        relation is not None and relation.schema == qualifier[-2] and relation.name == item.alias
    )


def _of_item(item: Item, name: str, place: int | None) -> Lineage:
    lineage = item.columns.get(name)
    if lineage is None:
        return _system_column(item, name) if name in SYSTEM_COLUMNS and item.relation else row_of(item, place)
    if item.raw is not None:
        item.raw.setdefault(name, place)
    return lineage


def row_of(item: Item, place: int | None) -> Lineage:
    if item.raw is not None:
        item.raw.setdefault(ALL, place)
    return item.whole


def _system_column(item: Item, name: str) -> Lineage:
    relation = item.relation
    return Lineage(frozenset({(relation.schema, relation.name, name)}), True) if relation else NOTHING


def everything(level: Level, place: int | None) -> Lineage:
    """Where a name means nothing that is known, it may mean anything in sight."""
    rows: list[Lineage] = []
    at: Level | None = level
    while at is not None:
        rows += [row_of(item, place) for item in at.items]
        at = at.outer
    return computed(rows)


# --- Joins and stars ----------------------------------------------------------------------------------------------


def star(entry: Entry) -> Sequence[Output]:
    """The columns of an entry, in PostgreSQL's order: merged ones first, then what is left of either side."""
    if isinstance(entry, Item):
        return entry.outputs
    left, right = star(entry.left), star(entry.right)
    if not entry.merged:
        return (*left, *right)
    merged = [Output(name, column_of_entry(entry, name)) for name in entry.merged]
    return (*merged, *(output for output in (*left, *right) if output.many or output.name not in entry.merged))


def column_of_entry(entry: Entry, name: str) -> Lineage:
    if isinstance(entry, Item):
        lineage = entry.columns.get(name)
        return lineage if lineage is not None else (entry.whole if entry.is_open else NOTHING)
    return either((column_of_entry(entry.left, name), column_of_entry(entry.right, name)))


def natural_names(left: Entry, right: Entry) -> tuple[str, ...]:
    others = {output.name for output in star(right) if not output.many}
    return tuple(dict.fromkeys(output.name for output in star(left) if not output.many and output.name in others))


def is_open(entry: Entry) -> bool:
    return entry.is_open if isinstance(entry, Item) else is_open(entry.left) or is_open(entry.right)
