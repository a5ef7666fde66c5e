"""Which columns get values from classified columns that are not masked for whoever asks: a copy carries its classes. Pure.

Masked values need no class. A value is followed by its lineage; what cannot be followed counts as computed from all that the
statement reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pglast import ast

from governance.analysis.analyse import Analysis
from governance.analysis.columns import Written
from governance.analysis.facts import Use
from governance.analysis.lineage import stored
from governance.analysis.overlay import TEMPORARY
from governance.analysis.ranges import ALL, Lineage, Source
from governance.catalogue.model import RelationName
from governance.catalogue.propagate import Classes, class_of_several, classes_of_value
from governance.classes import split_place
from governance.masking.errors import MaskingImpossible
from governance.masking.plan import MaskPlan

Copied = Mapping[RelationName, Mapping[str, str]]
Value = tuple[RelationName, str, Lineage]


def copied_classes(analysis: Analysis, classes: Classes, plan: MaskPlan) -> Copied:
    """By relation and place, the classes that its columns need from now on and do not have yet. The relation may not exist
    before the statement has run. `classes`: of all that it touches.

    Raises `MaskingImpossible` where columns that would need a class cannot be named.
    """
    unmasked = _without_masked(classes, plan)
    found: dict[RelationName, dict[str, str]] = {}
    if not unmasked:
        return found
    _check_form(analysis)
    for name, column, lineage in _values(analysis):
        wanted = classes_of_value(column, lineage, unmasked)
        if wanted and column == ALL:
            raise _not_told(name)
        for place, data_class in _needed(wanted, column, classes.get(name, {})).items():
            known = found.setdefault(name, {})
            known[place] = class_of_several({data_class, known.get(place, data_class)})
    return found


def _needed(wanted: Mapping[str, str], column: str, there: Mapping[str, str]) -> dict[str, str]:
    """What the classes that are there already do not cover. One of the whole column covers the places inside it."""
    needed = {}
    for place, data_class in wanted.items():
        at = column if column in there else place
        strictest = class_of_several({data_class, there.get(at, data_class)})
        if strictest != there.get(at):
            needed[at] = strictest
    return needed


def _check_form(analysis: Analysis) -> None:
    statement: Any = analysis.parsed.statement
    if isinstance(statement, ast.CreateTableAsStmt) and isinstance(statement.query, ast.ExecuteStmt):
        made: Any = statement.into
        raise _not_told((made.rel.schemaname or "", made.rel.relname))


def _not_told(name: RelationName) -> MaskingImpossible:
    return MaskingImpossible(
        f"It cannot be told which columns of {'.'.join(filter(None, name))} get values of sensitive columns.",
        remedy="Name the columns of the query one by one, without a function's row among them.",
    )


def _without_masked(classes: Classes, plan: MaskPlan) -> Classes:
    left: dict[RelationName, dict[str, str]] = {}
    for name, places in classes.items():
        masks = plan.masks.get(name, {})
        shown = {place: of for place, of in places.items() if not _is_masked(place, masks)}
        if shown:
            left[name] = shown
    return left


def _is_masked(place: str, masks: Mapping[str, tuple[object, ...]]) -> bool:
    column, path = split_place(place)
    return any(getattr(mask, "path", "") in ("", path) for mask in masks.get(column, ()))


def _values(analysis: Analysis) -> list[Value]:
    """Each column that is written, with what it gets, down to what is stored."""
    found: list[Value] = []
    for written in analysis.columns.written:
        name = _name_of(written, analysis)
        for output in written.columns:
            column = ALL if output.many else output.name
            lineage = stored(analysis, output.lineage)
            # What a column gets of itself is under its class already.
            found.append((name, column, lineage._replace(sources=lineage.sources - {(*name, column)})))
    return found + _written_by_functions(analysis)


def _name_of(written: Written, analysis: Analysis) -> RelationName:
    """A temporary relation ends with its transaction, but the rest of the text may copy on from it."""
    if written.relation is not None:
        return (written.relation.schema, written.relation.name)
    made: Any = written.node
    if made.rel.relpersistence == "t":
        return (TEMPORARY, made.rel.relname)
    defined = [use for use in analysis.facts.relations if use.use is Use.DEFINE and use.name == made.rel.relname]
    return (defined[0].schema, defined[0].name) if defined else ((made.rel.schemaname or ""), made.rel.relname)


def _written_by_functions(analysis: Analysis) -> list[Value]:
    """What a function in SQL writes may come from its arguments: from all that the statement reads."""
    bodies = [body for statements in analysis.bodies.values() for body in statements]
    if not bodies:
        return []
    read = frozenset[Source]((use.schema, use.relation, use.column) for use in analysis.facts.columns)
    anything = stored(analysis, Lineage(read, False))
    return [
        (name, column, Lineage(anything.sources | lineage.sources, False))
        for body in bodies
        for name, column, lineage in _values(body)
    ]
