"""Classes carried along: between parents, children and partitions (a row of one is read through the other too), from
columns to those that are generated from them, and from tables to the views that are made from them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from governance.analysis.analyse import analyse
from governance.analysis.lineage import ByColumn, columns_by_name
from governance.analysis.ranges import ALL, Lineage
from governance.catalogue.model import Catalogue, Relation, RelationKind, RelationName
from governance.classes import BUILT_IN, place_key, split_place
from governance.errors import Unreadable

# By relation, then by place: a column, or a path inside a JSON column.
Classes = Mapping[RelationName, Mapping[str, str]]
Found = dict[RelationName, dict[str, str]]

WHOLE = frozenset({"redact", "null"})
VIEWS = frozenset({RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW})
STRICTEST = "secret"


def propagate(catalogue: Catalogue, direct: Classes) -> Found:
    """The classes in force. Parents, children and partitions that share a column share its class; where two meet, the more
    sensitive one. What is generated from a classified column is classified too, and so is what a materialised view stores.

    A plain view stores nothing: it is masked below, at the tables that it reads. For its columns see `derived_classes`.
    """
    inherited = _inherited(catalogue, direct)
    return _with_materialised(catalogue, _inherited(catalogue, _with_generated(catalogue, inherited)))


def derived_classes(catalogue: Catalogue, effective: Classes) -> Found:
    """The classes of the columns of plain views, from `effective` (what `propagate` gives): to be shown and reckoned with,
    not to be masked again. All that is in a view which cannot be resolved counts as secret."""
    found: Found = {}
    for name, view in _views(catalogue).items():
        relation = catalogue.relations[name]
        if relation.kind is RelationKind.VIEW and (derived := _of_view(relation, view, effective)):
            found[name] = derived
    return found


@dataclass(frozen=True, slots=True)
class UnresolvedView:
    relation: Relation
    why: str


def unresolved_views(catalogue: Catalogue) -> tuple[UnresolvedView, ...]:
    """Views whose columns cannot be followed, with the reason: reading them is refused."""
    return tuple(
        UnresolvedView(catalogue.relations[name], view.problem)
        for name, view in sorted(_views(catalogue).items())
        if view.problem
    )


# --- What one value inherits --------------------------------------------------------------------------------------


def class_of_computed(source: str) -> str:
    """A mask that keeps a part of a value keeps another part of what is computed from it (think of it reversed): only a
    class that hides values whole carries over as it is."""
    return source if _hides_whole(source) else STRICTEST


def class_of_several(classes: Iterable[str]) -> str:
    """One class for values of several: a mask that fits the one may show the other."""
    found = set(classes)
    strictest = max(found, key=sensitivity)
    return strictest if len(found) == 1 or _hides_whole(strictest) else STRICTEST


def classes_of_value(column: str, lineage: Lineage, classes: Classes) -> dict[str, str]:
    """The classes, by place, of a column that holds this value."""
    places: defaultdict[str, set[str]] = defaultdict(set)
    for schema, relation, source in lineage.sources:
        for place, data_class in classes.get((schema, relation), {}).items():
            name, path = split_place(place)
            if source == ALL or (source == name and not lineage.copied):
                places[column].add(class_of_computed(data_class))
            elif source == name:
                places[place_key(column, path)].add(data_class)
    if column in places:
        return {column: class_of_several(set().union(*places.values()))}
    return {place: class_of_several(found) for place, found in places.items()}


def sensitivity(data_class: str) -> tuple[int, str]:
    built_in = BUILT_IN.get(data_class)
    # The name breaks a tie, so that the order of the input decides nothing.
    return (built_in.sensitivity if built_in else 3, data_class)


def _hides_whole(data_class: str) -> bool:
    built_in = BUILT_IN.get(data_class)
    return built_in is None or built_in.mask in WHOLE


# --- Views --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _View:
    """What its columns are made from; `problem` says why that is not known."""

    columns: ByColumn
    problem: str = ""


def _views(catalogue: Catalogue) -> Mapping[RelationName, _View]:
    """Read once for each catalogue, since nothing else decides it."""
    return catalogue.once("views", lambda: {
        name: _read_view(catalogue, relation)
        for name, relation in catalogue.relations.items()
        if relation.kind in VIEWS
    })  # fmt: skip


def _read_view(catalogue: Catalogue, relation: Relation) -> _View:
    try:
        analysis = analyse(relation.definition or "", catalogue)
    except Unreadable as error:
        return _View({}, f"its definition cannot be read: {error.message}")
    if analysis.facts.unknown:
        unknown = analysis.facts.unknown[0]
        return _View({}, f"{unknown.what}: {unknown.why}")
    return _View(columns_by_name(analysis, [column.name for column in relation.columns]))


def _of_view(relation: Relation, view: _View, classes: Classes) -> dict[str, str]:
    if view.problem:
        return {column.name: STRICTEST for column in relation.columns}
    found: dict[str, str] = {}
    for column in relation.columns:
        found |= classes_of_value(column.name, view.columns[column.name], classes)
    return found


def _with_materialised(catalogue: Catalogue, classes: Found) -> Found:
    """One materialised view may be made from another: the classes go up until nothing is added. Those put on it by hand
    stay as they are."""
    stored = {
        name: view
        for name, view in _views(catalogue).items()
        if catalogue.relations[name].kind is RelationKind.MATERIALIZED_VIEW
    }
    by_hand = {name: {split_place(place)[0] for place in classes.get(name, {})} for name in stored}
    for _ in range(len(stored) + 1):
        before = {name: dict(classes.get(name, {})) for name in stored}
        for name, view in stored.items():
            derived = _of_view(catalogue.relations[name], view, classes)
            kept = {place: of for place, of in classes.get(name, {}).items() if split_place(place)[0] in by_hand[name]}
            new = {place: of for place, of in derived.items() if split_place(place)[0] not in by_hand[name]}
            if kept or new:
                classes[name] = kept | new
        if all(classes.get(name, {}) == before[name] for name in stored):
            break
    return classes


# --- Inheritance and generated columns ----------------------------------------------------------------------------


def _inherited(catalogue: Catalogue, direct: Classes) -> Found:
    neighbours = _neighbours(catalogue)
    found: Found = {relation: dict(columns) for relation, columns in direct.items()}
    for relation, places in direct.items():
        for place, data_class in places.items():
            for relative in _family(catalogue, neighbours, relation, split_place(place)[0]):
                known = found.setdefault(relative, {})
                known[place] = max(data_class, known.get(place, data_class), key=sensitivity)
    return found


def _with_generated(catalogue: Catalogue, classes: Classes) -> Found:
    """A generated column is never computed from another one, so one pass finds all of them."""
    found = {name: dict(places) for name, places in classes.items()}
    for name, places in classes.items():
        relation = catalogue.relations.get(name)
        classified = {split_place(place)[0] for place in places}
        for column in relation.columns if relation else ():
            if column.name not in classified and classified.intersection(column.computed_from):
                sources = frozenset((*name, source) for source in column.computed_from)
                found[name] |= classes_of_value(column.name, Lineage(sources, False), classes)
    return found


def _neighbours(catalogue: Catalogue) -> Mapping[RelationName, set[RelationName]]:
    neighbours: defaultdict[RelationName, set[RelationName]] = defaultdict(set)
    for name, relation in catalogue.relations.items():
        for parent in relation.parents:
            neighbours[name].add(parent)
            neighbours[parent].add(name)
    return neighbours


def _family(
    catalogue: Catalogue, neighbours: Mapping[RelationName, set[RelationName]], start: RelationName, column: str
) -> set[RelationName]:
    """All that `start` is linked to through relations which have the column."""
    family, waiting = {start}, [start]
    while waiting:
        for relative in neighbours.get(waiting.pop(), ()):
            relation = catalogue.relations.get(relative)
            if relative not in family and relation and relation.column(column):
                family.add(relative)
                waiting.append(relative)
    return family
