"""Reading the log in order, wherever its entries are: in archives below the head's `first`, in the live table from there.

Memory is bounded, however long the range and however large the payloads. What comes out of an archive was compared with
the tiles before it is handed over, so a file that was changed is not mistaken for the log.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa
from django.db import connection

from audit.merkle import HASH_SIZE, leaf_hash
from audit.models import Archive
from audit.payloads import open_payload
from audit.retention.archive_files import LOGGED, PAYLOAD, ArchiveReader, ArchiveUnavailable, FileOf

__all__ = ["ArchiveUnavailable", "StoredEntry", "StoredPayload", "entries_between", "entry_at", "payload_of"]

MOST_ROWS = 1000
MOST_PAYLOAD_BYTES = 16 * 1024 * 1024
_WIDTH = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StoredPayload:
    key: uuid.UUID | None
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """`payload` is None where the entry has none, where it was erased, and where payloads were not asked for."""

    index: int
    time: datetime
    kind: str
    header: bytes
    leaf: bytes
    payload: StoredPayload | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """Everything that the header says, index, time and kind included."""
        return dict(orjson.loads(self.header))


def payload_of(entry: StoredEntry) -> dict[str, object] | None:
    """Opened, for those who may see it; None where the entry never had one. The entry was read with payloads.

    Raises `audit.payloads.ErasedError` if its subject was erased, `identity.sealing.UnsealError` if it does not open.
    """
    payload = entry.payload
    return open_payload(entry.fields, None if payload is None else (payload.key, payload.nonce, payload.ciphertext))


def entry_at(index: int, *, with_payload: bool = False) -> StoredEntry | None:
    return next(entries_between(index, index + 1, with_payloads=with_payload), None)


def entries_between(
    first: int, end: int, *, with_payloads: bool = False, checked: bool = True
) -> Iterator[StoredEntry]:
    """Entries `first` to before `end`, or to the end of the log, in order.

    An entry that is missing from the live table is left out: verification names it. Raises `ArchiveUnavailable`;
    `checked=False` leaves the comparison of archives with tiles to the caller.
    """
    place, end = max(first, 0), min(end, _head()[1])
    while place < end:
        kept_from = _head()[0]
        if place < kept_from:
            stop = min(end, kept_from)
            yield from _archived(place, stop, with_payloads=with_payloads, checked=checked)
            place = stop
            continue
        entries, stop = _live(place, min(end, place + MOST_ROWS), with_payloads=with_payloads)
        # Were they moved meanwhile, some may be gone already: then they are in an archive.
        if _head()[0] <= place:
            yield from entries
            place = stop


def _head() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT first, size FROM audit_head WHERE id = 1")
        row = cursor.fetchone()
    return row or (0, 0)


# --- The live table -----------------------------------------------------------------------------------------------

_ENTRIES = """
SELECT entry.index, entry."time", entry.kind, entry.header, entry.leaf, octet_length(payload.ciphertext)
FROM audit_entry AS entry LEFT JOIN audit_payload AS payload ON %s AND payload.index = entry.index
WHERE entry.index >= %s AND entry.index < %s ORDER BY entry.index
"""
_PAYLOADS = "SELECT index, key, nonce, ciphertext FROM audit_payload WHERE index >= %s AND index < %s"


def _live(first: int, end: int, *, with_payloads: bool) -> tuple[list[StoredEntry], int]:
    """As many as may be held at a time, and the index to go on from."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [with_payloads, first, end])
        rows = cursor.fetchall()
        kept = _fitting([row[5] or 0 for row in rows])
        stop = end if kept == len(rows) else rows[kept][0]
        payloads = {}
        if with_payloads:
            cursor.execute(_PAYLOADS, [first, stop])
            payloads = {
                index: StoredPayload(key, bytes(nonce), bytes(ciphertext))
                for index, key, nonce, ciphertext in cursor.fetchall()
            }
    entries = [
        StoredEntry(index, time, kind, bytes(header), bytes(leaf), payloads.get(index))
        for index, time, kind, header, leaf, _ in rows[:kept]
    ]
    return entries, stop


def _fitting(sizes: list[int]) -> int:
    total = 0
    for place, size in enumerate(sizes):
        total += size
        if total > MOST_PAYLOAD_BYTES and place:
            return place
    return len(sizes)


# --- Archives -----------------------------------------------------------------------------------------------------


def file_of(archive: Archive) -> FileOf:
    return FileOf(archive.address, archive.first, archive.end, archive.bytes, archive.sha256)


def _archived(first: int, end: int, *, with_payloads: bool, checked: bool) -> Iterator[StoredEntry]:
    place = first
    while place < end:
        archive = Archive.objects.filter(first__lte=place, end__gt=place).first()
        if archive is None:
            raise ArchiveUnavailable(
                f"entries {place} to {end - 1}",
                "they were moved out of the database, and no archive is recorded that has them",
                "Run `manage.py ledger verify`: somebody changed the list of archives",
            )
        stop = min(end, archive.end)
        yield from _from_file(file_of(archive), place, stop, with_payloads=with_payloads, checked=checked)
        place = stop


def _from_file(file: FileOf, first: int, end: int, *, with_payloads: bool, checked: bool) -> Iterator[StoredEntry]:
    columns = (*LOGGED, *PAYLOAD) if with_payloads else LOGGED
    place = first
    with ArchiveReader(file) as reader:
        for batch in reader.read_between(first, end, columns):
            entries = entries_of(batch)
            if [entry.index for entry in entries] != list(range(place, place + len(entries))):
                raise file.unavailable(f"it is damaged: entries from {place} on are not in their place")
            if checked:
                compare_with_tiles(file, entries)
            yield from entries
            place += len(entries)
    if place != end:
        raise file.unavailable(f"it is damaged: it ends at entry {place - 1}")


def entries_of(batch: pa.RecordBatch) -> list[StoredEntry]:
    columns = {name: batch.column(name) for name in batch.schema.names}
    payloads = _payloads_of(columns, batch.num_rows)
    moments = columns["time"].cast(pa.int64()).to_pylist()
    rows = zip(*(columns[name].to_pylist() for name in ("index", "kind", "header", "leaf")), strict=True)
    return [
        StoredEntry(index, _EPOCH + timedelta(microseconds=moment), kind, header, leaf, payload)
        for (index, kind, header, leaf), moment, payload in zip(rows, moments, payloads, strict=True)
    ]


def _payloads_of(columns: dict[str, Any], rows: int) -> list[StoredPayload | None]:
    if "ciphertext" not in columns:
        return [None] * rows
    stored = zip(*(columns[name].to_pylist() for name in PAYLOAD), strict=True)
    return [
        None if ciphertext is None else StoredPayload(uuid.UUID(key) if key else None, nonce, ciphertext)
        for key, nonce, ciphertext in stored
    ]


def compare_with_tiles(file: FileOf, entries: list[StoredEntry]) -> None:
    """Raises `ArchiveUnavailable` at the first entry that is not the one whose hash the log's tree has."""
    first, end = entries[0].index, entries[-1].index + 1
    leaves = leaves_from_tiles(first, end)
    for entry in entries:
        at = (entry.index - first) * HASH_SIZE
        if leaf_hash(entry.header) != leaves[at : at + HASH_SIZE]:
            raise file.unavailable(f"entry {entry.index} in it is not the one that the log's tree has")


def leaves_from_tiles(first: int, end: int) -> bytes:
    """The leaf hashes of archived entries, laid end to end; shorter where a tile is missing."""
    start = first // _WIDTH
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hashes FROM audit_tile WHERE level = 0 AND number >= %s AND number <= %s ORDER BY number",
            [start, (end - 1) // _WIDTH],
        )
        packed = b"".join(bytes(hashes) for (hashes,) in cursor.fetchall())
    return packed[(first - start * _WIDTH) * HASH_SIZE : (end - start * _WIDTH) * HASH_SIZE]
