"""What a statement does with sensitive columns besides showing them. Pure.

The target of a write cannot be replaced by a sub-select, so its columns are raw inside the statement: a sensitive one in a
condition, or as a source, is an oracle (`sensitive-in-write`, which policy parks). What merely reads meets masks in its
filters, joins, orders and groups; for who may see the values it is told (`sensitive-in-filter`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from governance.analysis.analyse import Analysis
from governance.analysis.facts import Clause, Hazard, Kind
from governance.analysis.lineage import stored
from governance.analysis.ranges import ALL, Lineage, Source
from governance.analysis.reader import Target
from governance.analysis.tree import place_of
from governance.catalogue.model import RelationName
from governance.classes import split_place

Classes = Mapping[RelationName, Mapping[str, str]]
STEERING = frozenset({Clause.FILTER, Clause.JOIN, Clause.ORDER, Clause.GROUP})


def sensitive_hazards(analysis: Analysis, classes: Classes) -> tuple[Hazard, ...]:
    """One hazard for each sensitive column that the statement uses so. `classes`: of the relations that it touches."""
    if not classes:
        return ()
    return sensitive_write_hazards(analysis, classes) + _filter_hazards(analysis, classes)


def sensitive_write_hazards(analysis: Analysis, classes: Classes) -> tuple[Hazard, ...]:
    """Of the columns of its targets that a write reads; those that a function in SQL writes are targets as well."""
    hazards: dict[str, Hazard] = {}
    for target in analysis.targets:
        sensitive = _columns(classes.get((target.relation.schema, target.relation.name), {}))
        for column, place in _read_raw(analysis, target, sensitive) if sensitive else ():
            shown = target.relation.qualified if column == ALL else f"{target.relation.qualified}.{column}"
            message = (
                f"The write reads whole rows of {shown}."
                if column == ALL
                else f"The write reads the sensitive column {shown}: its effect can tell of values that are masked."
            )
            hazards.setdefault(shown, Hazard("sensitive-in-write", message, place))
    own = tuple(hazards.values())
    inner = [body for statements in analysis.bodies.values() for body in statements]
    # A place inside a body means nothing in the text of the statement.
    called = (Hazard(one.code, one.message) for body in inner for one in sensitive_write_hazards(body, classes))
    return (*own, *dict.fromkeys(one for one in called if one.message not in {known.message for known in own}))


def _read_raw(analysis: Analysis, target: Target, sensitive: frozenset[str]) -> Iterator[tuple[str, int | None]]:
    """The sensitive columns among those that the write reads; a write that was not followed may read whole rows."""
    read = analysis.columns.raw.get(id(target.node), {ALL: place_of(target.node)})
    yield from ((column, place) for column, place in read.items() if column == ALL or column in sensitive)
    yield from _conflicts(target, sensitive)


def _conflicts(target: Target, sensitive: frozenset[str]) -> Iterator[tuple[str, int | None]]:
    """ON CONFLICT without columns asks every unique index, also those over sensitive columns."""
    clause = getattr(target.node, "onConflictClause", None)
    if clause is None or (clause.infer is not None and clause.infer.conname is None):
        return
    inserted = {str(column.name) for column in getattr(target.node, "cols", None) or ()}
    for column in sorted(sensitive & inserted if inserted else sensitive):
        yield column, place_of(clause)


def _filter_hazards(analysis: Analysis, classes: Classes) -> tuple[Hazard, ...]:
    if not analysis.facts.kinds <= {Kind.READ}:
        return ()
    found: dict[str, Hazard] = {}
    for use in analysis.facts.columns:
        if use.clause in STEERING:
            source = (use.schema, use.relation, use.column)
            for shown in _sensitive_under(analysis, source, classes):
                message = f"The sensitive column {shown} decides what is read, in a {use.clause}."
                found.setdefault(shown, Hazard("sensitive-in-filter", message, _place(analysis, source)))
    return tuple(found.values())


def _sensitive_under(analysis: Analysis, source: Source, classes: Classes) -> list[str]:
    found = []
    for schema, relation, column in stored(analysis, Lineage(frozenset({source}), True)).sources:
        sensitive = _columns(classes.get((schema, relation), {}))
        if sensitive and (column == ALL or column in sensitive):
            found.append(f"{schema}.{relation}.{column}")
    return sorted(found)


def _place(analysis: Analysis, source: Source) -> int | None:
    """Where it is first used so; nowhere in this text when a view does it."""
    return next((place for sources, place in analysis.columns.places if source in sources), None)


def _columns(places: Mapping[str, str]) -> frozenset[str]:
    return frozenset(split_place(place)[0] for place in places)
