"""Families of PostgreSQL types, as far as masks care; quoting, and collations. Pure."""

from __future__ import annotations

import re
from enum import StrEnum

from governance.catalogue.model import Column


class Family(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    TIME = "time"
    TIMETZ = "timetz"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    INTERVAL = "interval"
    BOOLEAN = "boolean"
    UUID = "uuid"
    JSON = "json"
    BYTES = "bytes"
    BITS = "bits"
    INET = "inet"
    CIDR = "cidr"
    MACADDR = "macaddr"
    MACADDR8 = "macaddr8"
    RANGE = "range"
    MULTIRANGE = "multirange"
    TSVECTOR = "tsvector"
    ARRAY = "array"
    OTHER = "other"


_RANGES = "int4|int8|num|ts|tstz|date"
_NAMES: tuple[tuple[re.Pattern[str], Family], ...] = tuple(
    (re.compile(rf"\A(?:{pattern})\Z"), family)
    for pattern, family in (
        (r".*\[\]", Family.ARRAY),
        # `citext` is an extension's: text in all but how it compares.
        (r"text|name|character varying(\(\d+\))?|character(\(\d+\))?|bpchar|(.+\.)?citext", Family.TEXT),
        (r"smallint|integer|bigint", Family.INTEGER),
        (r"numeric(\(.*\))?|real|double precision", Family.NUMBER),
        (r"money", Family.MONEY),
        (r"date", Family.DATE),
        (r"time(\(\d\))? without time zone", Family.TIME),
        (r"time(\(\d\))? with time zone", Family.TIMETZ),
        (r"timestamp(\(\d\))? without time zone", Family.TIMESTAMP),
        (r"timestamp(\(\d\))? with time zone", Family.TIMESTAMPTZ),
        (r"interval\b[a-z0-9() ]*", Family.INTERVAL),
        (r"boolean", Family.BOOLEAN),
        (r"uuid", Family.UUID),
        (r"jsonb?", Family.JSON),
        (r"bytea", Family.BYTES),
        (r"bit\(\d+\)|\"bit\"|bit varying(\(\d+\))?", Family.BITS),
        (r"inet", Family.INET),
        (r"cidr", Family.CIDR),
        (r"macaddr", Family.MACADDR),
        (r"macaddr8", Family.MACADDR8),
        (rf"({_RANGES})range", Family.RANGE),
        (rf"({_RANGES})multirange", Family.MULTIRANGE),
        (r"tsvector", Family.TSVECTOR),
    )
)
_LIMITED = re.compile(r"character(?: varying)?\((\d+)\)\Z")
# PostgreSQL's own limit, in bytes.
_LONGEST_NAME = 63


def family_of(column: Column) -> Family:
    """By the type under any domain; what is not listed is OTHER (enums, composites, …), for which every mask is NULL."""
    return next((family for pattern, family in _NAMES if pattern.match(column.base_type)), Family.OTHER)


def limit_of(column: Column) -> int | None:
    """How many characters a text column holds at most; None without a limit."""
    if column.base_type == "name":
        return _LONGEST_NAME
    if column.base_type == "character":
        return 1
    found = _LIMITED.match(column.base_type)
    return int(found[1]) if found else None


def quote_name(name: str) -> str:
    """An identifier, always quoted, so that no keyword and no capital is taken for something else."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A string constant that reads the same whatever standard_conforming_strings says."""
    if "\\" in text:
        raise ValueError("a mask's constant holds no backslash")
    return "'" + text.replace("'", "''") + "'"


def bytewise(value: str) -> str:
    """The text of `value`, collated byte by byte: searching in it works whatever the column's own collation is (one that
    is not deterministic refuses regular expressions), and gives the same on every server."""
    return f'({value}::pg_catalog.text COLLATE pg_catalog."C")'


def collated_as_usual(text: str) -> str:
    """`text` without the collation that `bytewise` gave it, which would conflict with those of other columns in a
    comparison. Only a value of a type without collations has none."""
    return f"({as_json_string(text)} OPERATOR(pg_catalog.#>>) '{{}}'::pg_catalog.text[])"


def as_json_string(text: str) -> str:
    """A jsonb string. `to_jsonb` would do, but is not immutable."""
    return (
        f"(pg_catalog.jsonb_object(ARRAY['v', {text}]::pg_catalog.text[]) OPERATOR(pg_catalog.->) 'v'::pg_catalog.text)"
    )
