"""`null`: no value at all. The type stays."""

from __future__ import annotations

from governance.catalogue.model import Column


def expression(column: Column, _data_class: str, _value: str) -> str:
    # The base type: a domain may forbid NULL, and would then fail for every row.
    return f"NULL::{column.base_type}"
