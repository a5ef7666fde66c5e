"""`pseudonym`: another value of the same type, always the same for the same value: joins, groups and counts still work.

HMAC-SHA-256 of the value's own bytes, worked out by the database from two prepared key blocks (RFC 2104: the key padded
to 64 bytes, XOR 0x36 and XOR 0x5c). The driver sets them for the transaction; they are never in a statement's text.
Without them the pseudonym is NULL. NULL stays NULL. Types that could not hold a pseudonym of use are redacted.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from governance.catalogue.model import Column
from governance.masking.masks import redact
from governance.masking.types import Family, family_of, limit_of, quote_text

INNER, OUTER = "countersign.pseudonym_inner", "countersign.pseudonym_outer"
# A block of 64 bytes in hexadecimal. A setting that is gone reads as NULL or as an empty text, never as a shorter key.
BLOCK_DIGITS = 128

# Before and after the letters or digits: no address, number or account that there could be.
LETTERS = {
    "email": ("user-", "@pseudonym.invalid"),
    "person_name": ("name-", ""),
    "postal_address": ("address-", ""),
    "date_of_birth": ("date-", ""),
    "national_id": ("id-", ""),
    "secret": ("secret-", ""),
    "free_text": ("text-", ""),
}
DIGITS = {"phone": "+999", "card_number": "999", "bank_account": "ZZ00"}
# 80 bits: among ten million values the chance that any two share a pseudonym is one in twenty billion.
TOKEN = 20
TOKEN_DIGITS = 16
_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
_EXACT_DIGITS = 15


def expression(column: Column, data_class: str, value: str) -> str:
    shape = _SHAPES.get(family_of(column))
    shaped = shape(column, data_class, value) if shape else None
    if shaped is None:
        return redact.expression(column, data_class, value)
    return f"(CASE WHEN {value} IS NULL THEN NULL ELSE {shaped} END)::{column.base_type}"


# --- The keyed hash -------------------------------------------------------------------------------------------------


def _block(setting: str) -> str:
    """Read once a statement, not once a row: a sub-select that depends on no row."""
    return (
        f"(SELECT CASE WHEN pg_catalog.length(k.block) OPERATOR(pg_catalog.=) {BLOCK_DIGITS}"
        " THEN pg_catalog.decode(k.block, 'hex') END"
        f" FROM (SELECT pg_catalog.current_setting('{setting}', true) AS block) AS k)"
    )


def _hmac(message: str) -> str:
    inner = f"pg_catalog.sha256({_block(INNER)} OPERATOR(pg_catalog.||) {message})"
    return f"pg_catalog.sha256({_block(OUTER)} OPERATOR(pg_catalog.||) {inner})"


def _hex(message: str) -> str:
    return f"pg_catalog.encode({_hmac(message)}, 'hex')"


def _number(message: str, bits: int) -> str:
    """The first bits of the hash, as a bigint that is never negative."""
    return f"(('x' OPERATOR(pg_catalog.||) {_hex(message)})::pg_catalog.bit({bits})::pg_catalog.int8)"


def _bytes_of_text(text: str) -> str:
    # From the database's encoding to itself: nothing is converted, so nothing can fail.
    return f"pg_catalog.convert_to({text}, pg_catalog.getdatabaseencoding())"


# --- Shapes ---------------------------------------------------------------------------------------------------------


def _text(column: Column, data_class: str, value: str) -> str:
    text = f"{value}::pg_catalog.text"
    if column.base_type.endswith("citext"):
        # What is equal there must have one pseudonym.
        text = f"pg_catalog.lower({text})"
    message, limit = _bytes_of_text(text), limit_of(column)
    if data_class in DIGITS:
        before, after, length = DIGITS[data_class], "", TOKEN_DIGITS
        token = f"pg_catalog.lpad({_number(message, 52)}::pg_catalog.text, {TOKEN_DIGITS}, '0')"
    else:
        before, after = LETTERS.get(data_class, ("value-", ""))
        length, token = TOKEN, f"pg_catalog.left({_hex(message)}, {TOKEN})"
    if limit is not None and limit < len(before) + length + len(after):
        return f"pg_catalog.right({token}, {limit})"
    return f"{quote_text(before)} OPERATOR(pg_catalog.||) {token} OPERATOR(pg_catalog.||) {quote_text(after)}"


def _integer(column: Column, _data_class: str, value: str) -> str:
    """Positive; of a bigint as many bits as every reader of JSON can hold."""
    bits = {"smallint": 15, "integer": 31}.get(column.base_type, 52)
    return _number(f"pg_catalog.int8send({value}::pg_catalog.int8)", bits)


def _decimal(column: Column, _data_class: str, value: str) -> str | None:
    if column.base_type in ("real", "double precision"):
        # Minus zero equals zero.
        message = f"pg_catalog.float8send({value}::pg_catalog.float8 OPERATOR(pg_catalog.+) 0::pg_catalog.float8)"
        return _number(message, 24 if column.base_type == "real" else 52)
    message = f"pg_catalog.numeric_send(pg_catalog.trim_scale({value}::pg_catalog.numeric))"
    found = _NUMERIC.fullmatch(column.base_type)
    if found is None:
        return _number(message, 52)
    precision, scale = int(found[1]), int(found[2])
    # A negative scale rounds, which could add a digit.
    digits = min(precision - scale - (scale < 0), _EXACT_DIGITS)
    if digits < 1:
        return None
    return f"pg_catalog.mod({_number(message, 52)}, {10**digits}::pg_catalog.int8)"


def _date(_column: Column, _data_class: str, value: str) -> str:
    """From 1920 to 2009."""
    days = f"{_number(f'pg_catalog.date_send({value})', 15)}::pg_catalog.int4"
    return f"'1920-01-01'::pg_catalog.date OPERATOR(pg_catalog.+) {days}"


def _moment(column: Column, _data_class: str, value: str) -> str:
    """Between 1970 and 2038, to the second."""
    with_zone = family_of(column) is Family.TIMESTAMPTZ
    seconds = _number(f"pg_catalog.timestamp{'tz' * with_zone}_send({value})", 31)
    moment = f"pg_catalog.to_timestamp({seconds}::pg_catalog.float8)"
    return moment if with_zone else f"pg_catalog.timezone('UTC', {moment})"


def _time(_column: Column, _data_class: str, value: str) -> str:
    seconds = f"{_number(f'pg_catalog.time_send({value})', 31)}::pg_catalog.float8"
    return f"'00:00'::pg_catalog.time OPERATOR(pg_catalog.+) pg_catalog.make_interval(0, 0, 0, 0, 0, 0, {seconds})"


def _uuid(_column: Column, _data_class: str, value: str) -> str:
    """Version 8, which RFC 9562 keeps for such uses."""
    digits = f"pg_catalog.left({_hex(f'pg_catalog.uuid_send({value})')}, 32)"
    versioned = f"pg_catalog.overlay({digits}, '8', 13, 1)"
    return f"pg_catalog.overlay({versioned}, '8', 17, 1)::pg_catalog.uuid"


def _json(column: Column, _data_class: str, value: str) -> str:
    """Of the text within, where it is a JSON string: the same as that of a text column. `json` is taken as it is written,
    since it may hold escapes that no text can."""
    text = f"({value} OPERATOR(pg_catalog.#>>) '{{}}'::pg_catalog.text[])"
    if column.base_type == "json":
        text = f"{value}::pg_catalog.text"
    token = f"pg_catalog.left({_hex(_bytes_of_text(text))}, {TOKEN})"
    return f"""('"value-' OPERATOR(pg_catalog.||) {token} OPERATOR(pg_catalog.||) '"')::pg_catalog.{column.base_type}"""


def _inet(_column: Column, _data_class: str, value: str) -> str:
    return f"'10.0.0.0'::pg_catalog.inet OPERATOR(pg_catalog.+) {_number(f'pg_catalog.inet_send({value})', 24)}"


def _macaddr(column: Column, _data_class: str, value: str) -> str:
    """Locally administered, so that it is no device's."""
    digits = {"macaddr": 10, "macaddr8": 14}[column.base_type]
    token = f"pg_catalog.left({_hex(f'pg_catalog.{column.base_type}_send({value})')}, {digits})"
    return f"('02' OPERATOR(pg_catalog.||) {token})::pg_catalog.{column.base_type}"


def _bytes(_column: Column, _data_class: str, value: str) -> str:
    return _hmac(value)


_SHAPES: dict[Family, Callable[[Column, str, str], str | None]] = {
    Family.TEXT: _text,
    Family.INTEGER: _integer,
    Family.NUMBER: _decimal,
    Family.DATE: _date,
    Family.TIMESTAMP: _moment,
    Family.TIMESTAMPTZ: _moment,
    Family.TIME: _time,
    Family.UUID: _uuid,
    Family.JSON: _json,
    Family.INET: _inet,
    Family.MACADDR: _macaddr,
    Family.MACADDR8: _macaddr,
    Family.BYTES: _bytes,
}
