"""Values between JSON and PostgreSQL. Numbers, booleans and JSON come as themselves; all else as PostgreSQL writes it,
so that nothing is lost on the way (exact numerics, infinity, dates before Christ, ranges, enums)."""

from __future__ import annotations

import math
from typing import Any

import orjson
import psycopg
from psycopg.adapt import Buffer, Loader
from psycopg.types.array import ListDumper
from psycopg.types.string import TextLoader

from governance.errors import DriverFailed

# orjson reads 1024 levels and writes 254; fewer brackets than this cannot nest too deeply.
DEEPEST_JSON = 200


class FloatLoader(Loader):
    """JSON has no NaN and no infinity: they come as text."""

    def load(self, data: Buffer) -> float | str:
        number = float(bytes(data))
        return number if math.isfinite(number) else bytes(data).decode()


class JsonLoader(Loader):
    """What JSON cannot be written again from (it nests too deeply) or read at all (a lone surrogate) stays text."""

    def load(self, data: Buffer) -> Any:
        raw = bytes(data)
        try:
            value = orjson.loads(raw)
            if raw.count(b"[") + raw.count(b"{") > DEEPEST_JSON:
                orjson.dumps([[value]])  # in its place: a row of rows
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            return raw.decode()
        return value


# psycopg's own loader of text, which it has in C.
AS_TEXT = (
    "numeric", "date", "time", "timetz", "timestamp", "timestamptz", "interval", "bytea", "uuid", "inet", "cidr", "money",
    "int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange", "int4multirange", "int8multirange",
    "nummultirange", "datemultirange", "tsmultirange", "tstzmultirange", "record", "hstore", "xml",
)  # fmt: skip


def prepare_session(connection: psycopg.Connection[Any]) -> None:
    for name in AS_TEXT:
        if connection.adapters.types.get(name):
            connection.adapters.register_loader(name, TextLoader)
    for name in ("float4", "float8"):
        connection.adapters.register_loader(name, FloatLoader)
    for name in ("json", "jsonb"):
        connection.adapters.register_loader(name, JsonLoader)
    connection.adapters.register_dumper(list, ListDumper)
    connection.prepare_threshold = None


def parameters(values: tuple[Any, ...]) -> list[Any] | None:
    """JSON values as psycopg parameters. Text and fractions carry no type, so PostgreSQL takes the type of their place."""
    return [_parameter(value, number) for number, value in enumerate(values, 1)] if values else None


def _parameter(value: Any, number: int) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        if "\x00" in value:
            raise DriverFailed(
                f"Parameter ${number} holds a NUL character, which PostgreSQL text cannot.", sqlstate="22021"
            )
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    return _array(value, number)


def _array(items: list[Any], number: int) -> list[Any]:
    """PostgreSQL's arrays hold one type; whole numbers among fractions go as fractions do."""
    kinds = {type(item) for item in items if item is not None}
    if kinds == {int, float}:
        return [None if item is None else repr(item) for item in items]
    if len(kinds) < 2:
        return [_parameter(item, number) for item in items]
    raise DriverFailed(
        f"Parameter ${number} is a list of values of several types, which no array of PostgreSQL holds.",
        remedy="Send a list of one type, or the whole list as JSON text.",
        sqlstate="22P02",
    )
