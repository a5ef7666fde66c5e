"""What else happens when a relation is written: triggers, foreign keys, defaults, generated columns, checks, expressions of
indexes. What is computed for a row must be understood, or the write is not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pglast import ast

from governance.analysis.bodies import analyse, is_alone, written_out
from governance.analysis.builtins import SYSTEM_SCHEMAS
from governance.analysis.facts import Facts, RelationUse, Use
from governance.analysis.tree import descendants
from governance.analysis.triggers import NOT_CARRIED, fire, readable_call, run
from governance.catalogue.model import Catalogue, Relation, RelationKind, RelationName
from governance.errors import Unreadable

if TYPE_CHECKING:
    from governance.analysis.reader import Reader


def of_write(
    reader: Reader,
    relation: Relation,
    use: Use,
    place: int | None,
    *,
    changed: frozenset[str] | None = None,
    node: ast.Node | None = None,
) -> None:
    """`changed`: the columns that an UPDATE sets, None where that is not known. `node`: the write, which tells whether
    defaults are computed; without it they may be."""
    key = (relation.schema, relation.name, use, changed)
    if is_alone() or key in reader.followed:
        return
    reader.followed.add(key)
    for member in concerned(reader.catalogue, relation, use):
        for event in _events(relation, use, changed):
            written = fire(reader, member, event, changed, place, own=member is relation)
            _go_on(reader, written, place)
        if use in (Use.UPDATE, Use.DELETE):
            _follow_foreign_keys(reader, member, use, changed, place)
        if use in (Use.INSERT, Use.UPDATE):
            _compute(reader, member, node, place)


def _go_on(reader: Reader, written: tuple[RelationUse, ...], place: int | None) -> None:
    for use in written:
        if target := reader.catalogue.relations.get((use.schema, use.name)):
            of_write(reader, target, use.use, place)


def of_truncate(reader: Reader, relation: Relation, place: int | None, *, cascade: bool) -> None:
    for member in () if is_alone() else concerned(reader.catalogue, relation, Use.TRUNCATE):
        key = (member.schema, member.name, Use.TRUNCATE, None)
        if key in reader.followed:
            continue
        reader.followed.add(key)
        reader.relations.add(RelationUse(member.schema, member.name, Use.TRUNCATE))
        _go_on(reader, fire(reader, member, Use.TRUNCATE, None, place, own=True), place)
        for child, _ in referencing(reader.catalogue, member) if cascade else ():
            reader.warn("cascade", f"TRUNCATE … CASCADE empties {child.qualified} as well.", place)
            of_truncate(reader, child, place, cascade=True)


# --- Who is concerned ---------------------------------------------------------------------------------------------


def _events(relation: Relation, use: Use, changed: frozenset[str] | None) -> tuple[Use, ...]:
    """An UPDATE of what a row is filed by moves it: PostgreSQL deletes it in one partition and inserts it in another."""
    if use is not Use.UPDATE or relation.kind is not RelationKind.PARTITIONED:
        return (use,)
    stays = changed is not None and not changed & relation.indexed and not relation.computed
    return (use,) if stays else (use, Use.DELETE, Use.INSERT)


def concerned(catalogue: Catalogue, relation: Relation, use: Use) -> Iterator[Relation]:
    """The relation, and those whose rows are rows of it. An INSERT goes on to partitions only."""
    yield relation
    if use is Use.INSERT and relation.kind is not RelationKind.PARTITIONED:
        return
    below = catalogue.once("children", lambda: _children(catalogue))
    waiting, seen = list(below.get((relation.schema, relation.name), ())), {(relation.schema, relation.name)}
    while waiting:
        name = waiting.pop()
        if name not in seen and (child := catalogue.relations.get(name)):
            seen.add(name)
            yield child
            waiting.extend(below.get(name, ()))


def _children(catalogue: Catalogue) -> dict[RelationName, list[RelationName]]:
    found: dict[RelationName, list[RelationName]] = {}
    for name, relation in catalogue.relations.items():
        for parent in relation.parents:
            found.setdefault(parent, []).append(name)
    return found


def referencing(catalogue: Catalogue, relation: Relation) -> list[tuple[Relation, int]]:
    """Relations with a foreign key on this one, and which of their keys it is."""
    found = catalogue.once("referencing", lambda: _referencing(catalogue))
    return found.get((relation.schema, relation.name), [])


def _referencing(catalogue: Catalogue) -> dict[RelationName, list[tuple[Relation, int]]]:
    found: dict[RelationName, list[tuple[Relation, int]]] = {}
    for relation in catalogue.relations.values():
        for place, key in enumerate(relation.foreign_keys):
            found.setdefault(key.target, []).append((relation, place))
    return found


def _follow_foreign_keys(
    reader: Reader, relation: Relation, use: Use, changed: frozenset[str] | None, place: int | None
) -> None:
    """Adds what ON DELETE and ON UPDATE actions write elsewhere."""
    for child, number in referencing(reader.catalogue, relation):
        key = child.foreign_keys[number]
        action = key.on_delete if use is Use.DELETE else key.on_update
        if action not in "cnd" or (use is Use.UPDATE and changed is not None and not changed & set(key.target_columns)):
            continue
        effect = Use.DELETE if use is Use.DELETE and action == "c" else Use.UPDATE
        reader.relations.add(RelationUse(child.schema, child.name, effect))
        message = f"A foreign key carries the change on to {child.qualified}."
        if not any(hazard.message == message for hazard in reader.hazards):
            reader.warn("cascade", message)
        set_default = ast.UpdateStmt(targetList=(ast.SetToDefault(),)) if action == "d" else ast.UpdateStmt()
        of_write(reader, child, effect, place, changed=frozenset(key.columns), node=set_default)


# --- What is computed for a row -----------------------------------------------------------------------------------


def _compute(reader: Reader, relation: Relation, node: ast.Node | None, place: int | None) -> None:
    what = f"what {relation.qualified} computes for its rows"
    always, defaults = reader.catalogue.once(
        ("computed", relation.schema, relation.name), lambda: _computed(relation, reader.catalogue)
    )
    for facts in always:
        join_effect(reader, facts, what, place)
    for facts in defaults if defaults and (node is None or _uses_defaults(node, relation)) else ():
        join_effect(reader, facts, what, place)


Computed = tuple[Facts | None, ...]


def _computed(relation: Relation, catalogue: Catalogue) -> tuple[Computed, Computed]:
    """For every row, and where a default is used. Only what is worth a word: nearly all of it is plain. None: one that
    cannot be read."""
    generated = [column.expression for column in relation.columns if column.generated]
    defaults = [column.expression for column in relation.columns if column.expression and not column.generated]
    return (
        _not_plain((*generated, *relation.checks, *relation.computed), catalogue),
        _not_plain(defaults, catalogue),
    )


def _not_plain(texts: Iterable[str], catalogue: Catalogue) -> Computed:
    found = [facts_of_expression(text, catalogue) for text in texts]
    return tuple(facts for facts in found if facts is None or not is_plain(facts))


def _uses_defaults(node: ast.Node, relation: Relation) -> bool:
    """Whether a write leaves out a column that has one, or names DEFAULT."""
    if isinstance(node, ast.InsertStmt):
        listed = {str(column.name) for column in node.cols or ()}
        if any(column.expression and column.name not in listed for column in relation.columns):
            return True
    return any(isinstance(inner, ast.SetToDefault) for inner in descendants(node))


def facts_of_expression(text: str, catalogue: Catalogue) -> Facts | None:
    """Of one that PostgreSQL wrote out, with every name qualified. None where it cannot be read."""
    try:
        return analyse(f"SELECT {text}", written_out(catalogue)).facts
    except Unreadable:
        return None


def is_plain(facts: Facts) -> bool:
    return not (facts.unknown or facts.relations or facts.hazards) and all(
        use.schema in SYSTEM_SCHEMAS for use in facts.functions
    )


def join_effect(reader: Reader, facts: Facts | None, what: str, place: int | None, *, is_call: bool = False) -> None:
    """What the schema has the database run. `is_call`: the statement asks for it, so that PL/pgSQL stays unread."""
    if facts is None:
        return reader.not_understood(what, "it cannot be read", place)
    reader.functions.update(facts.functions)
    reader.relations.update(facts.relations)
    reader.hazards += [hazard for hazard in facts.hazards if hazard.code not in NOT_CARRIED]
    for unknown in facts.unknown:
        called = () if is_call else readable_call(reader.catalogue, unknown.what)
        if not called:
            reader.not_understood(unknown.what, f"{unknown.why} (inside {what})", place, final=unknown.final)
        for function in called:
            _go_on(reader, run(reader, function, what, place, must_be_read=True), place)
    return None
