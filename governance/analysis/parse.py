"""Text to parse trees, by PostgreSQL's own parser (libpg_query through pglast). Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from pglast import ast, fingerprint, parse_sql, scan, split
from pglast.parser import ParseError

from governance.errors import Unreadable

MAX_CHARACTERS = 200_000
MAX_STATEMENTS = 100
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
LEFT_OUT = {**dict.fromkeys(CONSTANTS, "?"), **dict.fromkeys(COMMENTS, " ")}
FLAT = (
    CONSTANTS | COMMENTS | {"IDENT", "UIDENT", "PARAM", "ASCII_46", "ASCII_59", "AND", "OR"}  # AND and OR come as lists
)
OPENING = frozenset({"ASCII_40", "ASCII_91"})
CLOSING = frozenset({"ASCII_41", "ASCII_93"})


SEMICOLON = "ASCII_59"


class Token(NamedTuple):
    """`start` and `end` are character offsets, `end` exclusive."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """One statement. All places in it are places in `sql`, which begins at `start` of the text that it was sent in."""

    sql: str
    statement: ast.Node
    tokens: tuple[Token, ...]
    fingerprint: str
    normal: str
    start: int = 0


def parse(sql: str) -> Parsed:
    """Raises `Unreadable` for anything but exactly one statement of PostgreSQL."""
    statements = parse_script(sql)
    if len(statements) > 1:
        raise Unreadable(
            f"The text holds {len(statements)} statements where one is expected.",
            remedy="Send the statements one at a time.",
            place=statements[1].start,
        )
    return statements[0]


def parse_script(sql: str) -> tuple[Parsed, ...]:
    """The statements of a text, in order; empty ones are left out. Raises `Unreadable`."""
    tokens = _scan(sql)
    parts = _split(sql) if _may_hold_several(tokens) else []
    if len(parts) > MAX_STATEMENTS:
        raise Unreadable(
            f"The text holds {len(parts)} statements; {MAX_STATEMENTS} are read at most.",
            remedy="Send them in several texts.",
            place=parts[MAX_STATEMENTS].start,
        )
    if len(parts) > 1:
        return tuple(_part(sql, part, tokens) for part in parts)
    trees = _trees(sql)
    if not trees:
        raise Unreadable("The statement is empty.", remedy="Send at least one SQL statement.", place=0)
    return (Parsed(sql, trees[0].stmt, tokens, fingerprint(sql), normalise(sql, tokens)),)


def _may_hold_several(tokens: Iterable[Token]) -> bool:
    ended = False
    for token in tokens:
        if token.name == SEMICOLON:
            ended = True
        elif ended and token.name not in COMMENTS:
            return True
    return False


def _split(sql: str) -> list[slice]:
    try:
        return list(split(sql, only_slices=True))
    except ParseError as error:
        raise _unreadable(error) from error


def _part(sql: str, part: slice, tokens: tuple[Token, ...]) -> Parsed:
    start, text = part.start, sql[part]
    first = bisect_left(tokens, start, key=lambda token: token.start)
    last = bisect_left(tokens, start + len(text), key=lambda token: token.start)
    own = tuple(Token(name, begin - start, end - start) for name, begin, end in tokens[first:last])
    return Parsed(text, _trees(text)[0].stmt, own, fingerprint(text), normalise(text, own), start)


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
        tokens = tuple([Token(name, start, end + 1) for start, end, name, _ in scan(sql)])
    except UnicodeEncodeError as error:
        raise Unreadable("The statement is not valid Unicode text.", place=error.start) from error
    except ParseError as error:
        raise _unreadable(error) from error
    # The walk is long, and most texts are too short to nest or chain so far.
    if len(tokens) > MAX_CHAIN or sql.count("(") + sql.count("[") > MAX_BRACKETS:
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
    done = 0
    for name, start, end in tokens:
        if name in LEFT_OUT:
            pieces.append(sql[done:start])
            pieces.append(LEFT_OUT[name])
            done = end
    pieces.append(sql[done:])
    return "".join(pieces).strip().rstrip(";").rstrip()
