"""Several statements in one text: what they do together, and what is said around them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pglast import ast
from pglast.enums import TransactionStmtKind, VariableSetKind

from governance.analysis.facts import Facts, Kind, Unknown
from governance.analysis.parse import Parsed
from governance.analysis.session import plain_value
from governance.errors import Unreadable

BEGINNINGS = (TransactionStmtKind.TRANS_STMT_BEGIN, TransactionStmtKind.TRANS_STMT_START)


@dataclass(frozen=True, slots=True)
class Frame:
    """What BEGIN … COMMIT around a text asked of its transaction."""

    read_only: bool = False
    isolation: str = ""


PLAIN = Frame()


def unframe(parts: tuple[Parsed, ...]) -> tuple[tuple[Parsed, ...], Frame]:
    """Without the BEGIN and COMMIT that wrap all of a text, which runs in one transaction anyway, and without a SET
    TRANSACTION directly behind that BEGIN."""
    first = parts[0].statement
    if not _is_begin(first) or not _is_commit(parts[-1].statement):
        return parts, PLAIN
    options = list(first.options or ())  # type: ignore[attr-defined]
    inner = parts[1:-1]
    while inner and _sets_transaction(inner[0].statement):
        options += inner[0].statement.args  # type: ignore[attr-defined]
        inner = inner[1:]
    return (inner, _frame(options)) if inner else (parts, PLAIN)


def _is_begin(node: Any) -> bool:
    return isinstance(node, ast.TransactionStmt) and node.kind in BEGINNINGS


def _is_commit(node: Any) -> bool:
    return (
        isinstance(node, ast.TransactionStmt) and node.kind == TransactionStmtKind.TRANS_STMT_COMMIT and not node.chain
    )


def _sets_transaction(node: Any) -> bool:
    return (
        isinstance(node, ast.VariableSetStmt)
        and node.kind == VariableSetKind.VAR_SET_MULTI
        and node.name == "TRANSACTION"
    )


def _frame(options: Sequence[Any]) -> Frame:
    values = {str(option.defname): plain_value(option.arg) for option in options}
    read_only = values.get("transaction_read_only") == "1"
    return Frame(read_only, values.get("transaction_isolation") or "")


def check_parameters(parts: Sequence[Parsed], found: Sequence[Facts]) -> None:
    """Raises `Unreadable`: parameters belong to one statement, and which of several they would go to is nobody's guess."""
    for part, facts in zip(parts, found, strict=True):
        if len(parts) > 1 and facts.parameters:
            raise Unreadable(
                f"The text holds {len(parts)} statements and parameters ($1).",
                remedy="Send the statement with parameters alone, or write its values into it.",
                place=part.start,
            )


def combine(parts: Sequence[Parsed], found: Sequence[Facts], frame: Frame, fingerprint: str) -> Facts:
    """All that any of the statements does; places are in the whole text. For a single statement too, if BEGIN and COMMIT were
    around it."""
    kinds = frozenset[Kind]().union(*(facts.kinds for facts in found))
    rows = [facts.rows_inserted for facts in found]
    unknown = [
        replace(unknown, place=_moved(unknown.place, part))
        for part, facts in zip(parts, found, strict=True)
        for unknown in facts.unknown
    ]
    if frame.read_only and not kinds <= {Kind.READ, Kind.SESSION}:
        unknown.append(Unknown("BEGIN READ ONLY", "a statement in it does more than read", 0))
    outside = any(facts.outside_transaction for facts in found)
    if outside:
        unknown.append(
            Unknown("what runs outside transactions", "it must be alone in its text, without BEGIN and COMMIT")
        )
    hazards = [
        replace(hazard, place=_moved(hazard.place, part))
        for part, facts in zip(parts, found, strict=True)
        for hazard in facts.hazards
    ]
    return Facts(
        kinds=kinds,
        fingerprint=fingerprint,
        normal=";\n".join(facts.normal for facts in found),
        relations=tuple(sorted({use for facts in found for use in facts.relations})),
        columns=tuple(sorted({use for facts in found for use in facts.columns})),
        functions=tuple(sorted({use for facts in found for use in facts.functions})),
        hazards=tuple(dict.fromkeys(hazards)),
        unknown=tuple(dict.fromkeys(unknown)),
        parameters=max(facts.parameters for facts in found),
        by_key=all(facts.by_key for facts in found),
        rows_inserted=None if None in rows else sum(row for row in rows if row is not None),
        statements=len(found),
        outside_transaction=outside,
    )


def _moved(place: int | None, part: Parsed) -> int | None:
    return None if place is None else place + part.start
