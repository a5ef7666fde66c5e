"""`bucket`: dates to their year, also where text begins with one; numbers to steps of 10,000 towards zero. Other types,
and other text, are redacted. NULL stays NULL.

Towards zero, not down: a negative number must not grow past what its type holds, for that error would tell of it. For the
same reason dates stop at the years 1 and 9999 (a type ends within its first and last year), and infinity with them.
"""

from __future__ import annotations

from governance.catalogue.model import Column
from governance.masking.masks import redact
from governance.masking.types import Family, bytewise, family_of

STEP = 10_000
COARSE = "1e20::pg_catalog.float8"
MONEY_STEP = 1_000_000
WRITTEN_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.,Z+-]*)?$"
FIRST, LAST = "0001-01-01", "9999-12-31"


def expression(column: Column, data_class: str, value: str) -> str:
    family = family_of(column)
    if family in (Family.DATE, Family.TIMESTAMP):
        shaped = _year(value, "date" if family is Family.DATE else "timestamp")
    elif family is Family.TIMESTAMPTZ:
        # In UTC: the session's time zone would make the expression depend on more than the value.
        in_range = _year(f"pg_catalog.timezone('UTC', {_within(value, 'timestamptz', '+00')})", "timestamp")
        shaped = f"pg_catalog.timezone('UTC', {in_range})"
    elif family in (Family.INTEGER, Family.NUMBER):
        shaped = _step(value, column.base_type)
    elif family is Family.MONEY:
        # Whole steps of the smallest unit: how many decimals there are is a setting of the server.
        shaped = f"({value} OPERATOR(pg_catalog./) {MONEY_STEP}::int8) OPERATOR(pg_catalog.*) {MONEY_STEP}::int8"
    elif family is Family.TEXT:
        shaped = _written_year(value)
    else:
        return redact.expression(column, data_class, value)
    return f"(CASE WHEN {value} IS NULL THEN NULL ELSE {shaped} END)::{column.base_type}"


def _within(value: str, type_: str, zone: str = "") -> str:
    return f"LEAST(GREATEST({value}, '{FIRST}{zone}'::pg_catalog.{type_}), '{LAST}{zone}'::pg_catalog.{type_})"


def _year(value: str, type_: str) -> str:
    return f"pg_catalog.date_trunc('year', {_within(value, type_)}::pg_catalog.timestamp)"


def _written_year(value: str) -> str:
    return (
        f"CASE WHEN {bytewise(value)} OPERATOR(pg_catalog.~) '{WRITTEN_DATE}'"
        f" THEN pg_catalog.left({value}::pg_catalog.text, 4) OPERATOR(pg_catalog.||) '-01-01' ELSE '[redacted]' END"
    )


def _step(value: str, base_type: str) -> str:
    if base_type not in ("real", "double precision"):
        number = f"{value}::pg_catalog.numeric"
        # Not a plain division, which may round a long number up.
        return f"pg_catalog.div({number}, {STEP}) OPERATOR(pg_catalog.*) {STEP}"
    # Floating point: what is smaller than a step would underflow in the division, what is close to the largest number
    # would overflow in the multiplication. Beyond `COARSE` two neighbouring numbers are further apart than a step.
    number = f"{value}::pg_catalog.float8"
    return (
        f"CASE WHEN pg_catalog.abs({number}) OPERATOR(pg_catalog.<) {STEP} THEN 0::pg_catalog.float8"
        f" WHEN pg_catalog.abs({number}) OPERATOR(pg_catalog.>) {COARSE} THEN"
        f" pg_catalog.sign({number}) OPERATOR(pg_catalog.*) {COARSE}"
        f" ELSE pg_catalog.trunc({number} OPERATOR(pg_catalog./) {STEP}) OPERATOR(pg_catalog.*) {STEP} END"
    )
