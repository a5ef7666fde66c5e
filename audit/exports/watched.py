"""A file that is written at one go, by something that knows nothing of exports."""

from __future__ import annotations

import logging
import threading
import uuid
from io import BufferedRandom, FileIO
from pathlib import Path
from typing import Any

from django.db import Error as DatabaseFault
from django.db import connection
from django.utils import timezone

from audit.models import Export

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.5


class Stopped(Exception):
    """The export was cancelled meanwhile."""


class Watched:
    """A thread says meanwhile that the export is alive, and once it was cancelled the next write raises `Stopped`."""

    def __init__(self, export: uuid.UUID, path: Path) -> None:
        self._export = export
        self._path = path
        self._over = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="export-beat", daemon=True)

    def __enter__(self) -> BufferedRandom:
        self._thread.start()
        self._file = BufferedRandom(_WatchedFile(self._path, self._stopped))
        return self._file

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        self._file.close()

    def _beat(self) -> None:
        try:
            while not self._over.wait(BEAT_SECONDS):
                running = Export.objects.filter(pk=self._export, state="running")
                if not running.update(beat_at=timezone.now()):
                    self._stopped.set()
                    return
        except DatabaseFault as error:
            logger.warning("Export %s cannot say that it is alive: %s", self._export, error)
        finally:
            connection.close()


class _WatchedFile(FileIO):
    def __init__(self, path: Path, stopped: threading.Event) -> None:
        super().__init__(path, "w+")
        self._was_stopped = stopped

    def write(self, data: Any, /) -> int:
        if self._was_stopped.is_set():
            raise Stopped
        return super().write(data) or 0
