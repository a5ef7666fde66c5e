"""`partial`: keeps a shape that people recognise: an e-mail's domain, the last digits of a number, a first letter.

Only text has such a shape; other types are redacted. A value too short to hide the rest keeps nothing. NULL stays
NULL.
"""

from __future__ import annotations

from governance.catalogue.model import Column
from governance.masking.masks import redact
from governance.masking.types import Family, bytewise, collated_as_usual, family_of

# How many digits stay, and how many there must be at least for any to stay (PCI DSS 3.4.1 allows the last four).
DIGITS = {"card_number": (4, 12), "bank_account": (4, 10), "phone": (2, 7), "national_id": (2, 8)}
SHORTEST_WORD = 3


def expression(column: Column, data_class: str, value: str) -> str:
    if family_of(column) is not Family.TEXT:
        return redact.expression(column, data_class, value)
    if data_class == "email":
        shaped = _domain(value)
    elif data_class in DIGITS:
        shaped = _last_characters(value, *DIGITS[data_class])
    else:
        shaped = _first_letter(f"{value}::pg_catalog.text")
    return f"(CASE WHEN {value} IS NULL THEN NULL ELSE {shaped} END)::{column.base_type}"


def _domain(value: str) -> str:
    """What follows the last `@` may be more than a domain (`a@b.org, Jane Doe`): then nothing of it stays."""
    domain = f"pg_catalog.split_part({bytewise(value)}, '@', -1)"
    return (
        f"'***' OPERATOR(pg_catalog.||) CASE WHEN pg_catalog.strpos({bytewise(value)}, '@') OPERATOR(pg_catalog.>) 0"
        f" AND {domain} OPERATOR(pg_catalog.~) '^[A-Za-z0-9.-]+$'"
        f" THEN '@' OPERATOR(pg_catalog.||) pg_catalog.right({value}::pg_catalog.text, pg_catalog.length({domain}))"
        " ELSE '' END"
    )


def _first_letter(value: str) -> str:
    """Of a short value one letter is much, and in a column of one character it is all."""
    return (
        f"CASE WHEN pg_catalog.length({value}) OPERATOR(pg_catalog.>=) {SHORTEST_WORD}"
        f" THEN pg_catalog.left({value}, 1) ELSE '' END OPERATOR(pg_catalog.||) '***'"
    )


def _last_characters(value: str, keep: int, at_least: int) -> str:
    """The last letters and digits, as IBANs have letters too; separators do not count."""
    plain = f"pg_catalog.regexp_replace({bytewise(value)}, '[^[:alnum:]]', '', 'g')"
    hidden = "*" * 12
    return (
        f"CASE WHEN pg_catalog.length({plain}) OPERATOR(pg_catalog.>=) {at_least}"
        f" THEN '{hidden}' OPERATOR(pg_catalog.||) {collated_as_usual(f'pg_catalog.right({plain}, {keep})')}"
        f" ELSE '{hidden}' END"
    )
