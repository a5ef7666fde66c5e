"""Puts masked sub-selects in the place of relations. Pure.

Places come from the parse tree, never from a search in the text; the new text is then parsed again and compared with the
tree that was meant. Whatever a splice gets wrong (a syntax nobody thought of) ends as a refusal, not as a leak.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError

from governance.analysis.analyse import Analysis
from governance.analysis.parse import Token
from governance.analysis.reader import Occurrence
from governance.analysis.tree import descendants, names, place_of, same_tree
from governance.catalogue.model import Relation, RelationKind
from governance.masking.errors import MaskingImpossible
from governance.masking.masks import masked_value
from governance.masking.plan import MaskPlan
from governance.masking.types import quote_name


@dataclass(frozen=True, slots=True)
class Splice:
    """`text` for the characters from `start` to `end`; `node` of the old tree becomes `becomes`."""

    start: int
    end: int
    text: str
    node: ast.Node
    becomes: ast.Node


def rewrite(analysis: Analysis, plan: MaskPlan) -> str:
    """The statement with every masked relation replaced. Raises `MaskingImpossible`."""
    if not plan.concerns(analysis):
        return analysis.parsed.sql
    try:
        return _rewrite(analysis, plan)
    except RecursionError as error:
        raise MaskingImpossible("The statement is nested too deeply to be masked.", remedy="Simplify it.") from error


def _rewrite(analysis: Analysis, plan: MaskPlan) -> str:
    splices = [
        _replace(occurrence, analysis, plan)
        for occurrence in analysis.occurrences
        if _needs(occurrence, analysis, plan)
    ]
    replaced = {occurrence.relation for occurrence in analysis.occurrences if _needs(occurrence, analysis, plan)}
    splices += _unqualify(analysis, replaced)
    text = analysis.parsed.sql
    for splice in sorted(splices, key=lambda splice: splice.start, reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    _prove(analysis, splices, text)
    return text


def _needs(occurrence: Occurrence, analysis: Analysis, plan: MaskPlan) -> bool:
    return bool(plan.of(occurrence.relation)) or plan.lies_under(analysis, occurrence.relation)


def _replace(occurrence: Occurrence, analysis: Analysis, plan: MaskPlan) -> Splice:
    start, end = _span(occurrence.node, analysis.parsed.tokens)
    source = _source(occurrence.node, occurrence.relation, analysis, plan)
    text = source
    if occurrence.node.alias is None:
        text = f"{source} AS {quote_name(occurrence.node.relname)}"
    subselect = _parse_from(f"SELECT * FROM {source} AS x")
    alias = occurrence.node.alias or ast.Alias(aliasname=occurrence.node.relname)
    becomes = ast.RangeSubselect(lateral=False, subquery=subselect.subquery, alias=alias)
    return Splice(start, end, text, occurrence.node, becomes)


def _source(node: Any, relation: Relation, analysis: Analysis, plan: MaskPlan) -> str:
    """The sub-select: a view is its own definition, rewritten; a table its columns, masked."""
    masks = plan.of(relation)
    inner = f"{'' if node.inh else 'ONLY '}{quote_name(relation.schema)}.{quote_name(relation.name)}"
    if relation.kind is RelationKind.VIEW and plan.lies_under(analysis, relation):
        definition = rewrite(analysis.views[relation.schema, relation.name], plan).strip().rstrip(";")
        if not masks:
            return f"({definition})"
        inner = f"({definition}) AS {quote_name(relation.name)}"
    columns = ", ".join(_column(relation, name, plan) for name in (column.name for column in relation.columns))
    return f"(SELECT {columns} FROM {inner})"


def _column(relation: Relation, name: str, plan: MaskPlan) -> str:
    mask = plan.of(relation).get(name)
    if mask is None:
        return quote_name(name)
    column = relation.column(name)
    if column is None:
        raise MaskingImpossible(f"{relation.qualified} has no column {name} to mask.")
    return f"{masked_value(column, (mask,), quote_name(name))} AS {quote_name(name)}"


def _span(node: Any, tokens: tuple[Token, ...]) -> tuple[int, int]:
    """The characters of a relation's name, with ONLY before it and the old `*` after it."""
    place = place_of(node)
    first = bisect_left(tokens, place or 0, key=lambda token: token.start)
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


def _unqualify(analysis: Analysis, replaced: set[Relation]) -> list[Splice]:
    """`schema.table.column` loses its schema: a sub-select has none."""
    known = {(relation.schema, relation.name) for relation in replaced}
    splices = []
    for node in descendants(analysis.parsed.statement):
        if isinstance(node, ast.ColumnRef) and len(node.fields or ()) == 3 and names(node.fields)[:2] in known:
            tokens, place = analysis.parsed.tokens, place_of(node)
            first = bisect_left(tokens, place or 0, key=lambda token: token.start)
            if place is not None and first + 2 < len(tokens):
                becomes = ast.ColumnRef(fields=(node.fields or ())[1:])
                splices.append(Splice(place, tokens[first + 2].start, "", node, becomes))
    return splices


def _parse_from(sql: str) -> Any:
    return _parse_one(sql).fromClause[0]


def _parse_one(sql: str) -> Any:
    try:
        statements = parse_sql(sql)
    except ParseError as error:
        raise MaskingImpossible(
            "The statement's form does not let a relation be replaced by its masked rows.",
            remedy="Use a plain SELECT … FROM; leave out TABLE and TABLESAMPLE.",
        ) from error
    if len(statements) != 1:
        raise MaskingImpossible("The masked statement did not stay one statement.")
    return statements[0].stmt


def _prove(analysis: Analysis, splices: list[Splice], text: str) -> None:
    """The new text must parse to the old tree with exactly the intended replacements, and nothing else."""
    instead = {id(splice.node): splice.becomes for splice in splices}
    if len(instead) != len(splices) or not same_tree(analysis.parsed.statement, _parse_one(text), instead):
        raise MaskingImpossible(
            "The masked statement did not come out as meant.", remedy="Write it more plainly: SELECT … FROM … WHERE …."
        )
