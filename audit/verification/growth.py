"""Puts the outcomes of ranges together, in order, into the tree of the whole log."""

from __future__ import annotations

from audit.merkle import EMPTY_ROOT, Frontier
from audit.verification.findings import Fault, Noted
from audit.verification.ranges import WIDTH, Mark, Outcome, check_tile, checkpoint_fault
from audit.verification.stored import Session, full_tiles


class Growth:
    """`agreed` is the largest size at which the tree had a root that somebody keeps."""

    def __init__(self, session: Session, noted: list[Noted], *, compare_tiles: bool) -> None:
        self._session, self._compare = session, compare_tiles
        self._noted: dict[int, list[Noted]] = {}
        for one in noted:
            self._noted.setdefault(one.size, []).append(one)
        self._tiles = Frontier()
        self._levels: list[list[bytes]] = []
        self._rest: list[bytes] = []
        self._agreed = 0
        self.checkpoints = 0
        self.signed_by: tuple[str, ...] = ()

    def at(self, size: int, peaks: list[bytes]) -> Frontier:
        return Frontier(size, [*self._tiles.peaks, *peaks])

    def take(self, first: int, outcome: Outcome) -> Fault | None:
        """The marks of the outcome lie between its tiles: each is compared when the tree has that size."""
        waiting = iter(outcome.roots)
        for mark in sorted(outcome.marks, key=lambda mark: mark.size):
            while self._tiles.size < mark.size // WIDTH:
                if fault := self._add(next(waiting)):
                    return fault
            if fault := self._compare_mark(mark):
                return fault
        for root in waiting:
            if fault := self._add(root):
                return fault
        self._rest = outcome.rest
        return None

    def whole(self, size: int) -> Frontier:
        return self.at(size, self._rest)

    def check_empty(self) -> Fault | None:
        """What was kept of the empty log."""
        return self._compare_mark(Mark(0, []))

    def _compare_mark(self, mark: Mark) -> Fault | None:
        root = self.at(mark.size, mark.peaks).root() if mark.size else EMPTY_ROOT
        since, last = self._agreed, max(mark.size - 1, 0)
        for noted in self._noted.get(mark.size, ()):
            if noted.root != root:
                what = f"the first {mark.size} entries do not have the root {noted.by}"
                return Fault(min(since, last), what, last)
        if mark.root is not None:
            if mark.root != root:
                what = f"its root is not that of the entries; they were right up to {since}"
                return checkpoint_fault(mark.size, what)
            self.checkpoints, self.signed_by = self.checkpoints + 1, mark.signed_by
        self._agreed = mark.size
        return None

    def _add(self, root: bytes) -> Fault | None:
        self._tiles.append(root)
        return self._add_at(0, root) if self._compare else None

    def _add_at(self, level: int, root: bytes) -> Fault | None:
        """Upper tiles are compared when the last hash of each is known."""
        if len(self._levels) == level:
            self._levels.append([])
        hashes = self._levels[level]
        hashes.append(root)
        if len(hashes) < WIDTH:
            return None
        over = Frontier()
        for one in hashes:
            over.append(one)
        made = over.root()
        number = (self._tiles.size >> 8 * (level + 1)) - 1
        stored = full_tiles(self._session, level + 1, number, number + 1).get(number)
        if stored and (fault := check_tile(level + 1, number, hashes, made, *stored)):
            return fault
        self._levels[level] = []
        return self._add_at(level + 1, made)


def check_head(frontier: Frontier, head: Frontier) -> Fault | None:
    for found, recorded, (start, end) in zip(frontier.peaks, head.peaks, frontier.ranges(), strict=True):
        if found != recorded:
            return Fault(start, "not what the head was computed from: at least one of them was replaced", end - 1)
    return None
