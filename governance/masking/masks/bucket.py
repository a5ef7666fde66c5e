"""`bucket`: dates to their year, numbers to steps of 10,000 towards zero. Other types are redacted.

Towards zero, not down: a negative number must not grow past what its type holds, for that error would tell of it.
"""

from __future__ import annotations

from governance.catalogue.model import Column
from governance.masking.masks import redact
from governance.masking.types import Family, family_of, quote_name

STEP = 10_000


def expression(column: Column, data_class: str) -> str:
    name, family = quote_name(column.name), family_of(column)
    if family in (Family.DATE, Family.TIMESTAMP):
        shaped = f"pg_catalog.date_trunc('year', {name}::pg_catalog.timestamp)"
    elif family is Family.TIMESTAMPTZ:
        # In UTC: the session's time zone would make the expression depend on more than the value.
        in_utc = f"pg_catalog.date_trunc('year', pg_catalog.timezone('UTC', {name}::pg_catalog.timestamptz))"
        shaped = f"pg_catalog.timezone('UTC', {in_utc})"
    elif family in (Family.INTEGER, Family.NUMBER):
        number = f"{name}::pg_catalog.numeric" if column.base_type != "double precision" else name
        number = name if column.base_type == "real" else number
        shaped = f"(pg_catalog.trunc({number} OPERATOR(pg_catalog./) {STEP}) OPERATOR(pg_catalog.*) {STEP})"
    else:
        return redact.expression(column, data_class)
    return f"({shaped})::{column.base_type}"
