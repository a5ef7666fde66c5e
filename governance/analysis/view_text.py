"""The query of a view that a text makes, as text that means the same wherever it is put. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError

from governance.analysis.parse import CLOSING, COMMENTS, OPENING, SEMICOLON, Parsed
from governance.analysis.reader import Occurrence
from governance.analysis.tree import place_of, same_tree


def definition_of(parsed: Parsed, aliases: tuple[str, ...], occurrences: Iterable[Occurrence]) -> str | None:
    """None where the query could not be told from the rest of the text with certainty; the view then stays unread."""
    node: Any = parsed.statement
    span = _span_of_query(parsed)
    if span is None or not _is_query(parsed.sql[slice(*span)], node.query):
        return None
    text = _qualified(parsed.sql, span, occurrences)
    if aliases:
        named = ", ".join(_quoted(alias) for alias in aliases)
        text = f"SELECT * FROM ({text}) AS {_quoted(str(node.view.relname))}({named})"  # noqa: S608 (from a parse tree)
    return text


def _span_of_query(parsed: Parsed) -> tuple[int, int] | None:
    """From after AS to the end, or to a WITH … CHECK OPTION there."""
    depth, start = 0, None
    for token in parsed.tokens:
        depth += (token.name in OPENING) - (token.name in CLOSING)
        if depth == 0 and token.name == "AS":
            start = token.end
            break
    if start is None:
        return None
    rest = [token for token in parsed.tokens if token.start >= start and token.name not in COMMENTS | {SEMICOLON}]
    if parsed.statement.withCheckOption:  # type: ignore[attr-defined]  # of a ViewStmt
        last = max((at for at, token in enumerate(rest) if token.name in ("WITH", "WITH_LA")), default=0)
        rest = rest[:last]
    return (start, rest[-1].end) if rest else None


def _is_query(text: str, query: ast.Node) -> bool:
    try:
        trees = parse_sql(text)
    except ParseError:
        return False
    return len(trees) == 1 and same_tree(trees[0].stmt, query)


def _qualified(sql: str, span: tuple[int, int], occurrences: Iterable[Occurrence]) -> str:
    """With the schema before every relation that has none: a later one of the same name must not take its place."""
    start, end = span
    text = sql[start:end]
    bare = {place_of(one.node): one.relation.schema for one in occurrences if one.node.schemaname is None}
    for place in sorted((place for place in bare if place is not None), reverse=True):
        text = f"{text[: place - start]}{_quoted(bare[place])}.{text[place - start :]}"
    return text.strip()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
