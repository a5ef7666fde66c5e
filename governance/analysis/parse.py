"""Text to one parse tree, by PostgreSQL's own parser (libpg_query through pglast). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pglast import ast, fingerprint, parse_sql, scan
from pglast.parser import ParseError

from governance.errors import Unreadable

MAX_CHARACTERS = 200_000
# A tree this deep could exhaust Python's stack while it is walked; the deepest statement of TPC-H nests 4 levels.
MAX_BRACKETS = 150
# `1+1+1+…` nests without brackets, one level each; libpg_query's tree of about 30,000 overflows the stack of the process.
MAX_CHAIN = 5000
# pglast turns byte places into character places in time that grows with non-ASCII characters times tokens: 20 million take
# about a third of a second, during which the process does nothing else.
MAX_MAPPING = 20_000_000
WORDS = re.compile(r"\w+|[^\w\s]")
CONSTANTS = frozenset({"SCONST", "USCONST", "BCONST", "XCONST", "ICONST", "FCONST"})
COMMENTS = frozenset({"C_COMMENT", "SQL_COMMENT"})
FLAT = (
    CONSTANTS | COMMENTS | {"IDENT", "UIDENT", "PARAM", "ASCII_46", "ASCII_59", "AND", "OR"}  # AND and OR come as lists
)
OPENING = frozenset({"ASCII_40", "ASCII_91"})
CLOSING = frozenset({"ASCII_41", "ASCII_93"})


@dataclass(frozen=True, slots=True)
class Token:
    """`start` and `end` are character offsets, `end` exclusive."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Parsed:
    sql: str
    statement: ast.Node
    tokens: tuple[Token, ...]
    fingerprint: str
    normal: str


def parse(sql: str) -> Parsed:
    """Raises `Unreadable` for anything but exactly one statement of PostgreSQL."""
    tokens = _scan(sql)
    trees = _trees(sql)
    if not trees:
        raise Unreadable("The statement is empty.", remedy="Send one SQL statement.", place=0)
    if len(trees) > 1:
        raise Unreadable(
            f"The text holds {len(trees)} statements; each is decided and run alone.",
            remedy="Send the statements one at a time.",
            place=trees[1].stmt_location,
        )
    return Parsed(sql, trees[0].stmt, tokens, fingerprint(sql), normalise(sql, tokens))


def _scan(sql: str) -> tuple[Token, ...]:
    if len(sql) > MAX_CHARACTERS:
        raise Unreadable(
            f"The statement has {len(sql):,} characters; {MAX_CHARACTERS:,} are read at most.",
            remedy="Send values as parameters, or split the statement.",
        )
    if "\x00" in sql:
        raise Unreadable("The statement holds a NUL character.", remedy="Remove it.", place=sql.index("\x00"))
    if not sql.isascii():
        _bound_mapping(sql)
    try:
        sql.encode()
        tokens = tuple(Token(token.name, token.start, token.end + 1) for token in scan(sql))
    except UnicodeEncodeError as error:
        raise Unreadable("The statement is not valid Unicode text.", place=error.start) from error
    except ParseError as error:
        raise _unreadable(error) from error
    _bound(tokens)
    return tokens


def _bound_mapping(sql: str) -> None:
    foreign = sum(not character.isascii() for character in sql)
    if foreign * sum(1 for _ in WORDS.finditer(sql)) > MAX_MAPPING:
        raise Unreadable(
            f"The statement has {foreign:,} characters outside ASCII among too many words to be read in good time.",
            remedy="Send texts as parameters ($1, $2, …); their characters do not count.",
        )


def _bound(tokens: tuple[Token, ...]) -> None:
    """Refuses what would nest too deeply before it is parsed: no error can be caught once the stack has overflowed."""
    levels = [[0, 0]]  # of each open bracket: the chain since the last comma, and the longest before it
    for token in tokens:
        if token.name in OPENING:
            levels.append([0, 0])
        elif token.name in CLOSING:
            inner = max(levels.pop()) if len(levels) > 1 else 0
            levels[-1][0] += inner
        elif token.name == "ASCII_44":
            levels[-1] = [0, max(levels[-1])]
        elif token.name not in FLAT:
            levels[-1][0] += 1
        if len(levels) > MAX_BRACKETS + 1:
            raise Unreadable(
                f"The statement nests more than {MAX_BRACKETS} brackets.", remedy="Simplify it.", place=token.start
            )
        if levels[-1][0] > MAX_CHAIN:
            raise Unreadable(
                f"The statement chains more than {MAX_CHAIN:,} operators.",
                remedy="Split it, or send the values as an array parameter.",
                place=token.start,
            )


def _trees(sql: str) -> tuple[Any, ...]:
    try:
        return tuple(parse_sql(sql))
    except ParseError as error:
        raise _unreadable(error) from error
    except RecursionError as error:
        raise Unreadable("The statement is nested too deeply to be read.", remedy="Simplify it.") from error


def _unreadable(error: ParseError) -> Unreadable:
    message = str(error.args[0]) if error.args else "syntax error"
    place = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else None
    return Unreadable(
        f"PostgreSQL's parser refused the text: {message}.",
        remedy="Correct the SQL; nothing was run.",
        place=place,
    )


def normalise(sql: str, tokens: tuple[Token, ...]) -> str:
    """The text without comments and with `?` for each constant: what may be shown where values may not."""
    pieces: list[str] = []
    end = 0
    for token in tokens:
        if token.name in COMMENTS or token.name in CONSTANTS:
            pieces.append(sql[end : token.start])
            pieces.append(" " if token.name in COMMENTS else "?")
            end = token.end
    pieces.append(sql[end:])
    return "".join(pieces).strip().rstrip(";").rstrip()
