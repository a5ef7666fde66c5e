"""What a write does with sensitive columns of the relation that it changes. Pure.

The target of a write cannot be replaced by a sub-select, so its columns are raw inside the statement: a sensitive one in a
condition, or as a source, is an oracle (`sensitive-in-write`, which policy parks); in RETURNING it would simply be shown.
A reference that might mean such a column counts as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pglast import ast

from governance.analysis.analyse import Analysis
from governance.analysis.facts import Hazard
from governance.analysis.reader import Target
from governance.analysis.tree import children, names, place_of
from governance.catalogue.model import RelationName

# `*` without a qualifier; no column can have this name, for it is empty.
BARE_STAR = ""


def sensitive_write_hazards(
    analysis: Analysis, classes: Mapping[RelationName, Mapping[str, str]]
) -> tuple[Hazard, ...]:
    """One hazard for each sensitive column of a target that the statement reads."""
    hazards: dict[str, Hazard] = {}
    for target in analysis.targets:
        sensitive = classes.get((target.relation.schema, target.relation.name), {})
        for column, place in (*_uses(target, set(sensitive)), *_conflicts(target, set(sensitive))):
            if column in sensitive:
                shown = f"{target.relation.qualified}.{column}"
                message = (
                    f"The write reads the sensitive column {shown}: its effect can tell of values that are masked."
                )
            elif sensitive:
                shown, message = (
                    target.relation.qualified,
                    f"The write reads whole rows of {target.relation.qualified}.",
                )
            else:
                continue
            hazards.setdefault(shown, Hazard("sensitive-in-write", message, place))
    return tuple(hazards.values())


def returned_masked_columns(target: Target, masked: Mapping[str, object]) -> tuple[str, ...]:
    """The masked columns that RETURNING might show, `*` for whole rows."""
    clause = getattr(target.node, "returningClause", None)
    if clause is None or not masked:
        return ()
    found = (column for column, _ in _references(clause, target, set(masked), _other_aliases(target)))
    return tuple(sorted({"*" if column == BARE_STAR else column for column in found}))


def _uses(target: Target, sensitive: set[str]) -> Iterator[tuple[str, int | None]]:
    if not sensitive:
        return
    others = _other_aliases(target)
    # What an INSERT takes its rows from cannot refer to the target, only read it as any other relation: masked.
    for child in children(target.node, skip=("relation", "withClause", "returningClause", "cols", "selectStmt")):
        for found, place in _references(child, target, sensitive, others):
            # A bare `*` outside RETURNING means the FROM of its own sub-query, in which the target never stands.
            if found != BARE_STAR:
                yield found, place


def _conflicts(target: Target, sensitive: set[str]) -> Iterator[tuple[str, int | None]]:
    """ON CONFLICT without columns asks every unique index, also those over sensitive columns."""
    clause = getattr(target.node, "onConflictClause", None)
    if clause is None or (clause.infer is not None and clause.infer.conname is None):
        return
    inserted = {str(column.name) for column in getattr(target.node, "cols", None) or ()}
    for column in sorted(sensitive & inserted if inserted else sensitive):
        yield column, place_of(clause)


def _other_aliases(target: Target) -> set[str]:
    """Names of other relations in the statement: a reference qualified with one of them is not the target's."""
    aliases: set[str] = set()
    for node in _within(target.node, skip=("relation",)):
        if isinstance(node, ast.RangeVar):
            aliases.add(str(node.alias.aliasname if node.alias else node.relname))
        elif isinstance(node, (ast.RangeSubselect, ast.RangeFunction)) and node.alias:
            aliases.add(str(node.alias.aliasname))
    # An alias deep in a sub-query may be called `old` as well: what can be the target's own row is never another's.
    return aliases - _row_names(target)


def _references(
    node: ast.Node, target: Target, sensitive: set[str], others: set[str]
) -> Iterator[tuple[str, int | None]]:
    for one in _within(node):
        if isinstance(one, ast.InferClause):
            for element in one.indexElems or ():
                if element.name in sensitive:
                    yield element.name, place_of(one)
        if not isinstance(one, ast.ColumnRef):
            continue
        parts = names(one.fields)
        qualifier = parts[-2] if len(parts) > 1 else None
        if qualifier in others:
            continue
        whole_row = parts[-1] == "*" or (len(parts) == 1 and parts[0] in _row_names(target))
        if parts[-1] in sensitive or whole_row:
            yield (BARE_STAR if parts == ("*",) else "*" if whole_row else parts[-1]), place_of(one)


def _row_names(target: Target) -> set[str]:
    """Names that stand for a whole row of the target; `old`, `new` and `excluded` are rows of it as well."""
    renamed = {
        node.value for node in _within(target.node) if isinstance(node, ast.ReturningOption) and node.value is not None
    }
    return {target.alias, target.relation.name, "old", "new", "excluded"} | renamed


def _within(node: ast.Node, skip: tuple[str, ...] = ()) -> Iterator[ast.Node]:
    yield node
    for child in children(node, skip):
        yield from _within(child)
