"""JSON out, and results as CSV, NDJSON and Arrow by `Accept`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pyarrow as pa
from rest_framework import renderers

from audit.exports.cells import neutral

CHUNK_ROWS = 1000


class JSONRenderer(renderers.BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if data is None:
            return b""
        return orjson.dumps(data, default=str)


class ResultRenderer(renderers.BaseRenderer):
    """Only names the media type: the view streams the rows through `stream`."""

    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return orjson.dumps(data, default=str)

    def stream(self, content: Mapping[str, Any]) -> Iterator[bytes]:
        raise NotImplementedError


class CSVRenderer(ResultRenderer):
    """RFC 4180, with a header row; NULL is an empty field, nested values are JSON; no cell is a formula to a spreadsheet."""

    media_type = "text/csv"
    format = "csv"

    def stream(self, content: Mapping[str, Any]) -> Iterator[bytes]:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow([neutral(column["name"]) for column in content["columns"]])
        for number, row in enumerate(content["rows"], 1):
            writer.writerow([_flat(value) for value in row])
            if number % CHUNK_ROWS == 0:
                yield buffer.getvalue().encode()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue().encode()


class NDJSONRenderer(ResultRenderer):
    """One JSON object a line, keyed by column name; a name that comes twice gets a number."""

    media_type = "application/x-ndjson"
    format = "ndjson"

    def stream(self, content: Mapping[str, Any]) -> Iterator[bytes]:
        names = _unique([column["name"] for column in content["columns"]])
        for start in range(0, len(content["rows"]), CHUNK_ROWS):
            rows = content["rows"][start : start + CHUNK_ROWS]
            yield b"".join(orjson.dumps(dict(zip(names, row, strict=True))) + b"\n" for row in rows)


class ArrowRenderer(ResultRenderer):
    """An Arrow IPC stream. Integers, floats and booleans keep their type; all else is text, as PostgreSQL writes it."""

    media_type = "application/vnd.apache.arrow.stream"
    format = "arrow"

    TYPES = {
        "int2": pa.int16(), "int4": pa.int32(), "int8": pa.int64(), "float4": pa.float32(), "float8": pa.float64(),
        "bool": pa.bool_(),
    }  # fmt: skip

    def stream(self, content: Mapping[str, Any]) -> Iterator[bytes]:
        names = _unique([column["name"] for column in content["columns"]])
        types = [self.TYPES.get(column["type"], pa.string()) for column in content["columns"]]
        schema = pa.schema(list(zip(names, types, strict=True)))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as writer:
            for start in range(0, len(content["rows"]), CHUNK_ROWS):
                rows = content["rows"][start : start + CHUNK_ROWS]
                columns = zip(*rows, strict=True) if rows else ([] for _ in types)
                arrays = [pa.array([_typed(v, t) for v in vs], t) for vs, t in zip(columns, types, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
        yield sink.getvalue().to_pybytes()


RESULT_RENDERERS = (CSVRenderer, NDJSONRenderer, ArrowRenderer)


def _flat(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return neutral(value)
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else value


def _typed(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_string(kind):
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    # NaN and infinity travel as text in JSON; a column of floats takes them back.
    return float(value) if pa.types.is_floating(kind) else value


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return unique
