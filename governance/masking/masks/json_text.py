"""`json` as `jsonb`, where that cannot fail. Pure.

A `json` value is checked for its form only: it may hold escapes and numbers that no `jsonb` can, and the conversion would
fail on them, telling of the value. Such a value is redacted whole.
"""

from __future__ import annotations

from collections.abc import Callable

from governance.catalogue.model import Column
from governance.masking.types import bytewise, quote_name, quote_text

REDACTED = """'"[redacted]"'::pg_catalog.jsonb"""
# In bytes: what is masked may grow, and a jsonb has its limits.
LONGEST = 30_000_000
# An escape of NUL or of half a character; a number of hundreds of digits, or with an exponent of five.
_NUMBER = "(?:^|[:,[[:space:]])-?[0-9.]"
_ESCAPE = "[[.backslash.]]u"
UNSAFE = f"{_ESCAPE}(?:0000|[dD][89a-fA-F])|{_NUMBER}{{250}}|{_NUMBER}+[eE][+-]?[0-9]{{5}}"


def unless_unsafe(column: Column, value: str, shape: Callable[[str], str]) -> str:
    """`shape` of the value as jsonb, in the column's own type. The conversion is made once a row, in a sub-select of its
    own, which OFFSET keeps from being merged with what is around it."""
    if column.base_type == "jsonb":
        return shape(value)
    json = f"{quote_name('@json')}.{quote_name('@value')}"
    converted = (
        f"(SELECT {shape(json)}::pg_catalog.json FROM (SELECT {value}::pg_catalog.jsonb AS {quote_name('@value')} OFFSET 0)"
        f" AS {quote_name('@json')})"
    )
    return f"CASE WHEN {_unsafe(value)} THEN {REDACTED}::pg_catalog.json ELSE {converted} END"


def _unsafe(value: str) -> str:
    text = f"{value}::pg_catalog.text"
    escapes = f"{bytewise(text)} OPERATOR(pg_catalog.~) {quote_text(_ESCAPE)}"
    return (
        f"pg_catalog.octet_length({text}) OPERATOR(pg_catalog.>) {LONGEST}"
        f" OR {bytewise(text)} OPERATOR(pg_catalog.~) {quote_text(UNSAFE)}"
        # Where the database's encoding cannot hold every character, an escape may stand for one that it cannot.
        f" OR pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' AND {escapes}"
    )
