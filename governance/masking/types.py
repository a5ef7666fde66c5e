"""Families of PostgreSQL types, as far as masks care, and quoting. Pure."""

from __future__ import annotations

import re
from enum import StrEnum

from governance.catalogue.model import Column


class Family(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    BOOLEAN = "boolean"
    UUID = "uuid"
    JSON = "json"
    BYTES = "bytes"
    ARRAY = "array"
    OTHER = "other"


_NAMES: tuple[tuple[re.Pattern[str], Family], ...] = tuple(
    (re.compile(rf"\A(?:{pattern})\Z"), family)
    for pattern, family in (
        (r".*\[\]", Family.ARRAY),
        (r"text|name|character varying(\(\d+\))?|character(\(\d+\))?|bpchar", Family.TEXT),
        (r"smallint|integer|bigint", Family.INTEGER),
        (r"numeric(\(.*\))?|real|double precision", Family.NUMBER),
        (r"date", Family.DATE),
        (r"timestamp(\(\d\))? without time zone", Family.TIMESTAMP),
        (r"timestamp(\(\d\))? with time zone", Family.TIMESTAMPTZ),
        (r"boolean", Family.BOOLEAN),
        (r"uuid", Family.UUID),
        (r"jsonb?", Family.JSON),
        (r"bytea", Family.BYTES),
    )
)


def family_of(column: Column) -> Family:
    """By the type under any domain; what is not listed is OTHER, for which every mask is NULL."""
    return next((family for pattern, family in _NAMES if pattern.match(column.base_type)), Family.OTHER)


def quote_name(name: str) -> str:
    """An identifier, always quoted, so that no keyword and no capital is taken for something else."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A string constant that reads the same whatever standard_conforming_strings says."""
    if "\\" in text:
        raise ValueError("a mask's constant holds no backslash")
    return "'" + text.replace("'", "''") + "'"
