"""Values between JSON and PostgreSQL. Numbers, booleans and JSON come as themselves; all else as PostgreSQL writes it,
so that nothing is lost on the way (exact numerics, infinity, dates before Christ, ranges, enums)."""

from __future__ import annotations

import math
from typing import Any

import orjson
import psycopg
from psycopg.adapt import Buffer, Loader
from psycopg.types.array import ListDumper

from governance.errors import DriverFailed


class TextLoader(Loader):
    def load(self, data: Buffer) -> str:
        return bytes(data).decode()


class FloatLoader(Loader):
    """JSON has no NaN and no infinity: they come as text."""

    def load(self, data: Buffer) -> float | str:
        number = float(bytes(data))
        return number if math.isfinite(number) else bytes(data).decode()


class JsonLoader(Loader):
    def load(self, data: Buffer) -> Any:
        try:
            return orjson.loads(bytes(data))
        except orjson.JSONDecodeError:
            return bytes(data).decode()


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
    return [_parameter(item, number) for item in value]
