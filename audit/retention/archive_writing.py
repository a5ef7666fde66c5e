"""Writing one archive file, so that it is whole and on disk before anybody relies on it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from audit.reading import StoredEntry
from audit.retention.archive_files import (
    FORMAT,
    LISTS,
    LOGGED,
    MOST_BYTES_IN_GROUP,
    MOST_ROWS_IN_GROUP,
    SCHEMA,
    TEXTS,
    WITH_STATISTICS,
    ArchiveUnavailable,
    FileOf,
    Place,
    brief,
    digest_of,
    place_at,
)


def write_archive(destination: str, first: int, end: int, entries: Iterable[StoredEntry]) -> FileOf:
    """Writes the entries, which must be all of the range, to a new file under `destination`; reads back its digest.

    Raises `ArchiveUnavailable`; then nothing is left behind, as far as the place still answers.
    """
    place = place_at(destination).child(f"entries-{first:012}-{end - 1:012}-{secrets.token_hex(4)}.parquet")
    try:
        with _whole_file(place) as sink, _writer(sink, first, end) as writer:
            for group in _groups(entries):
                writer.write_table(_table(group), row_group_size=len(group))
        sha256, size = digest_of(place)
    except (pa.ArrowException, OSError) as error:
        discard(place)
        raise ArchiveUnavailable(
            place.address, f"it cannot be written: {brief(error)}", "Nothing was moved; try again once the place is fit"
        ) from error
    except BaseException:
        discard(place)
        raise
    return FileOf(place.address, first, end, size, sha256)


def discard(place: Place) -> None:
    """A file that nothing refers to."""
    with suppress(pa.ArrowException, OSError):
        place.system.delete_file(place.path)


@contextmanager
def _whole_file(place: Place) -> Iterator[Any]:
    """On this machine a file gets its name once it is on disk; an object store shows only whole objects anyway."""
    if not place.local:
        with place.system.open_output_stream(place.path) as sink:
            yield sink
        return
    path = Path(place.path)
    _make_directory(path.parent)
    partial = path.with_suffix(".partial")
    try:
        with open(partial, "xb", opener=_private) as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
            # So that reading it back reads what the disk has.
            os.posix_fadvise(sink.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        partial.rename(path)
        _sync_directory(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make_directory(path: Path) -> None:
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _writer(sink: Any, first: int, end: int) -> Any:
    about = {"countersign.format": FORMAT, "countersign.first": str(first), "countersign.end": str(end)}
    return pq.ParquetWriter(
        sink,
        SCHEMA.with_metadata(about),
        compression="zstd",
        use_dictionary=["kind", "payload_key", "sql_normal", *TEXTS],
        write_statistics=WITH_STATISTICS,
        write_page_checksum=True,
    )


def _groups(entries: Iterable[StoredEntry]) -> Iterator[list[StoredEntry]]:
    group: list[StoredEntry] = []
    size = 0
    for entry in entries:
        group.append(entry)
        size += len(entry.header) + (len(entry.payload.ciphertext) if entry.payload else 0)
        if len(group) >= MOST_ROWS_IN_GROUP or size >= MOST_BYTES_IN_GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group


def _table(group: list[StoredEntry]) -> Any:
    headers = [entry.fields for entry in group]
    payloads = [entry.payload for entry in group]
    columns: dict[str, list[Any]] = {name: [getattr(entry, name) for entry in group] for name in LOGGED}
    columns["payload_key"] = [str(payload.key) if payload and payload.key else None for payload in payloads]
    columns["nonce"] = [payload.nonce if payload else None for payload in payloads]
    columns["ciphertext"] = [payload.ciphertext if payload else None for payload in payloads]
    for name in (*TEXTS, *LISTS, "risk", "sql_normal"):
        columns[name] = [header.get(name) for header in headers]
    return pa.table([pa.array(columns[field.name], field.type) for field in SCHEMA], schema=SCHEMA)
