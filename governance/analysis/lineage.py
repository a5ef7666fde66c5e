"""What the columns of a result are made from, followed through views down to what is stored. Pure.

A materialised view is stored, so a lineage ends at its columns, as it does at those of a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from governance.analysis.analyse import Analysis
from governance.analysis.ranges import ALL, NOTHING, Lineage, Output, Source, computed, either
from governance.catalogue.model import RelationKind, RelationName

ByColumn = Mapping[str, Lineage]
_Known = dict[int, ByColumn]


def outputs_of(analysis: Analysis) -> tuple[Output, ...]:
    """The columns of its result, in order; of a statement that returns no rows, none."""
    return tuple(
        output._replace(lineage=stored(analysis, output.lineage)) if analysis.views else output
        for output in analysis.columns.outputs
    )


def stored(analysis: Analysis, lineage: Lineage, known: _Known | None = None) -> Lineage:
    """The same with columns of views replaced by what these are made from. `known` keeps what was found of each view."""
    if not analysis.views or not lineage.sources:
        return lineage
    known = {} if known is None else known
    parts = [_stored_source(analysis, source, known) for source in lineage.sources]
    return either(parts) if lineage.copied else computed(parts)


def _stored_source(analysis: Analysis, source: Source, known: _Known) -> Lineage:
    schema, name, column = source
    view = analysis.views.get((schema, name))
    if view is None or _is_stored(analysis, (schema, name)):
        return Lineage(frozenset({source}), True)
    columns = _columns_of_view(analysis, view, (schema, name), known)
    if column in columns:
        return columns[column]
    return computed(columns.values())


def _is_stored(analysis: Analysis, name: RelationName) -> bool:
    kinds = {o.relation.kind for o in analysis.occurrences if (o.relation.schema, o.relation.name) == name}
    return RelationKind.MATERIALIZED_VIEW in kinds


def _columns_of_view(analysis: Analysis, view: Analysis, name: RelationName, known: _Known) -> ByColumn:
    if id(view) not in known:
        names = [
            [column.name for column in occurrence.relation.columns]
            for occurrence in analysis.occurrences
            if (occurrence.relation.schema, occurrence.relation.name) == name
        ]
        known[id(view)] = columns_by_name(view, names[0] if names else (), known)
    return known[id(view)]


def columns_by_name(analysis: Analysis, names: Iterable[str], known: _Known | None = None) -> ByColumn:
    """What the columns of a view are made from, by the names that the catalogue gives them. Where the two do not fit
    together, each may be anything that the view reads."""
    known = {} if known is None else known
    outputs = [output._replace(lineage=stored(analysis, output.lineage, known)) for output in analysis.columns.outputs]
    listed = list(names)
    if len(listed) != len(outputs) or any(output.many for output in outputs):
        read = Lineage(frozenset((use.schema, use.relation, use.column) for use in analysis.facts.columns), False)
        return dict.fromkeys([*listed, ALL], stored(analysis, read, known) if read.sources else NOTHING)
    return {name: output.lineage for name, output in zip(listed, outputs, strict=True)}
