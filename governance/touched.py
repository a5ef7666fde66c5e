"""Which classes of data a statement touches, and which of them whoever asks may meet unmasked. Pure.

For the record, so in doubt a class is named: of a view, all that its body reads counts, whatever part of it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from governance.analysis.facts import Clause, Facts, Use
from governance.analysis.ranges import ALL
from governance.catalogue.model import RelationName
from governance.classes import split_place
from governance.policy.decision import Decision, Verdict

Classes = Mapping[RelationName, Mapping[str, str]]
# Whatever is in the columns goes or changes, although no column is named.
_WHOLE = frozenset({Use.DELETE, Use.TRUNCATE, Use.DEFINE})


@dataclass(frozen=True, slots=True)
class Touched:
    """`unmasked`: of these, raw values take part in what is shown. Each in the order of the alphabet."""

    classes: tuple[str, ...] = ()
    unmasked: tuple[str, ...] = ()


NOTHING = Touched()


def touched_classes(facts: Facts, classes: Classes, decision: Decision) -> Touched:
    """`classes`: of the relations that the statement touches, by place (`column` or `column:$.path`)."""
    if not classes:
        return NOTHING
    read, used = _columns(facts)
    masked = {(mask.schema, mask.relation, mask.column, mask.path) for mask in decision.obligations.masks}
    denied = decision.verdict is Verdict.DENY
    touched, unmasked = set(), set()
    for relation, places in classes.items():
        for place, data_class in places.items():
            column, path = split_place(place)
            if _holds(used, relation, column):
                touched.add(data_class)
            if not denied and _holds(read, relation, column) and (*relation, column, path) not in masked:
                unmasked.add(data_class)
    return Touched(tuple(sorted(touched)), tuple(sorted(unmasked)))


_Columns = Mapping[RelationName, set[str]]


def _columns(facts: Facts) -> tuple[_Columns, _Columns]:
    """Those that are read, and those that are read or written. Who writes a value has not been shown one."""
    read: dict[RelationName, set[str]] = {}
    used: dict[RelationName, set[str]] = {}
    for use in facts.columns:
        relation = (use.schema, use.relation)
        used.setdefault(relation, set()).add(use.column)
        if use.clause is not Clause.WRITE:
            read.setdefault(relation, set()).add(use.column)
    for one in facts.relations:
        if one.use in _WHOLE:
            used.setdefault((one.schema, one.name), set()).add(ALL)
    return read, used


def _holds(columns: _Columns, relation: RelationName, column: str) -> bool:
    found = columns.get(relation, ())
    return column in found or ALL in found
