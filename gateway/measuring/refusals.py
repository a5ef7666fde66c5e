"""What is not tried out: whatever a rollback would not take back, or what would hurt others for longer than a moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from governance.analysis.analyse import Script
from governance.analysis.facts import Facts, Kind, Use
from governance.catalogue.model import Catalogue, Relation, RelationKind

HAZARDS = {
    "side-effects": "it calls a function with effects that a rollback does not take back",
    "opaque-trigger": "it fires a trigger whose function is not read, and could reach outside",
    "dynamic-sql": "it runs SQL that is put together from text",
    "file-access": "it reaches files of the server",
    "program-execution": "it runs a program on the server",
    "session-escape": "it changes what a session must leave alone",
}
KINDS = {
    Kind.OPAQUE: "it runs code that is not read",
    Kind.ADMIN: "it administers the server",
    Kind.TRANSACTION: "it steers its transaction itself",
}
DEFINING = frozenset({Kind.DDL, Kind.PRIVILEGE})
FOREIGN = "it reaches {}, which lies on another server: a rollback here does not reach there"


def why_not(script: Script) -> str:
    """Why the text must not be tried out; empty where it may be."""
    return next(_reasons(script.facts, script.catalogue), "")


def _reasons(facts: Facts, catalogue: Catalogue) -> Iterator[str]:
    if facts.outside_transaction:
        yield "PostgreSQL runs it only outside transactions, so it could not be rolled back"
    if facts.unknown:
        yield "it is not fully understood, so nobody can say what a rollback would leave behind"
    yield from (why for kind, why in KINDS.items() if kind in facts.kinds)
    yield from (why for code, why in HAZARDS.items() if code in facts.hazard_codes)
    yield from (FOREIGN.format(relation.qualified) for relation in _foreign(facts, catalogue))


def _foreign(facts: Facts, catalogue: Catalogue) -> Iterable[Relation]:
    """Among what it names, and among the partitions and children of that."""
    reached = {(use.schema, use.name) for use in facts.relations}
    for relation in catalogue.relations.values():
        if relation.kind is RelationKind.FOREIGN and _is_reached(relation, reached, catalogue):
            yield relation


def _is_reached(relation: Relation, reached: set[tuple[str, str]], catalogue: Catalogue) -> bool:
    waiting, seen = [relation], set[tuple[str, str]]()
    while waiting:
        one = waiting.pop()
        name = (one.schema, one.name)
        if name in reached:
            return True
        if name not in seen:
            seen.add(name)
            waiting += [parent for parent in map(catalogue.relations.get, one.parents) if parent]
    return False


def touched(facts: Facts, catalogue: Catalogue, most: int = 50) -> tuple[tuple[str, str], ...]:
    """What it writes or defines and is there already: those whose size says something."""
    names = dict.fromkeys((use.schema, use.name) for use in facts.relations if use.use not in (Use.READ, Use.LOCK))
    return tuple(name for name in names if name in catalogue.relations)[:most]
