"""Whether a change can be taken back exactly, and why not. Pure.

What is promised here must hold: the rows that the statement changes are all that it changes, each can be told by its key, and
writing them back brings back what was there. Where that is not certain, the answer is no.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast
from pglast.enums import OnConflictAction

from approvals.undo.taking import OldIsTaken, names_of_rows
from approvals.undo.values import Possible, Server, Undoable, Verb
from governance.analysis.analyse import Analysis, Script
from governance.analysis.builtins import FAMILIES, HARMLESS_VOLATILE, WRITES
from governance.analysis.effects import concerned, referencing
from governance.analysis.facts import WRITING_USES, Kind, Use
from governance.analysis.functions import candidates
from governance.analysis.keys import rows_by_key
from governance.analysis.occurrence import Target
from governance.analysis.triggers import HARMLESS_TRIGGERS, fires, read_trigger
from governance.catalogue.model import Catalogue, Relation, RelationKind, Trigger

# From this version on RETURNING shows a row before and after (PostgreSQL 18 release notes, E.1.3.3).
SHOWS_BOTH = 180000
# A target list holds 1,664 entries, and each column stands in it twice, beside what the statement returns itself.
MOST_COLUMNS = 600
REACH_OUTSIDE = frozenset({code for code, _, _ in FAMILIES} | {"side-effects", "program-execution"})
VERBS = {
    ast.InsertStmt: Verb.INSERT,
    ast.UpdateStmt: Verb.UPDATE,
    ast.DeleteStmt: Verb.DELETE,
    ast.MergeStmt: Verb.MERGE,
}
USES = {
    Verb.INSERT: (Use.INSERT,),
    Verb.UPDATE: (Use.UPDATE,),
    Verb.DELETE: (Use.DELETE,),
    Verb.MERGE: (Use.INSERT, Use.UPDATE, Use.DELETE),
}
INVERSE = {Use.INSERT: Use.DELETE, Use.UPDATE: Use.UPDATE, Use.DELETE: Use.INSERT}


class _No(Exception):
    """The reason, as a sentence."""


def possible(script: Script, server: Server) -> Possible:
    """`script`: the statement as it was asked for, analysed."""
    try:
        analysis, target, verb = _the_write(script)
        _check_reach(analysis, target)
        _check_relation(script.catalogue, target.relation, verb)
        undoable = Undoable(
            target.relation, target.alias, verb, _key_of(target.relation), _stored_columns(target.relation)
        )
        _check_columns(undoable, target)
        _check_server(analysis, undoable, target, server)
    except _No as no:
        return Possible(False, str(no))
    return Possible(True, undoable=undoable)


# --- The statement ------------------------------------------------------------------------------------------------


def _the_write(script: Script) -> tuple[Analysis, Target, Verb]:
    if script.facts.reads_only:
        raise _No("It changes no rows.")
    if len(script.statements) != 1:
        raise _No("It is several statements: only a single one can be taken back exactly.")
    analysis = script.statements[0]
    statement: Any = analysis.parsed.statement
    if analysis.facts.unknown:
        raise _No("It is not understood in full, so what it changes is not known.")
    beyond = analysis.facts.kinds - {Kind.READ, Kind.WRITE}
    verb = VERBS.get(type(statement))
    if beyond or verb is None:
        raise _No("It does more than insert, update or delete rows.")
    if len(analysis.targets) != 1 or analysis.targets[0].node is not statement:
        raise _No("It writes more than one relation.")
    if verb is Verb.INSERT and _updates_on_conflict(statement):
        verb = Verb.MERGE
    return analysis, analysis.targets[0], verb


def _updates_on_conflict(statement: Any) -> bool:
    clause = statement.onConflictClause
    return clause is not None and clause.action == OnConflictAction.ONCONFLICT_UPDATE


def _check_reach(analysis: Analysis, target: Target) -> None:
    """Everything that it changes must be rows of the target."""
    facts, relation = analysis.facts, target.relation
    if "cascade" in facts.hazard_codes:
        raise _No("A foreign key carries the change on to rows that are not kept.")
    others = {use.qualified for use in facts.relations if use.use in WRITING_USES} - {relation.qualified}
    if others:
        raise _No(f"It also changes {', '.join(sorted(others))}.")
    if any(body.targets for bodies in analysis.bodies.values() for body in bodies):
        raise _No("A function that it calls changes rows as well.")
    if outside := facts.hazard_codes & REACH_OUTSIDE:
        raise _No(f"It reaches outside of its rows ({', '.join(sorted(outside))}).")
    by_trigger = {trigger.function for member in _members(analysis.catalogue, relation) for trigger in member.triggers}
    for use in facts.functions:
        name = (use.schema, use.name)
        built_in = use.schema == "pg_catalog" and use.name in HARMLESS_VOLATILE | WRITES
        if use.volatility in ("i", "s") or built_in or name in by_trigger or name in analysis.bodies:
            continue
        raise _No(f"It calls {use.schema}.{use.name}(), which may do more than compute.")


# --- The relation -------------------------------------------------------------------------------------------------


def _members(catalogue: Catalogue, relation: Relation) -> list[Relation]:
    return list(concerned(catalogue, relation, Use.UPDATE))


def _check_relation(catalogue: Catalogue, relation: Relation, verb: Verb) -> None:
    for member in _members(catalogue, relation):
        if member.kind not in (RelationKind.TABLE, RelationKind.PARTITIONED):
            raise _No(f"{member.qualified} is not a table of this database.")
        if member.row_security:
            raise _No(f"Row-level security decides which rows of {member.qualified} can be seen.")
        if member.has_rules:
            raise _No(f"{member.qualified} has rewrite rules.")
        if member is not relation and relation.kind is RelationKind.TABLE:
            raise _No(f"{member.qualified} inherits from {relation.qualified}: no key holds for the rows of both.")
        _check_triggers(catalogue, member, verb)
    if Use.INSERT in USES[verb]:
        _check_deleting_again(catalogue, relation)


def _events(relation: Relation, verb: Verb) -> frozenset[Use]:
    """An UPDATE can move a row from one partition to another, which is a DELETE and an INSERT there."""
    moves = verb is Verb.UPDATE and (relation.kind is RelationKind.PARTITIONED or relation.parents)
    return frozenset(USES[Verb.MERGE] if moves else USES[verb])


def _check_triggers(catalogue: Catalogue, relation: Relation, verb: Verb) -> None:
    """Those that the statement fires, and those that the undo would."""
    events = _events(relation, verb)
    back = frozenset(INVERSE[use] for use in events)
    for trigger in relation.triggers:
        if not any(fires(trigger, use, None) for use in events | back):
            continue
        shown = f"the trigger {trigger.name} of {relation.qualified}"
        if _does_more(catalogue, trigger):
            raise _No(f"It fires {shown}, or its undo would, and that does more than look at the row.")
        touches = trigger.timing == "before" and trigger.per_row and trigger.function[1] not in HARMLESS_TRIGGERS
        if touches and any(fires(trigger, use, None) for use in back):
            raise _No(f"Its undo would fire {shown}, which may change what is written back.")


def _does_more(catalogue: Catalogue, trigger: Trigger) -> bool:
    found = candidates(catalogue, *trigger.function)
    fired = [read_trigger(function, catalogue) for function in found]
    return not found or any(
        one.opaque or one.writes or one.calls or REACH_OUTSIDE & {hazard.code for hazard in one.hazards}
        for one in fired
    )


def _check_deleting_again(catalogue: Catalogue, relation: Relation) -> None:
    for member in _members(catalogue, relation):
        for child, number in referencing(catalogue, member):
            if child.foreign_keys[number].on_delete in "cnd":
                raise _No(f"Its undo deletes rows, and a foreign key would carry that on to {child.qualified}.")


# --- Keys and columns ---------------------------------------------------------------------------------------------


def _key_of(relation: Relation) -> tuple[str, ...]:
    for key in relation.keys:
        columns = [column for column in relation.columns if column.name in key]
        if columns and all(column.not_null and not column.generated for column in columns):
            return tuple(column.name for column in columns)
    raise _No(f"{relation.qualified} has no key that tells its rows: none that is unique and never NULL.")


def _stored_columns(relation: Relation) -> Any:
    columns = tuple(column for column in relation.columns if not column.generated)
    if len(columns) > MOST_COLUMNS:
        raise _No(f"{relation.qualified} has {len(columns)} columns; {MOST_COLUMNS} can be kept.")
    return columns


def _check_columns(undoable: Undoable, target: Target) -> None:
    """What tells rows apart must not change in many of them at once: in which order they change back decides whether two are
    alike for a moment, which PostgreSQL refuses."""
    relation, statement = undoable.relation, target.node
    given = list(_assigned(statement))
    assigned = {str(one.name) for one in given}
    unique = frozenset[str]().union(*relation.keys)
    single = isinstance(statement, ast.UpdateStmt) and _single_row(statement, target)
    if (changed := sorted(assigned & unique)) and not single:
        raise _No(f"It changes {', '.join(changed)}, by which rows are told apart, in more than one row.")
    for one in given:
        column = relation.column(str(one.name))
        if isinstance(one.val, ast.SetToDefault) and column and column.not_null and not column.expression:
            raise _No(f"It gives {column.name} its next identity value, which only the database can set.")


def _single_row(statement: Any, target: Target) -> bool:
    return rows_by_key(statement.whereClause, target.relation, target.alias) == 1


def _assigned(statement: Any) -> Iterator[Any]:
    """The assignments of an UPDATE, of ON CONFLICT DO UPDATE, and of MERGE's updates."""
    if isinstance(statement, ast.UpdateStmt):
        yield from statement.targetList or ()
    elif isinstance(statement, ast.InsertStmt) and statement.onConflictClause is not None:
        yield from statement.onConflictClause.targetList or ()
    elif isinstance(statement, ast.MergeStmt):
        for clause in statement.mergeWhenClauses or ():
            yield from () if clause.values is not None else clause.targetList or ()


# --- The server ---------------------------------------------------------------------------------------------------


def _check_server(analysis: Analysis, undoable: Undoable, target: Target, server: Server) -> None:
    if server.lacks:
        raise _No(
            f"The role that statements run as lacks {', '.join(server.lacks)} on {undoable.relation.qualified},"
            " which taking the rows or putting them back needs."
        )
    if server.version < SHOWS_BOTH and undoable.verb is Verb.MERGE:
        raise _No("Rows that are inserted and changed at once can be kept from PostgreSQL 18 on only.")
    if server.version < SHOWS_BOTH and undoable.verb is Verb.UPDATE:
        _check_earlier_look(analysis, undoable, target)
    elif undoable.verb in (Verb.UPDATE, Verb.MERGE):
        try:
            names_of_rows(target.node)
        except OldIsTaken:
            raise _No("It uses OLD or NEW both for a relation and for the row before or after the change.") from None


def _check_earlier_look(analysis: Analysis, undoable: Undoable, target: Target) -> None:
    """Before PostgreSQL 18 the rows are looked up by the same condition before the change, and matched by their key."""
    if keys := {str(one.name) for one in _assigned(target.node)} & set(undoable.key):
        raise _No(f"It changes the key ({', '.join(sorted(keys))}), which can be followed from PostgreSQL 18 on only.")
    if any(use.volatility == "v" and use.schema == "pg_catalog" for use in analysis.facts.functions):
        raise _No("It calls a function that gives another value each time; PostgreSQL 18 is needed to keep its rows.")
