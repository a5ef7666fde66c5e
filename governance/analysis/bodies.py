"""What functions of the database do, read from their bodies: SQL like a view's definition, PL/pgSQL by the statements in
it. Both are read once for each catalogue. Pure.

A body is resolved with its own search path where it has one, otherwise with the statement's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pglast import parse_plpgsql, split
from pglast.parser import ParseError

from governance.analysis.settings import harmless_to_set
from governance.catalogue.model import Catalogue, Function
from governance.errors import Unreadable

if TYPE_CHECKING:
    from governance.analysis.analyse import Analysis

MAX_DEPTH = 20
# What is kept with a catalogue under this key is the one that a function without a search path of its own sees.
CALLERS = "the caller's catalogue"
MAX_BODY = 100_000
_open: ContextVar[tuple[Function, ...]] = ContextVar("bodies that are being read", default=())
_alone: ContextVar[bool] = ContextVar("what the writes of a body bring about is not followed", default=False)

# Change how fast a function runs, not what it does.
PERFORMANCE = re.compile(
    r"\A(?:work_mem|jit.*|enable_.*|plan_cache_mode|max_parallel_.*|constraint_exclusion|parallel_.*)\Z"
)
NAME = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^\s",]+))\s*(?:,|\Z)')
# `target := expression` or `target = expression`, where the target is a name or a field and nothing is computed in it.
ASSIGNMENT = re.compile(
    r'\A\s*(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[^\W\d][\w$]*))*\s*:?=(?!=)(.*)\Z', re.DOTALL
)
STATEMENT, EXPRESSION, ASSIGNMENTS = 0, 2, frozenset({3, 4, 5})  # RawParseMode (src/include/parser/parser.h)
# What a PL/pgSQL tree is made of where all that it runs is in the text (src/pl/plpgsql/src/plpgsql.h).
READABLE = frozenset(
    """
    function rec var type row recfield expr stmt_block stmt_assign stmt_if if_elsif stmt_case case_when stmt_loop stmt_while
    stmt_fori stmt_fors stmt_forc stmt_foreach_a stmt_exit stmt_return stmt_return_next stmt_return_query stmt_raise
    raise_option stmt_assert stmt_execsql stmt_getdiag diag_item stmt_open stmt_fetch stmt_close stmt_perform
    exception_block exception condition
    """.split()
)


class NotRead(Exception):
    """The reason, in words that follow a function's name."""


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """`problem`: why it could not be read, empty where it was. What was not understood in it is in the facts."""

    statements: tuple[Analysis, ...] = ()
    problem: str = ""


def read_body(function: Function, catalogue: Catalogue, *, alone: bool = False) -> Body:
    """`alone`: what its writes bring about is left to the caller, who follows it."""
    if function in _open.get() or len(_open.get()) >= MAX_DEPTH:
        return Body(problem="it calls itself, or calls are nested too deeply")
    alone = alone or _alone.get()
    token = _alone.set(alone)
    try:
        seen = catalogue.once(CALLERS, lambda: catalogue)
        return seen.once(("body", function, alone), lambda: _read(function, seen))
    finally:
        _alone.reset(token)


def is_alone() -> bool:
    return _alone.get()


def _read(function: Function, catalogue: Catalogue) -> Body:
    token = _open.set((*_open.get(), function))
    try:
        inside = catalogue_inside(function, catalogue)
        return Body(tuple(analyse(text, inside) for text in texts_of(function)))
    except NotRead as error:
        return Body(problem=str(error))
    except Unreadable as error:
        return Body(problem=f"its body cannot be read: {error.message}")
    finally:
        _open.reset(token)


def analyse(text: str, catalogue: Catalogue) -> Analysis:
    """What is met inside a statement is a statement again: hence the import here, where it closes the circle."""
    from governance.analysis.analyse import analyse as analyse_statement

    found = analyse_statement(text, catalogue)
    if found.changes.concern_names():
        raise Unreadable("it makes or changes what the statements after it mean")
    return found


def catalogue_inside(function: Function, catalogue: Catalogue) -> Catalogue:
    """The catalogue as the body sees it. Raises `NotRead` where a setting of the function changes more than the path."""
    path: tuple[str, ...] | None = None
    for setting in function.settings:
        name, _, value = setting.partition("=")
        if name == "search_path":
            path = _path(value)
        elif not harmless_to_set(name, value) and not PERFORMANCE.match(name):
            raise NotRead(f"it sets {name}, which changes what its body does")
    seen = catalogue if path is None else catalogue.once(("path", path), lambda: replace(catalogue, search_path=path))
    return written_out(seen) if function.is_bound else seen


def written_out(catalogue: Catalogue) -> Catalogue:
    """For texts in which PostgreSQL wrote every name with its schema; what they call sees the search path as it was."""
    found = catalogue.once("written out", lambda: replace(catalogue, search_path=()))
    found.once(CALLERS, lambda: catalogue.once(CALLERS, lambda: catalogue))
    return found


def _path(value: str) -> tuple[str, ...]:
    found: list[str] = []
    end = 0
    while end < len(value):
        match = NAME.match(value, end)
        if match is None or match.end() == end:
            raise NotRead("its search path cannot be read")
        found.append(match[1].replace('""', '"') if match[1] is not None else match[2].lower())
        end = match.end()
    if "$user" in found:
        raise NotRead("its search path depends on who calls it")
    return tuple(name for name in found if name and name not in ("pg_catalog", "pg_temp"))


def texts_of(function: Function) -> tuple[str, ...]:
    """Its statements. Raises `NotRead`."""
    if function.body is None or len(function.body) > MAX_BODY:
        raise NotRead(
            "its body is not there to be read" if function.body is None else "its body is too long to be read"
        )
    try:
        if function.language == "plpgsql":
            return tuple(_of_plpgsql(function))
        return tuple(split(function.body)) if function.body.strip() else ()
    except ParseError as error:
        raise NotRead(f"its body cannot be read: {error.args[0] if error.args else 'syntax error'}") from error
    except (RecursionError, UnicodeError, ValueError) as error:
        raise NotRead("its body cannot be read") from error


# --- PL/pgSQL ------------------------------------------------------------------------------------------------------


def _of_plpgsql(function: Function) -> Iterator[str]:
    quote = "$body$"
    while quote in (function.body or ""):
        quote = f"{quote[:-1]}y$"
    result = "trigger" if function.result == "trigger" else "void" if function.result == "void" else "text"
    arguments = ", ".join(f"a{place} text" for place, _ in enumerate(function.arguments, start=1))
    text = f"CREATE FUNCTION f({arguments}) RETURNS {result} LANGUAGE plpgsql AS {quote}{function.body}{quote}"
    yield from _expressions(parse_plpgsql(text))


def _expressions(node: Any) -> Iterator[str]:
    """What it has the database compute, each as a statement of its own."""
    if isinstance(node, list):
        for item in node:
            yield from _expressions(item)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "PLpgSQL_expr":
                yield _statement(value)
                continue
            if name.startswith("PLpgSQL_") and name.removeprefix("PLpgSQL_") not in READABLE:
                what = name.removeprefix("PLpgSQL_stmt_").removeprefix("PLpgSQL_")
                raise NotRead(
                    "it runs SQL that it makes itself" if what.startswith("dyn") else f"{what} is not followed"
                )
            if name == "dynquery":
                raise NotRead("it runs SQL that it makes itself")
            yield from _expressions(value)


def _statement(expression: dict[str, Any]) -> str:
    text, mode = str(expression.get("query", "")), expression.get("parseMode", STATEMENT)
    if mode == STATEMENT:
        return text
    if mode in ASSIGNMENTS and (match := ASSIGNMENT.match(text)):
        return f"SELECT {match[1]}"
    if mode == EXPRESSION:
        return f"SELECT {text}"
    raise NotRead("it assigns in a way that is not followed")
