"""What is not in the tables any more, or was exchanged, and whether an entry says that it had to be so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from audit.reading import ArchiveUnavailable
from audit.retention.archive_files import ArchiveReader, FileOf
from audit.retention.archives import merged
from audit.transparency.notes import VerifierKey
from audit.verification.findings import Fault
from audit.verification.ranges import WIDTH
from audit.verification.stored import Session, tile_roots
from audit.verification.testimony import Testimony

ERASED, MOVED, ROTATED = "subject.erased", "ledger.pruned", "key.rotated"
Check = Callable[[Testimony], Fault | None]


def _reads_archives(check: Check) -> Check:
    """An archive that an answer needs and that does not open leaves it open whether the log is right: a fault."""

    @wraps(check)
    def checked(testimony: Testimony) -> Fault | None:
        try:
            return check(testimony)
        except (ArchiveUnavailable, OSError) as error:
            return Fault(0, f"cannot be read: {error}", testimony.first - 1, "what was moved to archives")

    return checked


# --- Payloads and their keys ----------------------------------------------------------------------------------------


def check_lacking(testimony: Testimony, lacking: dict[str, int]) -> Fault | None:
    """Payloads may be missing whose keys an entry names as erased."""

    @_reads_archives
    def check(testimony: Testimony) -> Fault | None:
        unsaid = _not_erased(testimony, lacking)
        missing = [index for key, index in lacking.items() if key in unsaid]
        if not missing:
            return None
        return Fault(min(missing), "its payload is missing, and no entry says that its key was erased")

    return check(testimony) if lacking else None


_KEYS = (
    "SELECT id::text, subject, sealed IS NULL OR erased_at IS NOT NULL FROM audit_subjectkey ORDER BY created_at, id"
)
_UNOPENED = """
SELECT min(index) FROM audit_payload AS payload
WHERE key IS NOT NULL AND NOT EXISTS (SELECT FROM audit_subjectkey AS subject WHERE subject.id = payload.key)
"""


@_reads_archives
def check_erased(testimony: Testimony) -> Fault | None:
    """Keys are destroyed exactly if an entry says so, and none is lost that something is sealed with."""
    keys = testimony.session.execute(_KEYS).fetchall()
    destroyed = {key: subject for key, subject, is_destroyed in keys if is_destroyed}
    if unsaid := _not_erased(testimony, destroyed):
        key = min(unsaid)
        return Fault(0, "was destroyed, and no entry says so", subject=f"the key {key} of {destroyed[key]!r}")
    said = _erased(testimony.live(ERASED))
    for key, subject, is_destroyed in keys:
        if key in said and not is_destroyed:
            return Fault(
                0, "is there, and an entry says that it was destroyed", subject=f"the key {key} of {subject!r}"
            )
    row = testimony.session.execute(_UNOPENED).fetchone()
    return Fault(row[0], "the key that opens its payload is gone") if row and row[0] is not None else None


def _not_erased(testimony: Testimony, keys: Iterable[str]) -> set[str]:
    """Archives are read only if live entries do not say it."""
    left = {*keys}
    left -= _erased(testimony.live(ERASED))
    return left - _erased(testimony.archived(ERASED)) if left else left


def _erased(said: Iterable[tuple[int, dict[str, Any]]]) -> set[str]:
    return {key for _, header in said for key in _listed(header.get("keys")) if isinstance(key, str)}


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


# --- Entries that were moved ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Archive:
    """As listed; `entry` is where the log says so."""

    file: FileOf
    entry: int | None

    def fault(self, what: str) -> Fault:
        return Fault(self.file.first, what, self.file.end - 1)


@_reads_archives
def check_moved_away(testimony: Testimony) -> Fault | None:
    """Archives follow each other from the beginning to the first live entry. Of each an entry in the tree says range,
    digest and hashes, wherever that entry is now; and its file is there."""
    place, live = 0, dict(testimony.live(MOVED))
    for archive in _archives(testimony.session):
        if archive.file.first > place:
            break
        if archive.file.first < place or archive.file.end > testimony.first:
            return archive.fault("the list of archives has them, and they are live or in another one")
        said = live.get(archive.entry or 0) or _moved_entry(testimony, archive)
        if fault := _compare(testimony.session, archive, said):
            return fault
        place = archive.file.end
    if place < testimony.first:
        return _without_archive(place, testimony.first, live)
    return None


def _archives(session: Session) -> list[_Archive]:
    rows = session.execute('SELECT address, first, "end", bytes, sha256, entry FROM audit_archive ORDER BY first')
    return [_Archive(FileOf(*row[:5]), row[5]) for row in rows.fetchall()]


def _moved_entry(testimony: Testimony, archive: _Archive) -> dict[str, Any] | None:
    if archive.entry is None or not 0 <= archive.entry < testimony.first:
        return None
    return testimony.archived_at(archive.entry, MOVED)


def _compare(session: Session, archive: _Archive, said: dict[str, Any] | None) -> Fault | None:
    file = archive.file
    if said is None or (said.get("first"), said.get("end")) != (file.first, file.end):
        return archive.fault(
            "are gone, and no entry says that they were moved to the archive that the list has of them"
        )
    if said.get("peaks") != _peaks(session, file.first, file.end):
        return archive.fault("the entry that says that they were moved names other hashes than the tiles")
    if said.get("sha256") != file.sha256:
        return archive.fault("the list of archives names another file than the entry that says that they were moved")
    try:
        ArchiveReader(file).close()
    except ArchiveUnavailable as error:
        return archive.fault(f"their archive cannot be read: {error}")
    return None


def _without_archive(place: int, first: int, live: dict[int, dict[str, Any]]) -> Fault:
    for index, said in live.items():
        if said.get("first") == place:
            return Fault(
                place, f"the list of archives has none of them, and entry {index} says that one has", first - 1
            )
    return Fault(place, "are gone, and no entry says that they were moved to an archive", first - 1)


def _peaks(session: Session, first: int, end: int) -> list[str]:
    """Roots of the perfect sub-trees that a range of whole tiles is made of, from left to right."""
    roots = tile_roots(session, first // WIDTH, end // WIDTH)
    return [peak.hex() for peak in merged(first // WIDTH, [roots[number] for number in sorted(roots)])]


# --- The log's own keys ---------------------------------------------------------------------------------------------


@_reads_archives
def check_keys(testimony: Testimony) -> Fault | None:
    """Of each key but the first an entry says that the log got it."""
    rows = testimony.session.execute("SELECT name, public FROM audit_logkey ORDER BY created_at OFFSET 1").fetchall()
    left = {str(VerifierKey(name, 1, bytes(public))) for name, public in rows}
    left -= {str(said.get("key")) for _, said in testimony.live(ROTATED)}
    if left:
        left -= {str(said.get("key")) for _, said in testimony.archived(ROTATED)}
    return Fault(0, "no entry says that the log got it", subject=f"the log's key {min(left)}") if left else None
