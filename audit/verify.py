"""Verification: recompute everything from the headers and say which entry is wrong first (P6). Pure.

`verify` works over an iterator of rows, so it serves the live tables, an export and a test alike. It shows that the
entries are exactly those that the head was computed from. Who can rewrite the head as well can rewrite the whole log:
only a root that was noted elsewhere, given as `expected`, shows that.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from audit.entries import format_time
from audit.merkle import Frontier, leaf_hash
from audit.payloads import payload_digest

COMPARED = ("time", "kind")


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as stored. `columns` holds the values of `COMPARED`; `payload` is (nonce, ciphertext)."""

    index: int
    columns: Mapping[str, object]
    header: bytes
    leaf: bytes
    payload: tuple[bytes, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """A root that somebody wrote down when the log had `size` entries."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing wrong. `last` is set where only a range of entries can be named."""

    index: int
    what: str
    last: int | None = None

    def __str__(self) -> str:
        place = f"entry {self.index}" if self.last in (None, self.index) else f"entries {self.index} to {self.last}"
        return f"{place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Report:
    """`count` entries were found right, with `root` (hex) as the root of their tree."""

    count: int
    root: str
    fault: Fault | None = None

    @property
    def intact(self) -> bool:
        return self.fault is None


def verify(rows: Iterable[Row], head: Frontier, expected: Noted | None = None) -> Report:
    frontier = Frontier()
    fault = _check_expected(frontier, expected)
    for row in rows:
        fault = fault or _check_place(row, frontier.size, head.size) or _check_row(row)
        if fault:
            break
        frontier.append(row.leaf)
        fault = _check_expected(frontier, expected)
    fault = fault or _check_head(frontier, head) or _check_reached(frontier, expected)
    return Report(frontier.size, frontier.root().hex(), fault)


def _check_place(row: Row, place: int, size: int) -> Fault | None:
    if row.index > place:
        return Fault(place, f"is missing; the next entry that is there has index {row.index}")
    if row.index < place:
        return Fault(row.index, "is there twice, or out of order")
    if place >= size:
        return Fault(place, f"is not part of the log: the head says {size} entries")
    return None


def _check_row(row: Row) -> Fault | None:
    if leaf_hash(row.header) != row.leaf:
        return Fault(row.index, "its header does not hash to its leaf: one of the two was changed")
    try:
        header = orjson.loads(row.header)
    except orjson.JSONDecodeError as error:
        return Fault(row.index, f"its header cannot be read: {error}")
    if not isinstance(header, dict) or header.get("index") != row.index:
        return Fault(row.index, "its header was written for another place in the log")
    for column in COMPARED:
        stored, recorded = _as_recorded(row.columns.get(column)), header.get(column)
        if stored != recorded:
            return Fault(row.index, f"the column {column} says {stored!r}, the header says {recorded!r}")
    return _check_payload(row, header.get("payload_digest"))


def _as_recorded(value: object) -> object:
    if isinstance(value, datetime):
        return format_time(value)
    return str(value) if isinstance(value, uuid.UUID) else value


def _check_payload(row: Row, digest: object) -> Fault | None:
    if row.payload is None:
        return None if digest is None else Fault(row.index, "its payload is missing")
    if digest is None:
        return Fault(row.index, "it has a payload that was not recorded with it")
    if payload_digest(*row.payload) != digest:
        return Fault(row.index, "its payload was changed: it does not hash to the digest in the header")
    return None


def _check_head(frontier: Frontier, head: Frontier) -> Fault | None:
    if frontier.size < head.size:
        return Fault(frontier.size, f"is missing: the head says {head.size} entries, the log ends here")
    for found, recorded, (start, end) in zip(frontier.peaks, head.peaks, frontier.ranges(), strict=True):
        if found != recorded:
            return Fault(start, "not what the head was computed from: at least one of them was replaced", end - 1)
    return None


def _check_expected(frontier: Frontier, expected: Noted | None) -> Fault | None:
    if expected is None or frontier.size != expected.size or frontier.root() == expected.root:
        return None
    return Fault(0, f"the first {expected.size} entries do not have the root that was noted", max(expected.size - 1, 0))


def _check_reached(frontier: Frontier, expected: Noted | None) -> Fault | None:
    if expected is None or frontier.size >= expected.size:
        return None
    return Fault(frontier.size, f"is missing: the log had {expected.size} entries when its root was noted")
