"""What entries say of the log itself: what was erased, what was moved, which keys it got. In the live table or in archives.

What is said is believed only of entries that are in the tree, also where the entries around them are not asked about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from audit.merkle import Frontier, leaf_hash
from audit.reading import entries_between, entry_at
from audit.retention.archive_search import find_in_archives
from audit.search.archives import archived_before
from audit.search.filters import EntryFilter, SearchTooBroad
from audit.verification.ranges import WIDTH, split_hashes
from audit.verification.stored import Session, full_tiles

AT_ONCE = 500
Header = dict[str, Any]


@dataclass(slots=True)
class Testimony:
    """Entries below `first` were moved to archives."""

    session: Session
    first: int
    # Of the tile that was looked at last: whether its hashes give its root, which the tree is made of.
    _tile: tuple[int, list[bytes] | None] = field(default=(-1, None))

    def live(self, kind: str) -> Iterator[tuple[int, Header]]:
        found = self.session.execute(
            "SELECT index, header, leaf FROM audit_entry WHERE kind = %s AND octet_length(header) < 65536 ORDER BY index",
            [kind],
        )
        for index, header, leaf in found:
            if leaf_hash(header) == leaf and self._is_in_tree(index, leaf) and (said := _read(header, kind)):
                yield index, said

    def archived(self, kind: str) -> Iterator[tuple[int, Header]]:
        """What archives have, each compared with the tiles. For what live entries do not say. Raises `ArchiveUnavailable`."""
        for index, header in _found(kind) if self.first else ():
            if index < self.first and (said := _read(header, kind)):
                yield index, said

    def archived_at(self, index: int, kind: str) -> Header | None:
        entry = entry_at(index)
        return None if entry is None else _read(entry.header, kind)

    def _is_in_tree(self, index: int, leaf: bytes) -> bool:
        """An entry in no full tile is what the tree itself is made of."""
        number = index // WIDTH
        if self._tile[0] != number:
            self._tile = number, self._leaves(number)
        leaves = self._tile[1]
        return leaves is None or (len(leaves) == WIDTH and leaves[index % WIDTH] == leaf)

    def _leaves(self, number: int) -> list[bytes] | None:
        stored = full_tiles(self.session, 0, number, number + 1).get(number)
        if stored is None:
            return None
        leaves, frontier = split_hashes(stored[0]), Frontier()
        for leaf in leaves:
            frontier.append(leaf)
        return leaves if len(leaves) == WIDTH and frontier.root() == stored[1] else []


def _found(kind: str) -> Iterator[tuple[int, bytes]]:
    """By the archives' own columns; where that takes too long for a search, all entries are read."""
    after = -1
    while True:
        try:
            page = find_in_archives(EntryFilter(kind=kind), None, after, AT_ONCE)
        except SearchTooBroad:
            yield from ((entry.index, entry.header) for entry in entries_between(after + 1, archived_before()))
            return
        yield from ((entry.index, bytes(entry.header)) for entry in reversed(page))
        if len(page) < AT_ONCE:
            return
        after = page[0].index


def _read(header: bytes, kind: str) -> Header | None:
    try:
        fields = orjson.loads(header)
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) and fields.get("kind") == kind else None
