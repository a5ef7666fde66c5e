"""Takes the rows that a statement changes out of what it returns, for an undo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg

from gateway.drivers.base import Images, Taken
from gateway.drivers.postgres_stream import StreamingCursor
from gateway.drivers.postgres_values import parameters

# Many, since each is split in Python, and their number and size are bounded here.
CHUNK = 500


class Taking:
    """Splits rows into what the statement returns itself and the images behind that. Past the limits nothing is kept."""

    def __init__(self, images: Images) -> None:
        self._images = images
        self._bytes = 0
        self.width = images.before + images.after
        self.taken = Taken()

    def look_first(self, connection: psycopg.Connection[Any]) -> None:
        """What is read here is locked until the transaction ends."""
        if not self._images.first:
            return
        with StreamingCursor(connection) as cursor:
            sql, given = self._images.first.encode(), parameters(self._images.first_params)
            with closing(cursor.chunks(sql, given, CHUNK, as_text=self._images.after)) as chunks:
                for rows in chunks:
                    self._count(rows, len(self.taken.first))
                    if not self.taken.too_many:
                        self.taken.first += rows

    def own(self, chunks: Iterator[list[list[Any]]]) -> Iterator[list[list[Any]]]:
        for rows in chunks:
            before, after = self._images.before, self._images.after
            self._count([row[-self.width :] for row in rows], max(len(self.taken.before), len(self.taken.after)))
            if not self.taken.too_many:
                self.taken.before += [row[-self.width : len(row) - after] for row in rows] if before else []
                self.taken.after += [row[-after:] for row in rows] if after else []
            if rows and len(rows[0]) > self.width:
                yield [row[: -self.width] for row in rows]

    def _count(self, rows: list[list[str | None]], already: int) -> None:
        if self.taken.too_many:
            return
        self._bytes += sum(len(value) for row in rows for value in row if value is not None)
        if already + len(rows) > self._images.max_rows or self._bytes > self._images.max_bytes:
            self.taken = Taken(too_many=True)
