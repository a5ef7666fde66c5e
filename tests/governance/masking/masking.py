"""The hand-made shop with two columns masked."""

from __future__ import annotations

from governance.analysis.analyse import Analysis
from governance.masking.outputs import masked_outputs
from governance.masking.plan import MaskPlan, plan_masks
from governance.masking.rewrite import rewrite
from governance.masking.writes import sensitive_write_hazards
from governance.policy.decision import MaskedColumn
from tests.governance.analysis.shop import read

MASKED = (
    MaskedColumn("public", "customers", "name", "person_name", "redact"),
    MaskedColumn("public", "customers", "email", "email", "null"),
)
CLASSES = {("public", "customers"): {"name": "person_name", "email": "email"}}
ROWS = """(SELECT "id", '[redacted]'::text AS "name", NULL::text AS "email", "city" FROM "public"."customers")"""
UNUSED = ROWS.replace("'[redacted]'::text", "NULL::text")


def planned(sql: str) -> tuple[Analysis, MaskPlan]:
    analysis = read(sql)
    return analysis, plan_masks(analysis, MASKED)


def rewritten(sql: str) -> str:
    """With `ROWS` in place of the masked rows of customers, for reading; a mask that is not looked at may be NULL."""
    return rewrite(*planned(sql)).replace(ROWS, "ROWS").replace(UNUSED, "ROWS")


def flags(sql: str, *names: str) -> tuple[bool, ...]:
    return masked_outputs(*planned(sql), names)


def sensitive(sql: str) -> bool:
    return bool(sensitive_write_hazards(read(sql), CLASSES))
