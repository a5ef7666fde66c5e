"""`redact`: one constant of the column's type for every row, also where the column is NULL.

A type without a constant of its own (an enum, a composite, XML, …) gives NULL.
"""

from __future__ import annotations

from governance.catalogue.model import Column
from governance.masking.masks import null
from governance.masking.types import Family, family_of, quote_text

CONSTANTS: dict[Family, str] = {
    Family.TEXT: "[redacted]",
    Family.INTEGER: "0",
    Family.NUMBER: "0",
    Family.MONEY: "0",
    Family.DATE: "1970-01-01",
    Family.TIME: "00:00:00",
    Family.TIMETZ: "00:00:00+00",
    Family.TIMESTAMP: "1970-01-01 00:00:00",
    Family.TIMESTAMPTZ: "1970-01-01 00:00:00+00",
    Family.INTERVAL: "0",
    Family.BOOLEAN: "false",
    Family.UUID: "00000000-0000-0000-0000-000000000000",
    Family.JSON: '"[redacted]"',
    Family.BYTES: "",
    Family.BITS: "0",
    Family.INET: "192.0.2.0",
    Family.CIDR: "192.0.2.0/32",
    Family.MACADDR: "00:00:00:00:00:00",
    Family.MACADDR8: "00:00:00:00:00:00:00:00",
    Family.RANGE: "empty",
    Family.MULTIRANGE: "{}",
    Family.TSVECTOR: "",
    Family.ARRAY: "{}",
}


def expression(column: Column, data_class: str, value: str) -> str:
    constant = CONSTANTS.get(family_of(column))
    if constant is None:
        return null.expression(column, data_class, value)
    return f"{quote_text(constant)}::{column.base_type}"
