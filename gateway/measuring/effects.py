"""What the counts of a trial run mean: what carried each change on, and which triggers fired. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from approvals.impact.content import Cause, Change, Fired
from gateway.measuring.trial import Counted
from governance.analysis.analyse import Analysis, Script
from governance.analysis.facts import Clause, Facts, Use
from governance.catalogue.model import Catalogue, ForeignKey, Relation, RelationName, Trigger

EVENTS = {"insert": "inserted", "update": "updated", "delete": "deleted"}


def targets_of(script: Script) -> tuple[RelationName, ...]:
    """What the text itself writes, also in the functions in SQL that it calls, in the order in which it names them."""
    found = {(target.relation.schema, target.relation.name): None for one in _all(script) for target in one.targets}
    if not found:
        uses = (Use.DEFINE, Use.TRUNCATE)
        found = {(use.schema, use.name): None for use in script.facts.relations if use.use in uses}
    return tuple(found)


def _all(script: Script) -> Iterator[Analysis]:
    waiting = list(script.statements)
    while waiting:
        one = waiting.pop(0)
        yield one
        waiting += [body for bodies in one.bodies.values() for body in bodies]


def changes_of(counted: Iterable[Counted], script: Script) -> tuple[Change, ...]:
    """What the statement names first, then what it carries with it; the most rows first."""
    counts = {one.relation: one for one in counted}
    named = frozenset(targets_of(script))
    found = [
        Change(*name, one.inserted, one.updated, one.deleted, cause=_cause(name, counts, named, script.catalogue))
        for name, one in counts.items()
    ]
    order: list[Cause] = ["statement", "partition", "foreign-key", "trigger"]
    return tuple(sorted(found, key=lambda change: (order.index(change.cause), -change.rows, change.qualified)))


def _cause(
    name: RelationName, counts: dict[RelationName, Counted], named: frozenset[RelationName], catalogue: Catalogue
) -> Cause:
    relation = catalogue.relations.get(name)
    if name in named or relation is None:
        return "statement"
    if not named.isdisjoint(_above(relation, catalogue)):
        return "partition"
    for key in relation.foreign_keys:
        if (parent := counts.get(key.target)) and _carries(key, parent, counts[name]):
            return "foreign-key"
    return "trigger"


def _above(relation: Relation, catalogue: Catalogue) -> set[RelationName]:
    found: set[RelationName] = set()
    waiting = [*relation.parents]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += parent.parents if (parent := catalogue.relations.get(name)) else ()
    return found


def _carries(key: ForeignKey, parent: Counted, child: Counted) -> bool:
    if parent.deleted and ((key.on_delete == "c" and child.deleted) or (key.on_delete in "nd" and child.updated)):
        return True
    return bool(parent.updated and key.on_update in "cnd" and child.updated)


def triggers_of(changes: Iterable[Change], facts: Facts, catalogue: Catalogue) -> tuple[Fired, ...]:
    """The user's own that fired. One with WHEN is told as conditional: for which rows it held, nobody counted."""
    set_columns: dict[RelationName, set[str]] = {}
    for use in facts.columns:
        if use.clause is Clause.WRITE:
            set_columns.setdefault((use.schema, use.relation), set()).add(use.column)
    found: dict[Fired, None] = {}
    for change in changes:
        relation = catalogue.relations.get((change.schema, change.name))
        written = set_columns.get((change.schema, change.name)) if change.cause == "statement" else None
        for trigger in relation.triggers if relation else ():
            if events := _events(trigger, change, written):
                fired = Fired(change.qualified, trigger.name, trigger.timing, events, bool(trigger.definition))
                found[fired] = None
    return tuple(found)


def _events(trigger: Trigger, change: Change, written: set[str] | None) -> tuple[str, ...]:
    """`written`: the columns that the statement sets, None where that is not known."""
    if change.cause == "partition" and not trigger.per_row:
        return ()
    happened = [event for event, counted in EVENTS.items() if event in trigger.events and getattr(change, counted)]
    if trigger.columns and written is not None and written.isdisjoint(trigger.columns):
        happened = [event for event in happened if event != "update"]
    return tuple(happened)
