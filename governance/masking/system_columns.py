"""`ctid`, `xmin` and their like are carried through a masked sub-select when a statement asks for them, only then. Pure.

A sub-select that carries one has a column more than the relation. So that `*` stays what it was, it is written out as the
columns of the relation wherever both are used.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from pglast import ast

from governance.analysis.reader import Occurrence
from governance.analysis.tree import descendants, names, place_of
from governance.masking.edits import Rewriting, Tree
from governance.masking.errors import MaskingImpossible
from governance.masking.levels import from_items, name_in, queries_in
from governance.masking.types import quote_name

# PostgreSQL documentation, 5.6.
SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


def asked_of(rewriting: Rewriting, concerned: list[Occurrence]) -> dict[int, tuple[str, ...]]:
    """The system columns that each occurrence has to carry, by the `id()` of its node."""
    sql = rewriting.analysis.parsed.sql.lower()
    if not any(name in sql for name in SYSTEM_COLUMNS) and 'u&"' not in sql:
        return {}
    found: dict[int, tuple[str, ...]] = {}
    for query in queries_in(rewriting.analysis.parsed.statement):
        items = from_items(query)
        for occurrence in (one for one in concerned if any(one.node is item for item in items)):
            own = {column.name for column in occurrence.relation.columns}
            asked = {
                column
                for qualifier, column in _references(rewriting)
                if column in SYSTEM_COLUMNS - own and qualifier in ("", name_in(occurrence.node))
            }
            if asked:
                found[id(occurrence.node)] = tuple(sorted(asked))
                _write_stars_out(query, items, occurrence, rewriting)
    return found


def _references(rewriting: Rewriting) -> set[tuple[str, str]]:
    """(qualifier or empty, name) of all columns in the statement: a sub-query may ask for a column of the outer one."""
    references = set()
    for query in queries_in(rewriting.analysis.parsed.statement):
        for node in _column_refs(query):
            parts = names(node.fields)
            references.add((parts[-2] if len(parts) > 1 else "", parts[-1]))
    return references


def _column_refs(query: Any) -> list[Any]:
    return [node for node in descendants(query) if isinstance(node, ast.ColumnRef)]


def _write_stars_out(query: Any, items: list[Any], occurrence: Occurrence, rewriting: Rewriting) -> None:
    alias = name_in(occurrence.node)
    if occurrence.node.alias and occurrence.node.alias.colnames:
        raise MaskingImpossible(
            f"System columns of {alias} cannot be carried under a list of new column names.",
            remedy="Leave the list of names out.",
        )
    expanded: list[Any] = [
        target
        for target in query.targetList or ()
        if isinstance(target, ast.ResTarget) and _is_star_of(target.val, alias)
    ]
    stars = {id(target.val) for target in expanded}
    for node in _column_refs(query):
        parts = names(node.fields)
        whole = _is_star_of(node, alias) or parts == (alias,)
        if whole and id(node) not in stars:
            raise MaskingImpossible(
                f"Whole rows of {alias} cannot be combined with its system columns.", remedy="Name the columns."
            )
    for target in expanded:
        if len(names(target.val.fields)) == 1 and len(items) != 1:
            raise MaskingImpossible(
                "`*` over several relations cannot be combined with system columns of a masked one.",
                remedy="Name the columns.",
            )
        columns = [column.name for column in occurrence.relation.columns]
        place = place_of(target) or 0
        text = ", ".join(f"{quote_name(alias)}.{quote_name(column)}" for column in columns)
        end = _end_of_star(place, rewriting)
        rewriting.edits.splice(place, end, text)
        rewriting.edits.becomes("ResTarget", place, partial(_listed, alias, columns))


def _is_star_of(node: Any, alias: str) -> bool:
    if not isinstance(node, ast.ColumnRef):
        return False
    parts = names(node.fields)
    return parts[-1] == "*" and (len(parts) == 1 or parts[-2] == alias)


def _end_of_star(place: int, rewriting: Rewriting) -> int:
    return next(
        token.end for token in rewriting.analysis.parsed.tokens if token.start >= place and token.name == "ASCII_42"
    )


def _listed(alias: str, columns: list[str], _tree: Tree) -> list[Tree]:
    return [
        {"ResTarget": {"val": {"ColumnRef": {"fields": [{"String": {"sval": part}} for part in (alias, column)]}}}}
        for column in columns
    ]
