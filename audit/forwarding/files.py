"""Entries as lines of a file (NDJSON), exactly once each: what is in the file says where to go on, also after a crash.

`entries.ndjson` is the file that grows. When it is full, or a line is of another day (UTC), it is renamed after the first
and the last entry in it: `entries.000000000000-000000004999.ndjson`. Somebody else may move it away too: the next lines
then begin a new one.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import FileIO
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from audit.durable import synchronise_folder
from audit.forwarding.batches import Batch, Line
from audit.forwarding.errors import DeliveryFailed

# The longest line that can be: a header has at most 64 KiB, an OCSF event repeats some of it.
LONGEST_LINE = 1024 * 1024
DEFAULT_MOST_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mark:
    """What is read of a line: which entry it is, and of when."""

    index: int
    day: date


class FileDoor:
    most_lines = 5000
    most_bytes = 4 * 1024 * 1024

    def __init__(
        self, path: Path, form: str, *, most_file_bytes: int = DEFAULT_MOST_BYTES, keeps_all: bool = True
    ) -> None:
        """`keeps_all`: every entry is written, so that what is missing from the file's end is written again."""
        self.path, self.keeps_all, self.most_file_bytes = path, keeps_all, most_file_bytes
        self._read_mark: Callable[[bytes], Mark] = MARKS[form]
        self._file: FileIO | None = None
        self._first: Mark | None = None
        self._last: Mark | None = None

    def position(self, next_index: int) -> int:
        self._reopen()
        if self._last is None:
            return max(next_index, self._after_renamed())
        written = self._last.index + 1
        return written if self.keeps_all else max(next_index, written)

    def send(self, batch: Batch) -> None:
        for day, lines in groupby(batch.lines, lambda line: line.time.astimezone(UTC).date()):
            for part in self._parts(list(lines)):
                self._append(day, part)

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    # --- Writing --------------------------------------------------------------------------------------------------

    def _parts(self, lines: list[Line]) -> Iterator[list[Line]]:
        """Cut where a file would grow past its most; a single line may."""
        part: list[Line] = []
        size = 0
        for line in lines:
            size += len(line.text) + 1
            if part and size > self.most_file_bytes:
                yield part
                part, size = [], len(line.text) + 1
            part.append(line)
        if part:
            yield part

    def _append(self, day: date, lines: list[Line]) -> None:
        text = b"".join(line.text + b"\n" for line in lines)
        file = self._ready(day, len(text))
        if self._last is not None and lines[0].index <= self._last.index:
            raise DeliveryFailed(f"{self.path} has entry {self._last.index} already: something else writes into it")
        before = os.fstat(file.fileno()).st_size
        try:
            _write_all(file, text)
            os.fsync(file.fileno())
        except OSError:
            # Most likely a full disk. The beginning of a line is worse than none.
            os.ftruncate(file.fileno(), before)
            raise
        self._first = self._first or Mark(lines[0].index, day)
        self._last = Mark(lines[-1].index, day)

    def _ready(self, day: date, size: int) -> FileIO:
        """The file to write to: another one if it was moved away, is full, or is of another day."""
        file = self._file
        if file is None or not _is_same(self.path, file):
            file = self._reopen()
        if self._first is not None and (
            self._first.day != day or os.fstat(file.fileno()).st_size + size > self.most_file_bytes
        ):
            self._rename()
            file = self._reopen()
        return file

    def _reopen(self) -> FileIO:
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self._file = _open_alone(self.path)
        _cut_unfinished(file)
        first, last = _first_line(file), _last_line(file)
        self._first = None if first is None else self._mark(first)
        self._last = None if last is None else self._mark(last)
        return file

    def _mark(self, line: bytes) -> Mark:
        try:
            return self._read_mark(line)
        except (orjson.JSONDecodeError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            raise DeliveryFailed(
                f"{self.path} holds a line that is not of this forwarder; move the file away, or name another"
            ) from None

    # --- Renaming -------------------------------------------------------------------------------------------------

    def _rename(self) -> None:
        if self._first is None or self._last is None:
            return
        target = self.path.with_name(
            f"{self.path.stem}.{self._first.index:012}-{self._last.index:012}{self.path.suffix}"
        )
        if target.exists():
            raise DeliveryFailed(
                f"{target} is there already, so {self.path.name} cannot be renamed to it; move it away"
            )
        self.path.rename(target)
        synchronise_folder(self.path.parent)

    def _after_renamed(self) -> int:
        """The first index that is in none of the renamed files that are still here."""
        pattern = re.compile(rf"{re.escape(self.path.stem)}\.\d{{12,}}-(\d{{12,}}){re.escape(self.path.suffix)}")
        found = (pattern.fullmatch(one.name) for one in self.path.parent.iterdir())
        return max((int(one[1]) + 1 for one in found if one), default=0)


def _mark_of_entry(line: bytes) -> Mark:
    fields: dict[str, Any] = orjson.loads(line)
    return Mark(int(fields["index"]), datetime.fromisoformat(fields["time"]).astimezone(UTC).date())


def _mark_of_ocsf(line: bytes) -> Mark:
    event: dict[str, Any] = orjson.loads(line)
    index = int(str(event["metadata"]["uid"]).rpartition("#")[2])
    return Mark(index, datetime.fromtimestamp(event["time"] / 1000, UTC).date())


MARKS: dict[str, Callable[[bytes], Mark]] = {"entry": _mark_of_entry, "ocsf": _mark_of_ocsf}


def _open_alone(path: Path) -> FileIO:
    """Locked until it is closed, or its process ends. A link is not followed out of the folder."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    file = FileIO(descriptor, "r+")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise DeliveryFailed(f"another process writes to {path}") from None
    synchronise_folder(path.parent)
    return file


def _is_same(path: Path, file: FileIO) -> bool:
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    ours = os.fstat(file.fileno())
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _write_all(file: FileIO, text: bytes) -> None:
    left = memoryview(text)
    while left:
        left = left[os.write(file.fileno(), left) :]


def _tail(file: FileIO) -> bytes:
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), LONGEST_LINE, max(0, size - LONGEST_LINE))


def _cut_unfinished(file: FileIO) -> None:
    """A line without its end was being written when the process died: it is written again, whole."""
    tail = _tail(file)
    if tail and not tail.endswith(b"\n"):
        if b"\n" not in tail and len(tail) == LONGEST_LINE:
            raise DeliveryFailed("the file's last line is longer than any entry; move the file away, or name another")
        os.ftruncate(file.fileno(), os.fstat(file.fileno()).st_size - (len(tail) - tail.rfind(b"\n") - 1))
        os.fsync(file.fileno())


def _first_line(file: FileIO) -> bytes | None:
    head = os.pread(file.fileno(), LONGEST_LINE, 0)
    return head.partition(b"\n")[0] if head else None


def _last_line(file: FileIO) -> bytes | None:
    tail = _tail(file)
    return tail[:-1].rpartition(b"\n")[2] if tail else None
