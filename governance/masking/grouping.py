"""GROUP BY a primary key lets PostgreSQL take the relation's other columns for granted, but only of a table (SELECT, "GROUP BY
Clause"). Over a masked sub-select they are added to the list: rows that agree in the key agree in them as well. Pure."""

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


def extend_groups(rewriting: Rewriting) -> None:
    if not rewriting.has_word("GROUP_P"):
        return
    replaced = {id(one.node): one for one in rewriting.analysis.occurrences if rewriting.needs(one.relation)}
    for query in queries_in(rewriting.analysis.parsed.statement) if replaced else ():
        grouped = query.groupClause or ()
        if not grouped or query.groupDistinct or any(isinstance(item, ast.GroupingSet) for item in grouped):
            continue
        columns = [column for item in grouped if isinstance(column := _meant(item, query), ast.ColumnRef)]
        added: list[tuple[str, str]] = []
        for item in from_items(query):
            occurrence = replaced.get(id(item))
            if occurrence is not None and _is_keyed(occurrence, columns):
                added += _dependent(occurrence, columns, query)
        if added:
            _add(query, added, rewriting)


def _meant(item: Any, query: Any) -> Any:
    """`GROUP BY 1` means the first output."""
    if not isinstance(item, ast.A_Const) or not isinstance(item.val, ast.Integer):
        return item
    outputs, number = query.targetList or (), int(item.val.ival or 0)
    return outputs[number - 1].val if 0 < number <= len(outputs) else item


def _is_keyed(occurrence: Occurrence, grouped: list[Any]) -> bool:
    keys = occurrence.relation.keys
    return bool(keys) and keys[0] <= {names(item.fields)[-1] for item in grouped if _is_own(item, occurrence)}


def _is_own(node: Any, occurrence: Occurrence) -> bool:
    """PostgreSQL refuses a bare name that could be two relations', so a name of this one's is taken for its column."""
    *qualifier, name = names(node.fields)
    return (not qualifier or qualifier[-1] == name_in(occurrence.node)) and occurrence.relation.column(name) is not None


def _dependent(occurrence: Occurrence, grouped: list[Any], query: Any) -> list[tuple[str, str]]:
    """(alias, column) of the relation's columns that the query shows, filters groups by or orders by."""
    alias = name_in(occurrence.node)
    used: set[str] = set()
    for part in (
        *(query.targetList or ()),
        query.havingClause,
        *(query.sortClause or ()),
        *(query.distinctClause or ()),
    ):
        for node in descendants(part) if isinstance(part, ast.Node) else ():
            if not isinstance(node, ast.ColumnRef):
                continue
            *qualifier, name = names(node.fields)
            if name == "*" and (not qualifier or qualifier[-1] == alias):
                used |= {column.name for column in occurrence.relation.columns}
            elif _is_own(node, occurrence):
                used.add(name)
    known = {names(item.fields)[-1] for item in grouped if _is_own(item, occurrence)}
    return [(alias, column) for column in sorted(used - known)]


def _add(query: Any, added: list[tuple[str, str]], rewriting: Rewriting) -> None:
    """Before the first column that is named: the place of an expression is its operator's, a constant has none."""
    number = next((number for number, item in enumerate(query.groupClause) if isinstance(item, ast.ColumnRef)), 0)
    item = query.groupClause[number]
    place = place_of(item) if isinstance(item, ast.ColumnRef) else None
    text = "".join(f"{quote_name(alias)}.{quote_name(column)}, " for alias, column in added)
    start = _after_by(rewriting) if place is None else place
    rewriting.edits.splice(start, start, text)
    rewriting.edits.becomes("SelectStmt", place or 0, partial(_grouped_by_more, number, added))


def _after_by(rewriting: Rewriting) -> int:
    tokens = rewriting.analysis.parsed.tokens
    found = [number for number, token in enumerate(tokens) if token.name == "GROUP_P"]
    if len(found) != 1 or tokens[found[0] + 2].name == "ALL":
        raise MaskingImpossible("GROUP BY could not be extended.", remedy="Name every output column in GROUP BY.")
    return tokens[found[0] + 2].start


def _grouped_by_more(number: int, added: list[tuple[str, str]], tree: Tree) -> list[Tree]:
    query = tree["SelectStmt"]
    more = [{"ColumnRef": {"fields": [{"String": {"sval": part}} for part in parts]}} for parts in added]
    grouped = [*query["groupClause"][:number], *more, *query["groupClause"][number:]]
    return [{"SelectStmt": query | {"groupClause": grouped}}]
