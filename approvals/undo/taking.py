"""How a statement is made to show the rows that it changes: more columns behind those that it returns. Pure.

The text is changed at the parser's own places, as masking changes it, and the result is parsed again: its tree must be the
old one with exactly these columns added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pglast import ast
from pglast.enums import LockClauseStrength, LockWaitPolicy, ReturningOptionKind
from pglast.stream import RawStream

from approvals.undo.values import Undoable, Verb
from governance.analysis.parse import COMMENTS, SEMICOLON, Parsed, Token, parse
from governance.analysis.tree import descendants, names
from governance.errors import Unreadable
from governance.masking.edits import Tree, statement_tree
from governance.masking.errors import MaskingImpossible
from governance.masking.types import quote_name

OLD, NEW = ReturningOptionKind.RETURNING_OPTION_OLD, ReturningOptionKind.RETURNING_OPTION_NEW
# What nobody calls a relation of theirs.
OWN_NAMES = {OLD: "countersign_before", NEW: "countersign_after"}
USUAL_NAMES = {OLD: "old", NEW: "new"}
WORDS = {OLD: "OLD", NEW: "NEW"}


class NotTaken(Exception):
    """The statement's form does not let its rows be shown. The reason is for people."""


class OldIsTaken(NotTaken):
    """OLD or NEW means the row before or after in it, and a relation as well."""


@dataclass(frozen=True, slots=True)
class Taking:
    """`sql` returns, behind its own columns, `before` and then `after` columns: each is the number of kept ones, or 0.
    `first` is a query that gives, and locks, the rows as they are before the change; `first_params` are the numbers of the
    statement's parameters that it takes."""

    sql: str
    before: int
    after: int
    first: str = ""
    first_params: tuple[int, ...] = ()


def showing_rows(sql: str, undoable: Undoable, *, shows_both: bool) -> Taking:
    """`sql` is the text that would run, with masks in place. `shows_both`: the server's RETURNING has OLD and NEW. Raises
    `NotTaken`."""
    try:
        parsed = parse(sql)
        if undoable.verb is Verb.INSERT:
            return Taking(_returning(parsed, undoable, after=True), 0, len(undoable.columns))
        if undoable.verb is Verb.DELETE:
            return Taking(_returning(parsed, undoable, after=True), len(undoable.columns), 0)
        if shows_both:
            width = len(undoable.columns)
            return Taking(_returning(parsed, undoable, before=True, after=True), width, width)
        text, numbers = _first_look(parsed, undoable)
        return Taking(_returning(parsed, undoable, after=True), 0, len(undoable.columns), text, numbers)
    except (MaskingImpossible, Unreadable) as error:
        raise NotTaken("The statement's form does not let the rows that it changes be shown.") from error


# --- RETURNING ----------------------------------------------------------------------------------------------------


def _returning(parsed: Parsed, undoable: Undoable, *, before: bool = False, after: bool = False) -> str:
    both = before and after
    row_names, added = names_of_rows(parsed.statement) if both else ({NEW: undoable.alias}, {})
    rows = [row_names[kind] for kind in ([OLD, NEW] if both else [NEW])]
    columns = ", ".join(f"{quote_name(row)}.{quote_name(column.name)}" for row in rows for column in undoable.columns)
    options = ", ".join(f"{WORDS[kind]} AS {name}" for kind, name in added.items())
    text = _spliced(parsed, options, columns)
    _prove(parsed.sql, text, f"{f'WITH ({options}) ' if options else ''}{columns}")
    return text


def names_of_rows(statement: Any) -> tuple[dict[Any, str], dict[Any, str]]:
    """By what name RETURNING knows the row before and the row after, and which of these must be given first. A name that the
    statement uses itself stays. Raises `OldIsTaken`."""
    clause = statement.returningClause
    given = {option.option: str(option.value) for option in (clause.options or ())} if clause else {}
    used, taken = set(_qualifiers(clause)), set(_relation_names(statement))
    found, added = {}, {}
    for kind, usual in USUAL_NAMES.items():
        if kind in given:
            found[kind] = given[kind]
        elif usual in used and usual in taken:
            raise OldIsTaken(f"{usual.upper()} is used for a relation and for a row.")
        elif usual in used:
            found[kind] = usual
        else:
            found[kind] = added[kind] = OWN_NAMES[kind]
    return found, added


def _qualifiers(clause: Any) -> Iterator[str]:
    for node in descendants(clause) if clause else ():
        if isinstance(node, ast.ColumnRef):
            yield names(node.fields)[0]


def _relation_names(statement: Any) -> Iterator[str]:
    for node in descendants(statement):
        if isinstance(node, ast.Alias):
            yield str(node.aliasname)
        elif isinstance(node, ast.RangeVar):
            yield str(node.relname)


def _spliced(parsed: Parsed, options: str, columns: str) -> str:
    """RETURNING is the last clause of every statement that writes."""
    sql, tokens = parsed.sql, [token for token in parsed.tokens if token.name not in COMMENTS]
    while tokens and tokens[-1].name == SEMICOLON:
        tokens.pop()
    end = tokens[-1].end
    clause: Any = parsed.statement.returningClause  # type: ignore[attr-defined]  # all four that write have it
    if clause is None:
        return f"{sql[:end]} RETURNING {f'WITH ({options}) ' if options else ''}{columns}{sql[end:]}"
    word = _last_outside_brackets(tokens, "RETURNING")
    head, rest = sql[: tokens[word].end], sql[tokens[word].end : end]
    if options and clause.options:
        bracket = tokens[word + 2].end  # RETURNING WITH (
        head, rest = f"{sql[:bracket]}{options}, ", sql[bracket:end]
    elif options:
        head += f" WITH ({options})"
    return f"{head}{rest}, {columns}{sql[end:]}"


def _last_outside_brackets(tokens: list[Token], name: str) -> int:
    depth, found = 0, -1
    for number, token in enumerate(tokens):
        depth += {"ASCII_40": 1, "ASCII_91": 1, "ASCII_41": -1, "ASCII_93": -1}.get(token.name, 0)
        if depth == 0 and token.name == name:
            found = number
    if found < 0:
        raise NotTaken("The place of RETURNING was not found.")
    return found


def _prove(before: str, after: str, added: str) -> None:
    """The new text means the old one, with these options and columns in RETURNING, and nothing else."""
    intended = statement_tree(before)
    (body,) = intended.values()
    new = statement_tree(f"DELETE FROM x RETURNING {added}")["DeleteStmt"]["returningClause"]
    clause: Tree = body.setdefault("returningClause", {})
    clause["exprs"] = clause.get("exprs", []) + new["exprs"]
    if "options" in new:
        clause["options"] = new["options"] + clause.get("options", [])
    if statement_tree(after) != intended:
        raise NotTaken("The statement that shows its rows did not come out as meant.")


# --- Before PostgreSQL 18 -----------------------------------------------------------------------------------------


def _first_look(parsed: Parsed, undoable: Undoable) -> tuple[str, tuple[int, ...]]:
    """The rows that an UPDATE is about to change, locked: the same FROM and WHERE in a SELECT."""
    statement: Any = parsed.statement
    rows = [
        ast.ResTarget(val=ast.ColumnRef(fields=(ast.String(undoable.alias), ast.String(column.name))))
        for column in undoable.columns
    ]
    lock = ast.LockingClause(
        lockedRels=(ast.RangeVar(relname=undoable.alias, inh=True, relpersistence="p"),),
        strength=LockClauseStrength.LCS_FORUPDATE,
        waitPolicy=LockWaitPolicy.LockWaitBlock,
    )
    look = ast.SelectStmt(
        targetList=tuple(rows),
        fromClause=(statement.relation, *(statement.fromClause or ())),
        whereClause=statement.whereClause,
        withClause=statement.withClause,
        lockingClause=(lock,),
    )
    text = RawStream()(look)
    _prove_look(parsed.sql, text, undoable)
    return _renumbered(text)


def _prove_look(sql: str, text: str, undoable: Undoable) -> None:
    update = statement_tree(sql)["UpdateStmt"]
    columns = ", ".join(f"{quote_name(undoable.alias)}.{quote_name(column.name)}" for column in undoable.columns)
    intended = statement_tree(f"SELECT {columns} FROM x FOR UPDATE OF {quote_name(undoable.alias)}")["SelectStmt"]
    intended["fromClause"] = [{"RangeVar": update["relation"]}, *update.get("fromClause", [])]
    intended |= {name: update[name] for name in ("whereClause", "withClause") if name in update}
    if statement_tree(text) != {"SelectStmt": intended}:
        raise NotTaken("The look at the rows before the change did not come out as meant.")


def _renumbered(text: str) -> tuple[str, tuple[int, ...]]:
    """PostgreSQL cannot tell the type of a parameter that is not used: those that are, from $1 on without a gap."""
    tokens = [token for token in parse(text).tokens if token.name == "PARAM"]
    numbers = sorted({int(text[token.start + 1 : token.end]) for token in tokens})
    pieces, done = [], 0
    for token in tokens:
        pieces += [text[done : token.start], f"${numbers.index(int(text[token.start + 1 : token.end])) + 1}"]
        done = token.end
    return "".join([*pieces, text[done:]]), tuple(numbers)
