"""Archive files: Parquet, one row an entry, in a directory or an object store that pyarrow can reach.

Row groups are small, in rows and in bytes, so that whoever reads one holds little; what entries are found by has columns
with statistics of its own, so that a search skips what cannot match.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from audit.plain import one_line

# Columns that repeat fields of the header.
TEXTS = (
    "principal", "owner", "door", "datasource", "environment", "verdict", "query", "request", "run", "fingerprint",
    "on_behalf_of", "actor", "status",
)  # fmt: skip
LISTS = ("relations", "classes", "policies")
LOGGED = ("index", "time", "kind", "header", "leaf")
PAYLOAD = ("payload_key", "nonce", "ciphertext")
SCHEMA = pa.schema(
    [
        pa.field("index", pa.int64(), nullable=False),
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("header", pa.binary(), nullable=False),
        pa.field("leaf", pa.binary(32), nullable=False),
        pa.field("payload_key", pa.string()),
        pa.field("nonce", pa.binary()),
        pa.field("ciphertext", pa.binary()),
        *(pa.field(name, pa.string()) for name in TEXTS),
        pa.field("risk", pa.int16()),
        *(pa.field(name, pa.list_(pa.string())) for name in LISTS),
        pa.field("sql_normal", pa.string()),
    ]
)
FORMAT = "1"
MOST_ROWS_IN_GROUP = 16_384
MOST_BYTES_IN_GROUP = 32 * 1024 * 1024
ROWS_AT_ONCE = 1024
_PIECE = 1024 * 1024
WITH_STATISTICS = ["index", "time", "kind", "risk", *TEXTS]


class ArchiveUnavailable(Exception):
    """An archive cannot be read or written: which one, why, and what to do next."""

    def __init__(self, which: str, why: str, what_next: str) -> None:
        super().__init__(f"{which}: {why}. {what_next}")
        self.which, self.why, self.what_next = which, why, what_next


@dataclass(frozen=True, slots=True)
class Place:
    """A directory or a file: its address as recorded, and how pyarrow reaches it. `local`: on this machine's disks."""

    address: str
    system: Any
    path: str
    local: bool

    def child(self, name: str) -> Place:
        base, question, query = self.address.partition("?")
        address = f"{base.rstrip('/')}/{name}{question}{query}"
        return Place(address, self.system, f"{self.path.rstrip('/')}/{name}", self.local)


def place_at(address: str) -> Place:
    """A directory, or an address like `s3://bucket/prefix?region=eu-central-1`. Raises `ArchiveUnavailable`."""
    if "://" not in address:
        path = str(Path(address).expanduser().resolve())
        return Place(path, fs.LocalFileSystem(), path, local=True)
    if "@" in _authority(address):
        raise ArchiveUnavailable(
            without_secrets(address),
            "the address holds credentials, and it would be recorded for everybody to read",
            "Give them to the process by its environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, a role)",
        )
    try:
        system, path = fs.FileSystem.from_uri(address)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ArchiveUnavailable(
            address, f"not an address that can be used: {brief(error)}", "Give a directory or s3://bucket/prefix"
        ) from error
    return Place(address, system, path, isinstance(system, fs.LocalFileSystem))


def without_secrets(address: str) -> str:
    named = _authority(address)
    return address.replace(named, named.rpartition("@")[2], 1)


def _authority(address: str) -> str:
    """Not by a parser of addresses: what it would not take is looked at too."""
    return re.split("[/?#]", address.partition("://")[2], maxsplit=1)[0]


def brief(error: BaseException) -> str:
    return one_line(str(error))[:300] or type(error).__name__


# --- Reading ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FileOf:
    """What the log says of one archive's file: enough to know the right one."""

    address: str
    first: int
    end: int
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return f"the archive of entries {self.first} to {self.end - 1} ({self.address})"

    def unavailable(self, why: str) -> ArchiveUnavailable:
        next_ = "Put the file back as it was, from a copy: its SHA-256 must be"
        return ArchiveUnavailable(self.name, why, f"{next_} {self.sha256}")


class ArchiveReader:
    """Opens a file, whose size and range must be what the log says. A context manager."""

    def __init__(self, file: FileOf) -> None:
        self.file = file
        place = place_at(file.address)
        try:
            self._source = place.system.open_input_file(place.path)
        except FileNotFoundError as error:
            raise file.unavailable("the file is not there") from error
        except (pa.ArrowException, OSError, ValueError) as error:
            raise file.unavailable(f"it cannot be read: {brief(error)}") from error
        try:
            self._check_size()
            metadata = _metadata(file, self._source)
            self.parquet = pq.ParquetFile(
                self._source, metadata=metadata, page_checksum_verification=True, pre_buffer=not place.local
            )
            self._check_range(metadata)
        except BaseException as error:
            self.close()
            if isinstance(error, pa.ArrowException | OSError | ValueError):
                raise file.unavailable(f"it is damaged: {brief(error)}") from error
            raise

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with suppress(OSError):
            self._source.close()

    def _check_size(self) -> None:
        if (size := self._source.size()) != self.file.bytes:
            raise self.file.unavailable(f"the file has {size} bytes, and had {self.file.bytes} when it was written")

    def _check_range(self, metadata: Any) -> None:
        said = metadata.metadata or {}
        expected = {b"countersign.first": self.file.first, b"countersign.end": self.file.end}
        if any(said.get(name) != str(value).encode() for name, value in expected.items()):
            raise self.file.unavailable("the file is not the archive of these entries")
        if not self.parquet.schema_arrow.equals(SCHEMA):
            raise self.file.unavailable("the file does not have the columns of an archive")

    def groups(self) -> list[tuple[int, int]]:
        """First index and end of each row group."""
        found = []
        for number in range(self.parquet.num_row_groups):
            statistics = self.statistics(number, "index")
            if statistics is None:
                raise self.file.unavailable(f"it is damaged: row group {number} does not say what it holds")
            found.append((int(statistics.min), int(statistics.max) + 1))
        return found

    def statistics(self, group: int, column: str) -> Any | None:
        """None where the file has none for that column."""
        found = self.parquet.metadata.row_group(group).column(_PLACES[column]).statistics
        return found if found is not None and found.has_min_max else None

    def read(self, group: int, columns: Sequence[str], rows: int = ROWS_AT_ONCE) -> Iterator[pa.RecordBatch]:
        try:
            yield from self.parquet.iter_batches(rows, [group], list(columns), use_threads=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self.file.unavailable(f"it is damaged: {brief(error)}") from error

    def read_between(self, first: int, end: int, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows of that range, in order; `columns` begin with the index."""
        for group, (start, stop) in enumerate(self.groups()):
            if stop <= first or start >= end:
                continue
            place = start
            for batch in self.read(group, columns):
                here, place = place, place + batch.num_rows
                if place > first and here < end:
                    skipped = max(0, first - here)
                    yield batch.slice(skipped, min(end, place) - here - skipped)
                if place >= end:
                    break


# A list takes one column of the file as well, so places are those of the schema.
_PLACES = {name: place for place, name in enumerate(SCHEMA.names)}
_MOST_KEPT = 32
_contents: dict[tuple[str, str], Any] = {}


def _metadata(file: FileOf, source: Any) -> Any:
    """The file's table of contents, kept, since reading one entry needs it as much as reading all."""
    key = (file.address, file.sha256)
    if key not in _contents:
        if len(_contents) >= _MOST_KEPT:
            _contents.pop(next(iter(_contents)), None)
        _contents[key] = pq.read_metadata(source)
    return _contents[key]


def digest_of(place: Place) -> tuple[str, int]:
    """SHA-256 and size, read back from where the file is."""
    digest, size = hashlib.sha256(), 0
    with place.system.open_input_stream(place.path) as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size
