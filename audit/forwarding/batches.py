"""What a forwarder sends next: entries of the log from an index on, as the texts that receivers get.

A batch is a range of the log. The entries in it are those of the forwarder's kinds; the range also covers those that are
not, so that a receiver can tell a gap from what it did not ask for. Payloads are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson

from audit.exports.ocsf import to_ocsf
from audit.reading import StoredEntry, entries_between

FORMS = {"entry": "Entries as they are hashed", "ocsf": "OCSF events"}
# How much of the log one batch may cover where few entries are of the forwarder's kinds.
MOST_READ = 20_000


class LogBroken(Exception):
    """An entry is missing: nothing is sent past it, since a receiver could take the gap for the log."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`kinds`: which ones; empty for all. `form`: how entries are written."""

    log: str
    form: str = "entry"
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Line:
    index: int
    time: datetime
    kind: str
    verdict: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries `first` to before `end` of the log, of which `lines` are sent."""

    first: int
    end: int
    lines: list[Line]


def read_batch(first: int, size: int, selection: Selection, *, most_lines: int, most_bytes: int) -> Batch:
    """As many as fit, at least one entry. `size` is the log's, and `first` is below it. Raises `LogBroken`."""
    lines: list[Line] = []
    end, held = first, 0
    for entry in entries_between(first, min(size, first + MOST_READ)):
        if entry.index != end:
            break
        if not selection.kinds or entry.kind in selection.kinds:
            line = line_of(entry, selection)
            if lines and (len(lines) >= most_lines or held + len(line.text) > most_bytes):
                return Batch(first, end, lines)
            lines.append(line)
            held += len(line.text)
        end += 1
    if end == first:
        raise LogBroken(
            f"entry {first} is missing from the ledger; run `manage.py ledger verify`, nothing is sent past it"
        )
    return Batch(first, end, lines)


def read_range(first: int, end: int, selection: Selection) -> Batch:
    """The same batch once more: the same entries, as the same bytes. Raises `LogBroken`."""
    batch = read_batch(first, end, selection, most_lines=end - first, most_bytes=2**63)
    if batch.end != end:
        raise LogBroken(
            f"entry {batch.end} is missing from the ledger; run `manage.py ledger verify`, nothing is sent past it"
        )
    return batch


def line_of(entry: StoredEntry, selection: Selection) -> Line:
    fields = entry.fields
    text = entry.header if selection.form == "entry" else orjson.dumps(to_ocsf(fields, log=selection.log))
    return Line(entry.index, entry.time, entry.kind, str(fields.get("verdict") or ""), text)
