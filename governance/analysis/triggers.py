"""What triggers do, read from their functions. Pure.

A trigger belongs to the table, not to the statement, so one that cannot be read is the hazard `opaque-trigger` and not
unread: ordinary writes to tables with audit triggers must go on working. What a trigger reads is its own affair; what it
writes is a part of what the statement writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.analysis.bodies import analyse, read_body, written_out
from governance.analysis.facts import WRITING_USES, Facts, FunctionUse, Hazard, Kind, RelationUse, Use
from governance.analysis.functions import candidates, use_of
from governance.catalogue.model import Catalogue, Function, Relation, Trigger
from governance.errors import Unreadable

if TYPE_CHECKING:
    from governance.analysis.reader import Reader

# These say something of the queries of one body, or are told of the statement that fires it anyway.
NOT_CARRIED = frozenset({"unbounded-read", "cartesian-product", "row-lock", "fires-trigger", "cascade"})
# Only compute, though listed as volatile.
HARMLESS_TRIGGERS = frozenset(
    {"tsvector_update_trigger", "tsvector_update_trigger_column", "suppress_redundant_updates_trigger"}
)


@dataclass(frozen=True, slots=True)
class Fired:
    """What a trigger's function does, read once for each catalogue. `opaque`: why it could not be read."""

    uses: frozenset[FunctionUse] = frozenset()
    reads: tuple[str, ...] = ()
    writes: tuple[RelationUse, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    calls: tuple[Function, ...] = ()
    opaque: str = ""


def fire(
    reader: Reader, relation: Relation, use: Use, changed: frozenset[str] | None, place: int | None, *, own: bool
) -> tuple[RelationUse, ...]:
    """`own`: the relation is written itself, not as a part of another. Gives what the triggers write."""
    fired = [trigger for trigger in relation.triggers if fires(trigger, use, changed) and (own or trigger.per_row)]
    if not fired:
        return ()
    shown = ", ".join(trigger.name for trigger in fired[:5])
    reader.warn("fires-trigger", f"Writing {relation.qualified} fires triggers: {shown}.", place)
    written: list[RelationUse] = []
    for trigger in fired:
        if trigger.definition:
            _judge_condition(reader, relation, trigger, place)
        for function in candidates(reader.catalogue, *trigger.function):
            written += run(reader, function, f"the trigger {trigger.name} of {relation.qualified}", place)
    return tuple(written)


def fires(trigger: Trigger, use: Use, changed: frozenset[str] | None) -> bool:
    if use.value not in trigger.events:
        return False
    # A BEFORE trigger may change a column that the statement does not: PostgreSQL looks at the statement's alone.
    return use is not Use.UPDATE or not trigger.columns or changed is None or bool(changed & set(trigger.columns))


def run(
    reader: Reader, function: Function, what: str, place: int | None, *, must_be_read: bool = False
) -> tuple[RelationUse, ...]:
    """Joins what a function does to what is known of the statement. Gives what it writes, for the caller to follow."""
    key = ("function", function, must_be_read)
    if key in reader.followed:
        return ()
    reader.followed.add(key)
    fired = reader.catalogue.once(("fired", function), lambda: read_trigger(function, reader.catalogue))
    reader.functions |= fired.uses
    reader.hazards += [hazard for hazard in fired.hazards if hazard not in reader.hazards]
    if function.security_definer:
        reader.warn("security-definer", f"{function.qualified}() runs with its owner's rights.", place)
    if fired.opaque and must_be_read:
        reader.not_understood(f"{function.qualified}()", f"{fired.opaque} (inside {what})", place)
    elif fired.opaque:
        reader.warn("opaque-trigger", f"{function.qualified}(), which {what} runs, is not read: {fired.opaque}.", place)
    if fired.reads:
        shown = ", ".join(fired.reads[:5])
        message = f"{function.qualified}(), which {what} runs, reads {shown}: what it writes can tell of that."
        reader.warn("fires-trigger", message, place)
    reader.relations.update(fired.writes)
    further = [write for called in fired.calls for write in run(reader, called, what, place, must_be_read=must_be_read)]
    return (*fired.writes, *further)


def read_trigger(function: Function, catalogue: Catalogue) -> Fired:
    uses = frozenset({use_of(function)})
    if function.schema == "pg_catalog" and function.name in HARMLESS_TRIGGERS:
        return Fired(uses)
    if function.language not in ("plpgsql", "sql"):
        return Fired(uses, opaque=f"it is written in {function.language}")
    body = read_body(function, catalogue, alone=True)
    if body.problem:
        return Fired(uses, opaque=body.problem)
    return _together(uses, [analysis.facts for analysis in body.statements], catalogue)


def _together(uses: frozenset[FunctionUse], statements: list[Facts], catalogue: Catalogue) -> Fired:
    calls: dict[Function, None] = {}
    opaque = ""
    for facts in statements:
        beyond = facts.kinds - {Kind.READ, Kind.WRITE}
        if beyond:
            opaque = opaque or f"it does more than read and write ({', '.join(sorted(beyond))})"
        for unknown in facts.unknown:
            # A built-in function that is not harmless is told by its hazard.
            if called := readable_call(catalogue, unknown.what):
                calls.update(dict.fromkeys(called))
            elif not (unknown.what.startswith("pg_catalog.") and unknown.what.endswith("()")):
                opaque = opaque or f"{unknown.what}: {unknown.why}"
    return Fired(
        uses=uses.union(*(facts.functions for facts in statements)),
        reads=tuple(sorted({use.qualified for facts in statements for use in facts.relations if use.use is Use.READ})),
        writes=tuple(dict.fromkeys(use for facts in statements for use in facts.relations if use.use in WRITING_USES)),
        hazards=tuple(h for facts in statements for h in facts.hazards if h.code not in NOT_CARRIED),
        calls=tuple(calls),
        opaque=opaque,
    )


def readable_call(catalogue: Catalogue, what: str) -> tuple[Function, ...]:
    """The functions in PL/pgSQL that an unknown `schema.name()` means, where all of its overloads are."""
    schema, _, name = what.removesuffix("()").rpartition(".")
    found = candidates(catalogue, schema, name) if schema and what.endswith("()") else ()
    return found if found and all(f.language == "plpgsql" and f.body is not None for f in found) else ()


def _judge_condition(reader: Reader, relation: Relation, trigger: Trigger, place: int | None) -> None:
    facts = reader.catalogue.once(("when", trigger), lambda: _condition(trigger, reader.catalogue))
    problem = "its condition cannot be read" if facts is None else facts.unknown[0].why if facts.unknown else ""
    if facts is not None:
        reader.functions.update(facts.functions)
    if problem:
        message = f"The condition of the trigger {trigger.name} of {relation.qualified} is not read: {problem}."
        reader.warn("opaque-trigger", message, place)


def _condition(trigger: Trigger, catalogue: Catalogue) -> Facts | None:
    start = trigger.definition.rfind(" EXECUTE ")
    begin = trigger.definition.find(" WHEN (")
    if begin < 0 or start < begin:
        return None
    try:
        return analyse(f"SELECT {trigger.definition[begin + len(' WHEN ') : start]}", written_out(catalogue)).facts
    except Unreadable:
        return None
