"""Where files of exports are: one folder an export below `COUNTERSIGN_EXPORTS`, which web and worker processes share.

Only one process makes an export at a time: it holds a lock on the folder, which the system lets go when the process dies,
and not before. One that was stopped and comes back has never lost it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from audit.durable import synchronise

LOCK = "lock"


class LostWork(Exception):
    """What was made so far is not there any more, or less of it than was promised: it is made again from the start."""


def folder_of(export: uuid.UUID) -> Path:
    return Path(settings.EXPORTS_DIR) / str(export)


@contextmanager
def held(export: uuid.UUID) -> Iterator[Path | None]:
    """The export's folder, made if need be; None if another process is at it."""
    folder = folder_of(export)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield folder


def clear(export: uuid.UUID) -> None:
    """Its files are deleted; it is no error that there are none."""
    shutil.rmtree(folder_of(export), ignore_errors=True)


def empty(folder: Path) -> None:
    """All but the lock, which is held."""
    for path in folder.iterdir():
        if path.name != LOCK:
            path.unlink()


class GrowingFile:
    """A file that is only added to. `keep` makes what was added durable and says how long it is now; opened again with that
    length it goes on from there, whatever had been written behind it."""

    def __init__(self, path: Path, length: int) -> None:
        self._file: BinaryIO = path.open("r+b" if path.exists() else "w+b")
        if self._file.seek(0, os.SEEK_END) < length:
            self._file.close()
            raise LostWork(f"{path.name} has fewer bytes than were kept")
        self._file.truncate(length)
        self._file.seek(length)

    def add(self, data: bytes) -> None:
        self._file.write(data)

    def keep(self) -> int:
        synchronise(self._file)
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
