"""Which columns are sensitive, and how: classes put on columns by people, and read by masking and policy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.db import transaction

from audit import ledger
from governance.catalogue import store
from governance.catalogue.model import Catalogue, RelationName
from governance.catalogue.propagate import Classes, class_of_several, derived_classes, propagate
from governance.classes import ASSIGNABLE, BUILT_IN, is_ambiguous, place_key
from governance.errors import GatewayError
from governance.masking.masks import mask_that_fits
from governance.masking.places import EXAMPLES, BadPlace, parse_place, write_place
from governance.masking.types import Family, family_of
from governance.models import Classification, DataSource
from governance.versions import Versions, change, in_force

EXAMPLE = "public.customers.email=email"
_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_ASSIGNMENT = re.compile(
    rf"\s*(?P<schema>{_NAME})\.(?P<relation>{_NAME})\.(?P<column>{_NAME})"
    r'(?::(?P<path>\$(?:[^="]|"[^"]*")*?))?\s*=\s*(?P<data_class>[^\s=]*)\s*\Z'
)


class ClassificationError(GatewayError):
    """The class cannot be put there, or there is none to take away. Nothing was changed."""

    code = "classification-error"
    title = "The classification cannot be changed"
    status = 422

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Target:
    """A column, or with `path` something inside a JSON column."""

    schema: str
    relation: str
    column: str
    path: str = ""

    def __str__(self) -> str:
        place = f"{self.schema}.{self.relation}.{self.column}"
        return f"{place}:{self.path}" if self.path else place


@dataclass(frozen=True, slots=True)
class Assignment:
    target: Target
    data_class: str


def parse_assignment(text: str) -> Assignment:
    """`schema.table.column[:$.path]=class`. Names are folded like PostgreSQL's: `"Odd.Name"` keeps its case and dots."""
    match = _ASSIGNMENT.match(text)
    if match is None:
        raise ClassificationError(
            f"{text!r} does not say which column gets which class.",
            f"Write schema.table.column=class, such as {EXAMPLE}; names with dots or capitals in double quotes.",
        )
    if not match["data_class"]:
        raise ClassificationError(f"{text!r} names no class.", _known_classes())
    schema, relation, column = (_folded(match[part]) for part in ("schema", "relation", "column"))
    target = _in_one_spelling(Target(schema, relation, column, match["path"] or ""))
    return Assignment(target, match["data_class"])


def _in_one_spelling(target: Target) -> Target:
    try:
        return replace(target, path=write_place(parse_place(target.path))) if target.path else target
    except BadPlace as error:
        raise ClassificationError(
            f"{target} names no place inside a column: {error}.", f"Places: {EXAMPLES}."
        ) from None


def parse_target(text: str) -> Target:
    """`schema.table.column[:$.path]`, with names as in `parse_assignment`."""
    return parse_assignment(f"{text}=class").target


def classify(datasource: DataSource, target: Target | str, data_class: str, *, actor: str) -> Classification:
    target = parse_target(target) if isinstance(target, str) else target
    (classification,) = classify_all(datasource, [Assignment(target, data_class)], actor=actor)
    return classification


def classify_all(datasource: DataSource, assignments: Iterable[Assignment], *, actor: str) -> list[Classification]:
    """All of them or, with `ClassificationError`, none. A column that has another class gets this one instead."""
    wanted = [replace(one, target=_in_one_spelling(one.target)) for one in assignments]
    catalogue = store.current(datasource)
    for assignment in wanted:
        _check(datasource, catalogue, assignment)
    with transaction.atomic():
        _lock(datasource)
        return [_put(datasource, assignment, actor) for assignment in wanted]


def classify_copied(datasource: DataSource, assignments: Iterable[Assignment], *, actor: str) -> None:
    """For columns that a statement is about to fill, there yet or not. A class that is there gives way to a stricter one."""
    with transaction.atomic():
        _lock(datasource)
        for assignment in assignments:
            there = _find(datasource, assignment.target)
            classes = {assignment.data_class, *([there.data_class] if there else [])}
            _put(datasource, Assignment(assignment.target, class_of_several(classes)), actor)


def remove(datasource: DataSource, target: Target, *, actor: str) -> None:
    with transaction.atomic():
        _lock(datasource)
        found = _find(datasource, target)
        if found is None:
            raise ClassificationError(
                f"{target} has no class of its own on {datasource.name}.",
                f"List what is classified: classify {datasource.name} --list",
            )
        found.delete()
        _record(datasource, target, None, found.data_class, actor)


def told_mask(datasource: DataSource, assignment: Assignment) -> str:
    """The mask that stands for the column unless a policy says otherwise, for whoever put the class there. Of a place inside
    JSON it is what text there is masked with."""
    target, data_class = assignment.target, BUILT_IN[assignment.data_class]
    relation = store.current(datasource).relations.get((target.schema, target.relation))
    column = relation.column(target.column) if relation else None
    if column is None or target.path:
        return data_class.mask
    fits = mask_that_fits(column, data_class.name, data_class.mask)
    if fits == data_class.mask:
        return fits
    return f"{fits}, since {data_class.mask} does not fit type {column.type}"


_propagated: dict[int, tuple[tuple[object, ...], Classes]] = {}


def classes_of(datasource: DataSource, catalogue: Catalogue | None = None, versions: Versions | None = None) -> Classes:
    """By relation, then column; parents, children and partitions share the classes of columns that they share.

    Kept decoded in this process. One small SELECT, unless `versions` tells, finds out whether anything has changed.
    """
    versions = versions or in_force(datasource)
    catalogue = catalogue or store.current(datasource, versions)
    marker = (catalogue.version, versions.classes)
    known = _propagated.get(datasource.pk)
    if known is None or known[0] != marker:
        known = _propagated[datasource.pk] = (
            marker,
            propagate(catalogue, _direct(Classification.objects.filter(datasource=datasource))),
        )
    return known[1]


def shown_classes_of(datasource: DataSource, catalogue: Catalogue | None = None) -> Classes:
    """Those of `classes_of`, and for plain views the classes of what their columns are made from."""
    catalogue = catalogue or store.current(datasource)
    effective = classes_of(datasource, catalogue)
    derived = derived_classes(catalogue, effective)
    return {name: {**derived.get(name, {}), **effective.get(name, {})} for name in {*derived, *effective}}


def _direct(rows: Iterable[Classification]) -> Mapping[RelationName, Mapping[str, str]]:
    direct: dict[RelationName, dict[str, str]] = {}
    for row in rows:
        direct.setdefault((row.schema, row.relation), {})[place_key(row.column, row.path)] = row.data_class
    return direct


def _folded(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _known_classes() -> str:
    return f"Classes: {', '.join(ASSIGNABLE)}."


def _check(datasource: DataSource, catalogue: Catalogue, assignment: Assignment) -> None:
    target = assignment.target
    if assignment.data_class not in ASSIGNABLE:
        raise ClassificationError(f"There is no class {assignment.data_class!r}.", _known_classes())
    relation = catalogue.relations.get((target.schema, target.relation))
    if relation is None:
        raise ClassificationError(
            f"{datasource.name} has no relation {target.schema}.{target.relation}.",
            f"Check the name; if the relation is new, synchronise first: datasource sync {datasource.name}",
        )
    column = relation.column(target.column)
    if column is None:
        names = ", ".join(column.name for column in relation.columns[:50])
        raise ClassificationError(f"{relation.qualified} has no column {target.column}.", f"Columns: {names}.")
    if is_ambiguous(target.column):
        raise ClassificationError(
            f"The name of {target.column!r} holds ':$', which begins a place inside a column: it cannot be classified.",
            "Rename the column, or read its relation through a view that gives it another name, and classify that.",
        )
    if target.path and family_of(column) is not Family.JSON:
        raise ClassificationError(
            f"{target} names a place inside a column of type {column.type}; only json and jsonb have places.",
            f"Classify the whole column: {relation.qualified}.{target.column}={assignment.data_class}",
        )


def _lock(datasource: DataSource) -> None:
    """One change of classes at a time, so that the ledger's `previous` is what was there before."""
    change()
    DataSource.objects.select_for_update(no_key=True).get(pk=datasource.pk)


def _find(datasource: DataSource, target: Target) -> Classification | None:
    return Classification.objects.filter(
        datasource=datasource,
        schema=target.schema,
        relation=target.relation,
        column=target.column,
        path=target.path,
    ).first()


def _put(datasource: DataSource, assignment: Assignment, actor: str) -> Classification:
    target = assignment.target
    found = _find(datasource, target)
    if found and found.data_class == assignment.data_class:
        return found
    if found:
        found.delete()
    created = Classification.objects.create(
        datasource=datasource,
        schema=target.schema,
        relation=target.relation,
        column=target.column,
        path=target.path,
        data_class=assignment.data_class,
        created_by=actor,
    )
    _record(datasource, target, assignment.data_class, found.data_class if found else None, actor)
    return created


def _record(datasource: DataSource, target: Target, data_class: str | None, previous: str | None, actor: str) -> None:
    ledger.append_within(
        "classification.changed",
        actor=actor,
        datasource=datasource.name,
        environment=datasource.environment,
        relations=[f"{target.schema}.{target.relation}"],
        column=str(target),
        data_class=data_class,
        previous=previous,
    )
