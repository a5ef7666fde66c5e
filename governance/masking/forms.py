"""EXPLAIN shows the plan of the masked statement without what the planner knows of raw values. Pure.

Widths, row estimates and costs come from statistics of raw columns, buffers from their size.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from governance.masking.edits import Rewriting, Tree, statement_tree
from governance.masking.errors import MaskingImpossible
from governance.masking.plan import explains_masked

_OPTIONS = frozenset({"analyze", "verbose", "format", "generic_plan"})


def show_no_estimates(rewriting: Rewriting) -> None:
    statement: Any = rewriting.analysis.parsed.statement
    if not explains_masked(rewriting.analysis, rewriting.plan):
        return
    options = [_option(option) for option in statement.options or () if option.defname.lower() in _OPTIONS]
    written = ", ".join(
        [*(option for option in options if option), "COSTS OFF", "TIMING OFF", "SUMMARY OFF", "BUFFERS OFF"]
    )
    tokens = rewriting.analysis.parsed.tokens
    rewriting.edits.splice(
        tokens[0].start, tokens[_first_of_query(statement, rewriting)].start, f"EXPLAIN ({written}) "
    )
    tree = statement_tree(f"EXPLAIN ({written}) SELECT 1")["ExplainStmt"]["options"]
    rewriting.edits.whole_becomes(partial(_with_options, tree))


def _option(option: Any) -> str:
    name, value = option.defname.upper(), getattr(option.arg, "sval", None)
    if value is None and option.arg is not None:
        value = getattr(option.arg, "ival", getattr(option.arg, "boolval", None))
    if value is not None and not str(value).isalnum():
        raise MaskingImpossible(f"The option {name} of EXPLAIN is not understood.", remedy="Leave it out.")
    return name if value is None else f"{name} {str(value).upper()}"


def _first_of_query(statement: Any, rewriting: Rewriting) -> int:
    """The number of the token with which the explained statement begins."""
    tokens = [token.name for token in rewriting.analysis.parsed.tokens]
    number = 1
    if statement.options and tokens[1] == "ASCII_40":
        while tokens[number] != "ASCII_41":
            number += 1
        return number + 1
    while tokens[number] in ("ANALYZE", "VERBOSE"):
        number += 1
    return number


def _with_options(options: list[Tree], tree: Tree) -> list[Tree]:
    return [{"ExplainStmt": tree["ExplainStmt"] | {"options": options}}]
