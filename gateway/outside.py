"""What stays behind when something that runs outside transactions does not come to its end."""

from __future__ import annotations

from pglast import ast

from governance.assessment import Assessment

BUILT = (
    "An index that was not finished stays behind, marked INVALID: it is not used, and still costs every write."
    " Drop it (DROP INDEX CONCURRENTLY) before this is asked for again."
)
REBUILT = "A new index that was not finished stays behind, marked INVALID, with a name that ends in _ccnew: drop it."
DROPPED = "The index may stay behind, marked INVALID: drop it again."
PARTLY = "What it had finished by then stays."
STAYS: dict[type[ast.Node], str] = {ast.IndexStmt: BUILT, ast.ReindexStmt: REBUILT, ast.DropStmt: DROPPED}


def what_stays(assessment: Assessment) -> str:
    """Empty for what runs in a transaction, of which nothing stays."""
    if not assessment.facts.outside_transaction:
        return ""
    return STAYS.get(type(assessment.script.statements[0].parsed.statement), PARTLY)
