"""Verifies one range of the log: its entries, the tiles and the checkpoints that end in it.

A range begins where a tile begins, so it can be done without any other: all it gives back is the roots of its tiles,
and the hashes left over at its end and at each size that somebody keeps a root of. `growth` puts ranges together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from audit.merkle import HASH_SIZE, Frontier
from audit.transparency.heads import parse_checkpoint
from audit.transparency.notes import NoteError, VerifierKey, parse, verify
from audit.verification.findings import Fault
from audit.verification.rows import Header, Row, check_found, check_header, check_row, lacks_payload, spelled
from audit.verification.stored import (
    Hashes,
    Session,
    Unreadable,
    full_tiles,
    rows_between,
    stored_leaves,
    tile_roots,
)

WIDTH = 256


@dataclass(frozen=True, slots=True)
class Task:
    """`hashes`: the range is not asked about, and only gives what the tree is made of. `archived`: no entries left."""

    first: int
    end: int
    how: Literal["entries", "hashes", "archived"]
    taken: int
    sizes: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """The tree at `size`: `peaks` are those of the leaves past its last full tile. `root` is that of a stored checkpoint."""

    size: int
    peaks: list[bytes]
    root: bytes | None = None
    signed_by: tuple[str, ...] = ()


@dataclass(slots=True)
class Outcome:
    """`count` entries from the beginning of the range are right. `lacking`: the first entry without payload, by key."""

    roots: list[bytes] = field(default_factory=list)
    rest: list[bytes] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    count: int = 0
    lacking: dict[str, int] = field(default_factory=dict)
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A checkpoint as stored, with what is wrong with it by itself."""

    size: int
    root: bytes
    signed_by: tuple[str, ...] = ()
    problem: str = ""


def check_range(session: Session, task: Task) -> Outcome:
    outcome = Outcome()
    try:
        if task.how == "hashes":
            _take_hashes(session, task, outcome)
        else:
            walk = _Walk(session, task, outcome)
            (_walk_entries if task.how == "entries" else _walk_archived)(session, task, walk)
    except (Unreadable, _Wrong) as wrong:
        outcome.fault = wrong.fault
    return outcome


class _Wrong(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class _Walk:
    """Takes leaves in order, and compares them with tiles and checkpoints as it passes them."""

    def __init__(self, session: Session, task: Task, outcome: Outcome) -> None:
        self.place, self.outcome = task.first, outcome
        self.tiles = full_tiles(session, 0, task.first // WIDTH, task.end // WIDTH)
        self.must_have_tiles = task.how == "archived"
        self.tile, self.frontier = list[bytes](), Frontier()
        self.checkpoints = iter(_checkpoints(session, task))
        self.checkpoint = next(self.checkpoints, None)
        self.sizes = iter(sorted(set(task.sizes)))
        self.size = next(self.sizes, None)

    def take(self, leaf: bytes) -> None:
        self.tile.append(leaf)
        self.frontier.append(leaf)
        self.place += 1
        if len(self.tile) == WIDTH:
            self._end_tile()
        if self.size == self.place:
            self.outcome.marks.append(Mark(self.place, list(self.frontier.peaks)))
            self.size = next(self.sizes, None)
        if self.checkpoint and self.checkpoint.size == self.place:
            self._pass_checkpoint(self.checkpoint)
            self.checkpoint = next(self.checkpoints, None)
        self.outcome.count += 1

    def end(self) -> None:
        self.outcome.rest = list(self.frontier.peaks)

    def _end_tile(self) -> None:
        number, root = self.place // WIDTH - 1, self.frontier.root()
        if stored := self.tiles.get(number):
            if fault := check_tile(0, number, self.tile, root, *stored):
                raise _Wrong(fault)
        elif self.must_have_tiles:
            raise _Wrong(missing_tile(0, number))
        self.outcome.roots.append(root)
        self.tile, self.frontier = [], Frontier()

    def _pass_checkpoint(self, checkpoint: Stored) -> None:
        if checkpoint.problem:
            raise _Wrong(checkpoint_fault(checkpoint.size, checkpoint.problem))
        mark = Mark(checkpoint.size, list(self.frontier.peaks), checkpoint.root, checkpoint.signed_by)
        self.outcome.marks.append(mark)


# --- Entries --------------------------------------------------------------------------------------------------------


def _walk_entries(session: Session, task: Task, walk: _Walk) -> None:
    hashes = Hashes(session)
    for rows in rows_between(session, task.first, task.end, task.taken):
        good, fault = _check_rows(rows, walk.place, hashes)
        for row, header in good:
            walk.take(row.leaf or b"")
            if lacks_payload(row, header):
                _note_lacking(walk.outcome, row, header)
        if fault:
            raise _Wrong(fault)
    if walk.place < task.end:
        raise _Wrong(_missing(session, walk.place))
    walk.end()


def _check_rows(rows: list[Row], place: int, hashes: Hashes) -> tuple[list[tuple[Row, Header]], Fault | None]:
    """Those before the first that is wrong, with their headers, and what is wrong with that."""
    good, fault = list[tuple[Row, Header]](), None
    for row in rows:
        header = _check_place(row, place + len(good)) or check_header(row)
        fault = header if isinstance(header, Fault) else check_row(row, header)
        if fault or isinstance(header, Fault):
            break
        good.append((row, header))
    known = hashes.learn({text for row, header in good if row.found for text in spelled(row, header)})
    for number, (row, header) in enumerate(good):
        if wrong := check_found(row, header, known):
            return good[:number], wrong
    return good, fault


def _check_place(row: Row, place: int) -> Fault | None:
    if row.index > place:
        return Fault(place, f"is missing; the next entry that is there has index {row.index}")
    return Fault(row.index, "is there twice, or out of order") if row.index < place else None


def _missing(session: Session, place: int) -> Fault:
    row = session.execute(
        "SELECT (SELECT min(index) FROM audit_entry WHERE index >= %s), size FROM audit_head WHERE id = 1", [place]
    ).fetchone()
    following, size = row or (None, 0)
    if following is not None and following < size:
        return Fault(place, f"is missing; the next entry that is there has index {following}")
    return Fault(place, f"is missing: the head says {size} entries, the log ends here")


def _note_lacking(outcome: Outcome, row: Row, header: Header) -> None:
    """Right if its key was erased, which the end of the verification tells; wrong if none was named."""
    key = header.get("payload_key")
    if not isinstance(key, str):
        outcome.count -= 1
        raise _Wrong(Fault(row.index, "its payload is missing"))
    outcome.lacking.setdefault(key, row.index)


# --- Entries that were moved away -----------------------------------------------------------------------------------


def _walk_archived(session: Session, task: Task, walk: _Walk) -> None:
    """Their hashes are in the tiles. Some entries may still be there, when moving them was interrupted."""
    left = _left_behind(session, task)
    entry = next(left, None)
    for number in range(task.first // WIDTH, task.end // WIDTH):
        if number not in walk.tiles:
            raise _Wrong(missing_tile(0, number))
        for leaf in split_hashes(walk.tiles[number][0]):
            if entry and entry.index == walk.place:
                if fault := check_moved(entry.index, entry.leaf, leaf):
                    raise _Wrong(fault)
                entry = next(left, None)
            walk.take(leaf)
    walk.end()


def _left_behind(session: Session, task: Task) -> Iterator[Row]:
    hashes = Hashes(session)
    for rows in rows_between(session, task.first, task.end, task.taken):
        for row in rows:
            header = check_header(row)
            if isinstance(header, Fault):
                raise _Wrong(header)
            if fault := check_row(row, header):
                raise _Wrong(fault)
            # What it is found by may be gone already.
            if row.found and (fault := check_found(row, header, hashes.learn({*spelled(row, header)}))):
                raise _Wrong(fault)
            yield row


def check_moved(index: int, leaf: bytes | None, recorded: bytes) -> Fault | None:
    return None if leaf == recorded else Fault(index, "it is not the entry whose hash the tiles keep")


# --- Tiles and checkpoints ------------------------------------------------------------------------------------------


def check_tile(
    level: int, number: int, made: list[bytes], made_root: bytes, hashes: bytes, root: bytes
) -> Fault | None:
    """`made` is what the level below gives."""
    if hashes == b"".join(made):
        return None if root == made_root else _tile_fault(level, number, "its root is not that of its hashes")
    if len(hashes) != WIDTH * HASH_SIZE:
        return _tile_fault(level, number, f"has {len(hashes)} bytes, not {WIDTH * HASH_SIZE}")
    place = next(place for place, pair in enumerate(zip(made, split_hashes(hashes), strict=True)) if pair[0] != pair[1])
    if level:
        return _tile_fault(
            level, number, f"its hash {place} is not the root of tile {level - 1}/{number * WIDTH + place}"
        )
    what = f"its leaf is not the one in tile 0/{number}: the entry was replaced, or the tile was changed"
    return Fault(number * WIDTH + place, what)


def missing_tile(level: int, number: int) -> Fault:
    return _tile_fault(level, number, "is missing")


def _tile_fault(level: int, number: int, what: str) -> Fault:
    span = WIDTH ** (level + 1)
    return Fault(number * span, what, (number + 1) * span - 1, f"tile {level}/{number}")


def checkpoint_fault(size: int, what: str) -> Fault:
    return Fault(0, what, max(size - 1, 0), f"the checkpoint of {size} entries")


def split_hashes(packed: bytes) -> list[bytes]:
    return [packed[at : at + HASH_SIZE] for at in range(0, len(packed), HASH_SIZE)]


def _checkpoints(session: Session, task: Task) -> Iterator[Stored]:
    found = session.execute(
        "SELECT size, substring(root FOR 33), left(note, 100001) FROM audit_checkpoint"
        " WHERE size > %s AND size <= %s ORDER BY size",
        [task.first, task.end],
    )
    keys = [VerifierKey.parse(key) for key in task.keys]
    for size, root, note in found:
        yield read_checkpoint(size, bytes(root or b""), note or "", keys)


def read_checkpoint(size: int, root: bytes, text: str, keys: list[VerifierKey]) -> Stored:
    try:
        note = parse(text)
        head = parse_checkpoint(note.text)
        signed_by = tuple(str(one.key) for one in verify(note, keys))
    except NoteError as error:
        return Stored(size, root, problem=f"its note is not right: {error}")
    if (head.size, head.root) != (size, root):
        return Stored(
            size, root, problem=f"its note says {head.size} entries and another root, or one of them was changed"
        )
    return Stored(size, root, signed_by)


# --- Hashes only ----------------------------------------------------------------------------------------------------


def _take_hashes(session: Session, task: Task, outcome: Outcome) -> None:
    """The roots of full tiles as stored; what is not in a full tile from the entries' leaves, unread."""
    first, end = task.first // WIDTH, task.end // WIDTH
    roots = tile_roots(session, first, end)
    for number in range(first, end):
        root = roots.get(number)
        outcome.roots.append(root if root and len(root) == HASH_SIZE else _over(session, number * WIDTH, WIDTH).root())
    outcome.rest = _over(session, end * WIDTH, task.end % WIDTH).peaks
    for size in sorted(set(task.sizes)):
        outcome.marks.append(Mark(size, _over(session, size - size % WIDTH, size % WIDTH).peaks))


def _over(session: Session, first: int, count: int) -> Frontier:
    """The tree over some leaves of one tile."""
    frontier = Frontier()
    tile = full_tiles(session, 0, first // WIDTH, first // WIDTH + 1).get(first // WIDTH) if count else None
    whole = tile is not None and len(tile[0]) == WIDTH * HASH_SIZE
    leaves = split_hashes(tile[0])[:count] if tile and whole else stored_leaves(session, first, first + count)
    for leaf in leaves:
        frontier.append(leaf)
    return frontier
