"""Relations in FROM (and in COPY and TABLE) give way to their masked sub-selects. Pure."""

from __future__ import annotations

from bisect import bisect_left
from functools import partial
from itertools import pairwise
from typing import Any

from pglast import ast

from governance.analysis.parse import Token
from governance.analysis.reader import Occurrence
from governance.analysis.tree import descendants, names, place_of
from governance.catalogue.model import RelationKind
from governance.masking import system_columns
from governance.masking.edits import Rewriting, StandIn, Tree
from governance.masking.errors import MaskingImpossible
from governance.masking.sources import name_of, source_of
from governance.masking.types import quote_name


def replace_relations(rewriting: Rewriting) -> None:
    statement: Any = rewriting.analysis.parsed.statement
    concerned = [one for one in rewriting.analysis.occurrences if rewriting.needs(one.relation)]
    if not concerned:
        return
    asked = system_columns.asked_of(rewriting, concerned)
    samples = samples_in(rewriting)
    for occurrence in concerned:
        extra = asked.get(id(occurrence.node), ())
        if isinstance(statement, ast.CopyStmt) and occurrence.node is statement.relation:
            _copy(occurrence, rewriting)
        elif sample := samples.get(id(occurrence.node)):
            _sampled(occurrence, sample, rewriting, extra)
        else:
            _replace(occurrence, rewriting, extra)


def _replace(occurrence: Occurrence, rewriting: Rewriting, extra: tuple[str, ...]) -> None:
    node, tokens = occurrence.node, rewriting.analysis.parsed.tokens
    start, end = span_of(node, tokens)
    source = rewriting.edits.stand_in(sub_select(occurrence, rewriting, extra))
    head, tail = "", "" if node.alias else f" AS {quote_name(node.relname)}"
    before = tokens[_index(start, tokens) - 1]
    if before.name == "TABLE":
        # `TABLE name` is short for SELECT * FROM name (PostgreSQL: SELECT, "TABLE Command").
        start, head = before.start, "SELECT * FROM "
    rewriting.edits.splice(start, end, f"{head}{source.text}{tail}", f"{head}{source.proof}{tail}")
    rewriting.edits.becomes("RangeVar", place_of(node) or 0, partial(_as_sub_select, source))


def sub_select(occurrence: Occurrence, rewriting: Rewriting, extra: tuple[str, ...] = (), sample: str = "") -> str:
    """A view is its own definition, rewritten; a table its columns, masked. `sample`: a TABLESAMPLE clause."""
    relation, plan = occurrence.relation, rewriting.plan
    inner = name_of(relation, with_children=bool(occurrence.node.inh)) + sample
    if relation.kind is RelationKind.VIEW and plan.lies_under(rewriting.analysis, relation):
        if sample:
            raise MaskingImpossible(f"{relation.qualified} is a view: only tables can be sampled.")
        view = rewriting.analysis.views[relation.schema, relation.name]
        definition = rewriting.rewrite(view, plan).strip().rstrip(";")
        if not plan.changes(relation):
            return f"({definition})"
        inner = f"({definition}) AS {quote_name(relation.name)}"
    return source_of(relation, plan, inner, rewriting.used_of(relation), extra)


def _as_sub_select(source: StandIn, tree: Tree) -> list[Tree]:
    name = tree["RangeVar"]
    return [_range_subselect(source, name.get("alias") or {"aliasname": name["relname"]})]


def _range_subselect(source: StandIn, alias: Tree) -> Tree:
    return {"RangeSubselect": {"subquery": source.tree, "alias": alias}}


# --- TABLESAMPLE --------------------------------------------------------------------------------------------------


def samples_in(rewriting: Rewriting) -> dict[int, Any]:
    """The sampling node by the `id()` of the relation's node that it samples."""
    if not rewriting.has_word("TABLESAMPLE"):
        return {}
    found = descendants(rewriting.analysis.parsed.statement)
    return {id(node.relation): node for node in found if isinstance(node, ast.RangeTableSample)}


def _sampled(occurrence: Occurrence, sample: Any, rewriting: Rewriting, extra: tuple[str, ...]) -> None:
    """`t AS x TABLESAMPLE m (n)` becomes `(SELECT … FROM t TABLESAMPLE m (n)) AS x`: only relations can be sampled."""
    node, tokens = occurrence.node, rewriting.analysis.parsed.tokens
    start, _ = span_of(node, tokens)
    word = _next(tokens, _index(start, tokens), "TABLESAMPLE")
    last = _closing(tokens, _next(tokens, word, "ASCII_40"))
    if last + 1 < len(tokens) and tokens[last + 1].name == "REPEATABLE":
        last = _closing(tokens, last + 2)
    if any(not isinstance(part, ast.A_Const | ast.Integer | ast.Float) for part in _arguments(sample)):
        raise MaskingImpossible("TABLESAMPLE takes only numbers here.", remedy="Write the percentage as a number.")
    clause = " " + rewriting.analysis.parsed.sql[tokens[word].start : tokens[last].end]
    source = rewriting.edits.stand_in(sub_select(occurrence, rewriting, extra, clause))
    alias = node.alias.aliasname if node.alias else node.relname
    listed = f"({', '.join(map(quote_name, names(node.alias.colnames)))})" if node.alias and node.alias.colnames else ""
    tail = f" AS {quote_name(alias)}{listed}"
    rewriting.edits.splice(start, tokens[last].end, source.text + tail, source.proof + tail)
    rewriting.edits.becomes("RangeTableSample", place_of(node) or 0, partial(_as_sampled, source))


def _arguments(sample: Any) -> list[ast.Node]:
    given = [*(sample.args or ()), *([sample.repeatable] if sample.repeatable else [])]
    return [part for argument in given for part in descendants(argument)]


def _as_sampled(source: StandIn, tree: Tree) -> list[Tree]:
    name = tree["RangeTableSample"]["relation"]["RangeVar"]
    return [_range_subselect(source, name.get("alias") or {"aliasname": name["relname"]})]


# --- COPY ---------------------------------------------------------------------------------------------------------


def _copy(occurrence: Occurrence, rewriting: Rewriting) -> None:
    """`COPY t (a, b) TO …` becomes `COPY (SELECT a, b FROM (SELECT …) AS t) TO …`. COPY leaves out the rows of children
    and generated columns (PostgreSQL: COPY, "Notes"), and so does this."""
    statement: Any = rewriting.analysis.parsed.statement
    node, relation, tokens = occurrence.node, occurrence.relation, rewriting.analysis.parsed.tokens
    listed = names(statement.attlist) or tuple(column.name for column in relation.columns if not column.generated)
    if relation.kind is RelationKind.VIEW and rewriting.plan.lies_under(rewriting.analysis, relation):
        source = sub_select(occurrence, rewriting)
    else:
        inner = name_of(relation, with_children=relation.kind is not RelationKind.TABLE)
        source = source_of(relation, rewriting.plan, inner)
    stand_in = rewriting.edits.stand_in(
        f"(SELECT {', '.join(map(quote_name, listed))} FROM {source} AS {quote_name(relation.name)})"
    )
    start, end = span_of(node, tokens)
    if statement.attlist:
        end = tokens[_closing(tokens, _next(tokens, _index(start, tokens), "ASCII_40"))].end
    rewriting.edits.splice(start, end, stand_in.text, stand_in.proof)
    rewriting.edits.whole_becomes(partial(_copy_of_query, stand_in))


def _copy_of_query(source: StandIn, tree: Tree) -> list[Tree]:
    kept = {name: value for name, value in tree["CopyStmt"].items() if name not in ("relation", "attlist")}
    return [{"CopyStmt": kept | {"query": source.tree}}]


# --- Places in the text -------------------------------------------------------------------------------------------


def span_of(node: Any, tokens: tuple[Token, ...]) -> tuple[int, int]:
    """The characters of a relation's name, with ONLY before it and the old `*` after it."""
    place = place_of(node)
    first = _index(place or 0, tokens)
    if place is None or first >= len(tokens) or tokens[first].start != place:
        raise MaskingImpossible("The place of a relation in the statement was not found.")
    last = first + 2 * sum(part is not None for part in (node.catalogname, node.schemaname))
    start, end = tokens[first].start, tokens[last].end
    following = tokens[last + 1].name if last + 1 < len(tokens) else ""
    if following == "ASCII_42":
        end = tokens[last + 1].end
    if not node.inh:
        before = tokens[first - 1]
        if before.name == "ASCII_40":
            before, end = tokens[first - 2], tokens[last + 1].end
        start = before.start
    return start, end


def _index(place: int, tokens: tuple[Token, ...]) -> int:
    return bisect_left(tokens, place, key=lambda token: token.start)


def _next(tokens: tuple[Token, ...], number: int, name: str) -> int:
    while number < len(tokens) and tokens[number].name != name:
        number += 1
    return number


def _closing(tokens: tuple[Token, ...], opening: int) -> int:
    """The number of the bracket that closes the one with this number."""
    depth = 0
    for number in range(opening, len(tokens)):
        depth += {"ASCII_40": 1, "ASCII_41": -1}.get(tokens[number].name, 0)
        if depth == 0:
            return number
    raise MaskingImpossible("The end of a part of the statement was not found.")


# --- Qualified columns --------------------------------------------------------------------------------------------


def drop_schemas(rewriting: Rewriting) -> None:
    """`schema.table.column` loses its schema: a sub-select has none."""
    tokens = rewriting.analysis.parsed.tokens
    dots = [number for number, token in enumerate(tokens) if token.name == "ASCII_46"]
    if all(after - before != 2 for before, after in pairwise(dots)):
        return
    replaced = {
        (one.relation.schema, one.relation.name)
        for one in rewriting.analysis.occurrences
        if rewriting.needs(one.relation)
    }
    for node in descendants(rewriting.analysis.parsed.statement) if replaced else ():
        if not isinstance(node, ast.ColumnRef) or len(node.fields or ()) != 3:
            continue
        place = place_of(node)
        if names(node.fields)[:2] in replaced and place is not None:
            rewriting.edits.splice(place, tokens[_index(place, tokens) + 2].start, "")
            rewriting.edits.becomes("ColumnRef", place, _without_schema)


def _without_schema(tree: Tree) -> list[Tree]:
    return [{"ColumnRef": {"fields": tree["ColumnRef"]["fields"][1:]}}]
