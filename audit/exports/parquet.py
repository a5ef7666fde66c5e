"""Parquet. It cannot be added to once it is written, so the rows are gathered as an Arrow stream, which can, and turned into
one Parquet file at the end, a row group at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from audit.exports.columns import COLUMNS, FIELDS, typed
from audit.exports.lines import header_of, title_of
from audit.reading import StoredEntry

GROUP_ROWS = 50_000
_TYPES = {"text": pa.string(), "names": pa.list_(pa.string()), "whole": pa.int64(), "number": pa.float64()}
SCHEMA = pa.schema(
    [
        pa.field("index", pa.int64(), nullable=False),
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        *(pa.field(name, _TYPES[kind]) for name, kind in FIELDS.items()),
        pa.field("header", pa.string(), nullable=False),
        pa.field("leaf", pa.binary(), nullable=False),
    ]
)


def arrow_head() -> bytes:
    return bytes(SCHEMA.serialize())


def arrow_rows(entries: Iterable[StoredEntry], _with_payloads: bool) -> bytes:
    rows = list(map(_values, entries))
    if not rows:
        return b""
    columns = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)]
    return bytes(pa.record_batch(columns, schema=SCHEMA).serialize())


def _values(entry: StoredEntry) -> tuple[object, ...]:
    header = header_of(entry)
    return (
        entry.index,
        entry.time,
        entry.kind,
        title_of(entry.kind),
        *(typed(header.get(name), kind) for name, kind in FIELDS.items()),
        bytes(entry.header).decode("utf-8", "replace"),
        bytes(entry.leaf),
    )


def write_parquet(gathered: Path, target: Path, beat: Callable[[], None]) -> None:
    """`beat` is called between two row groups; what it raises breaks this off."""
    with (
        pa.OSFile(str(gathered)) as source,
        pa.ipc.open_stream(source) as stream,
        pq.ParquetWriter(target, SCHEMA, compression="zstd", version="2.6") as writer,
    ):
        for group in _groups(stream):
            writer.write_table(group)
            beat()


def _groups(stream: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in stream:
        held.append(batch)
        rows += batch.num_rows
        if rows >= GROUP_ROWS:
            yield pa.Table.from_batches(held, SCHEMA)
            held, rows = [], 0
    if held:
        yield pa.Table.from_batches(held, SCHEMA)


assert [field.name for field in SCHEMA] == list(COLUMNS)  # noqa: S101  CSV and Parquet promise the same columns
