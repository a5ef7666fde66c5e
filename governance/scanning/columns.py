"""Which columns of a relation are looked at, and what is found in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from governance.catalogue.model import Catalogue, Column, Relation
from governance.classes import place_key
from governance.masking.types import Family
from governance.scanning.documents import EACH, path_text, values_by_path
from governance.scanning.evidence import Finding, Subject, judge
from governance.scanning.sampling import Sample, scan_family
from governance.scanning.validators import Detector


@dataclass(frozen=True, slots=True)
class Found:
    """`path` is empty for the whole column."""

    column: Column
    path: str
    finding: Finding


def columns_to_scan(catalogue: Catalogue, relation: Relation, classified: Mapping[str, str]) -> list[Column]:
    """Those that nobody has classified yet, and that no parent has as well: what the parent's get, they get."""
    parents = [parent for name in relation.parents if (parent := catalogue.relations.get(name))]
    return [
        column
        for column in relation.columns
        if column.name not in classified and not any(parent.column(column.name) for parent in parents)
    ]


def findings_in(
    relation: Relation,
    columns: Iterable[Column],
    sample: Sample,
    classified: Mapping[str, str],
    detectors: Sequence[Detector],
) -> Iterator[Found]:
    keys = _key_columns(relation)
    for column in columns:
        family = scan_family(column)
        if family is Family.JSON:
            yield from _in_documents(relation, column, sample.documents.get(column.name, []), classified, detectors)
            continue
        values = _values(sample, column.name, family)
        subject = Subject(column.name, relation.name, family, values, column.name in keys)
        if finding := judge(subject, detectors):
            yield Found(column, "", finding)


def _key_columns(relation: Relation) -> set[str]:
    single = {name for key in relation.keys if len(key) == 1 for name in key}
    return single | {name for key in relation.foreign_keys for name in key.columns}


def _values(sample: Sample, name: str, family: Family) -> list[str]:
    if family is not Family.ARRAY:
        return sample.values.get(name, [])
    found = values_by_path(sample.documents.get(name, []))
    return [str(value) for steps, values in found.items() if set(steps) <= {EACH} for value in values]


def _in_documents(
    relation: Relation,
    column: Column,
    documents: Sequence[str],
    classified: Mapping[str, str],
    detectors: Sequence[Detector],
) -> Iterator[Found]:
    for steps, values in values_by_path(documents).items():
        path = path_text(steps)
        if place_key(column.name, path) in classified:
            continue
        keys = [step for step in steps if step != EACH]
        name = keys[-1] if keys else column.name
        around = keys[-2] if len(keys) > 1 else column.name
        subject = Subject(name, f"{relation.name} {around}", _family(values), [str(value) for value in values])
        if finding := judge(subject, detectors):
            # The document itself, where it is nothing but a value.
            yield Found(column, path if steps else "", finding)


def _family(values: Iterable[str | int | float]) -> Family:
    kinds = {type(value) for value in values}
    if str in kinds or not kinds:
        return Family.TEXT
    return Family.INTEGER if kinds == {int} else Family.NUMBER
