"""What is in the tables and belongs to no entry, or stands for entries that are not there any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from audit.merkle import Frontier, leaf_hash
from audit.retention.archives import merged
from audit.verification.findings import Fault
from audit.verification.ranges import WIDTH, missing_tile
from audit.verification.stored import Head, Session, tile_roots

_PAYLOAD = """
SELECT min(index) FROM audit_payload AS payload
WHERE index >= %(first)s AND NOT EXISTS (SELECT FROM audit_entry AS entry WHERE entry.index = payload.index)
"""


def check_strays(session: Session, head: Head) -> Iterator[Fault]:
    span = {"first": head.first, "size": head.size, "taken": head.taken}
    if (index := _one(session, "SELECT min(index) FROM audit_entry WHERE index < 0", span)) is not None:
        yield Fault(index, "is not part of the log: it begins at 0")
    if (index := _one(session, "SELECT min(index) FROM audit_entry WHERE index >= %(size)s", span)) is not None:
        yield Fault(index, f"is not part of the log: the head says {head.size} entries")
    if (index := _one(session, _PAYLOAD, span)) is not None:
        yield Fault(index, "there is a payload without an entry")
    for table in ("audit_searchentry", "audit_searchterm"):
        query = f"SELECT min(index) FROM {table} WHERE index >= %(taken)s OR index < 0"  # noqa: S608  constants
        if (index := _one(session, query, span)) is not None:
            yield Fault(index, "search lists it, but has not come so far: the row was put there by hand")
    yield from _stray_tiles(session, head)
    yield from _stray_checkpoints(session, head)


def _one(session: Session, query: str, parameters: dict[str, Any]) -> int | None:
    row = session.execute(query, parameters).fetchone()
    return row[0] if row else None


def _stray_tiles(session: Session, head: Head) -> Iterator[Fault]:
    found = session.execute(
        "SELECT level, min(number), max(number), count(*) FROM audit_tile GROUP BY level ORDER BY level"
    )
    for level, least, most, count in found.fetchall():
        full = head.size >> 8 * (level + 1) if 0 <= level < 8 else 0
        if least < 0 or most >= full:
            stray = least if least < 0 else most
            yield Fault(
                head.size, f"there is no such tile in a log of {head.size} entries", subject=f"tile {level}/{stray}"
            )
        elif count != most + 1:
            yield missing_tile(level, _first_missing(session, level))


def _first_missing(session: Session, level: int) -> int:
    row = session.execute(
        "SELECT min(place) FROM (SELECT number, row_number() OVER (ORDER BY number) - 1 AS place"
        " FROM audit_tile WHERE level = %s) AS tile WHERE number <> place",
        [level],
    ).fetchone()
    return row[0] if row and row[0] is not None else 0


def _stray_checkpoints(session: Session, head: Head) -> Iterator[Fault]:
    row = session.execute(
        "SELECT size, root FROM audit_checkpoint WHERE size < 0 OR size > %s OR (size = 0 AND root <> %s)"
        " ORDER BY size DESC LIMIT 1",
        [head.size, Frontier().root()],
    ).fetchone()
    if row and row[0] > head.size:
        yield Fault(head.size, f"is missing: the log had {row[0]} entries when a checkpoint of it was signed")
    elif row:
        yield Fault(0, "no log has or had this", subject=f"the checkpoint of {row[0]} entries")


# --- What may be missing, and why -----------------------------------------------------------------------------------


def check_lacking(session: Session, lacking: dict[str, int]) -> Fault | None:
    """Payloads may be missing whose keys an entry names as erased."""
    if not lacking:
        return None
    erased = {
        key
        for _, header in _events(session, "subject.erased")
        for key in _listed(header.get("keys"))
        if isinstance(key, str)
    }
    missing = [index for key, index in lacking.items() if key not in erased]
    return Fault(min(missing), "its payload is missing, and no entry says that its key was erased") if missing else None


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved to one archive; of the hashes nothing is said where the entry that did was moved too."""

    first: int
    end: int
    peaks: list[str] | None = None
    sha256: object = None


def check_pruned(session: Session, head: Head) -> Fault | None:
    """Entries may be gone that an entry says were moved, with the peaks of the tree over them and the file's digest."""
    place, files = 0, dict(session.execute("SELECT first, sha256 FROM audit_archive").fetchall())
    for moved in _moved(session, head.first):
        if moved.first > place:
            break
        if moved.peaks is not None and moved.peaks != _peaks(session, moved.first, moved.end):
            what = "the entry that says that they were moved names other hashes than the tiles"
            return Fault(moved.first, what, moved.end - 1)
        if moved.peaks is not None and moved.sha256 != files.get(moved.first):
            what = "the list of archives names another file than the entry that says that they were moved"
            return Fault(moved.first, what, moved.end - 1)
        place = max(place, moved.end)
    if place < head.first:
        return Fault(place, "are gone, and no entry says that they were moved to an archive", head.first - 1)
    return None


def _moved(session: Session, below: int) -> list[Moved]:
    """What live entries say was moved; for what older ones said, which were moved themselves, the list of archives."""
    said = [
        Moved(first, end, [str(peak) for peak in _listed(header.get("peaks"))], header.get("sha256"))
        for _, header in _events(session, "ledger.pruned")
        if isinstance(first := header.get("first"), int) and isinstance(end := header.get("end"), int) and first < end
    ]
    older = session.execute('SELECT first, "end" FROM audit_archive WHERE entry < %s', [below]).fetchall()
    return sorted([*said, *(Moved(first, end) for first, end in older)], key=lambda moved: (moved.first, moved.end))


def _peaks(session: Session, first: int, end: int) -> list[str]:
    """Roots of the perfect sub-trees that a range of whole tiles is made of, from left to right."""
    roots = tile_roots(session, first // WIDTH, end // WIDTH)
    return [peak.hex() for peak in merged(first // WIDTH, [roots[number] for number in sorted(roots)])]


def _events(session: Session, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Entries of one kind that hash to their leaf; that they are in the tree is checked with all others."""
    found = session.execute(
        "SELECT index, header, leaf FROM audit_entry WHERE kind = %s AND octet_length(header) < 65536 ORDER BY index",
        [kind],
    )
    for index, header, leaf in found:
        try:
            fields = orjson.loads(header)
        except orjson.JSONDecodeError:
            continue
        if leaf_hash(header) == leaf and isinstance(fields, dict) and fields.get("kind") == kind:
            yield index, fields


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
