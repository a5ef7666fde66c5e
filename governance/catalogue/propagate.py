"""Classes carried along inheritance (a row of a partition or a child is read through its parent too), and from columns
to those that are generated from them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from governance.catalogue.model import Catalogue, RelationName
from governance.classes import BUILT_IN

Classes = Mapping[RelationName, Mapping[str, str]]


WHOLE = frozenset({"redact", "null"})


def propagate(catalogue: Catalogue, direct: Classes) -> dict[RelationName, dict[str, str]]:
    """Parents, children and partitions that share a column share its class; where two meet, the more sensitive one. What is
    generated from a classified column is classified too."""
    inherited = _inherited(catalogue, direct)
    return _inherited(catalogue, _with_generated(catalogue, inherited))


def _inherited(catalogue: Catalogue, direct: Classes) -> dict[RelationName, dict[str, str]]:
    neighbours = _neighbours(catalogue)
    found: dict[RelationName, dict[str, str]] = {relation: dict(columns) for relation, columns in direct.items()}
    for relation, columns in direct.items():
        for column, data_class in columns.items():
            for relative in _family(catalogue, neighbours, relation, column):
                known = found.setdefault(relative, {})
                known[column] = max(data_class, known.get(column, data_class), key=_sensitivity)
    return found


def _with_generated(catalogue: Catalogue, classes: Classes) -> Classes:
    """A generated column is never computed from another one, so one pass finds all of them."""
    found = {name: dict(columns) for name, columns in classes.items()}
    for name, columns in classes.items():
        relation = catalogue.relations.get(name)
        for column in relation.columns if relation else ():
            sources = [columns[source] for source in column.computed_from if source in columns]
            if sources and column.name not in columns:
                found[name][column.name] = _class_of_computed(max(sources, key=_sensitivity))
    return found


def _class_of_computed(source: str) -> str:
    """A mask that keeps a part of a value keeps another part of what is computed from it (think of it reversed): only a
    class that hides values whole carries over as it is."""
    built_in = BUILT_IN.get(source)
    return source if built_in is None or built_in.mask in WHOLE else "secret"


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


def _sensitivity(data_class: str) -> tuple[int, str]:
    built_in = BUILT_IN.get(data_class)
    # The name breaks a tie, so that the order of the input decides nothing.
    return (built_in.sensitivity if built_in else 3, data_class)
