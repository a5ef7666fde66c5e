"""Reads the archives themselves: that each file is the one that was written, and holds the entries of the log."""

from __future__ import annotations

import uuid

from audit.entries import format_time
from audit.models import Archive
from audit.payloads import payload_digest
from audit.reading import ArchiveUnavailable, StoredEntry, entries_between, file_of
from audit.retention.archive_files import digest_of, place_at
from audit.verification.findings import Fault, Progress
from audit.verification.rows import Payload, Row, check_header, check_row

_TELL_EVERY = 16_384


def check_archives(end: int, within: tuple[int, int] | None, progress: Progress | None) -> Fault | None:
    """Of the entries below `end`. `entries_between` compares each with the tiles."""
    first = within[0] if within else 0
    end = min(end, within[1]) if within else end
    if first >= end:
        return None
    return _check_files(first, end) or _check_entries(first, end, progress)


def _check_files(first: int, end: int) -> Fault | None:
    for archive in Archive.objects.filter(first__lt=end, end__gt=first):
        try:
            digest, size = digest_of(place_at(archive.address))
        except (ArchiveUnavailable, OSError) as error:
            return _fault(archive, f"cannot be read: {error}")
        if (digest, size) != (archive.sha256, archive.bytes):
            return _fault(archive, f"is not the file that was written: its SHA-256 is {digest}, not {archive.sha256}")
    return None


def _fault(archive: Archive, what: str) -> Fault:
    subject = f"the archive of entries {archive.first} to {archive.end - 1} ({file_of(archive).address})"
    return Fault(archive.first, what, archive.end - 1, subject)


def _check_entries(first: int, end: int, progress: Progress | None) -> Fault | None:
    place = first
    try:
        for place, entry in enumerate(entries_between(first, end, with_payloads=True), first):
            if fault := _check_entry(entry, place):
                return fault
            if progress and (place + 1) % _TELL_EVERY == 0:
                progress(place + 1 - first, end - first)
    except (ArchiveUnavailable, OSError) as error:
        return Fault(place, str(error), end - 1)
    return None if place + 1 == end else Fault(place + 1, "is missing from its archive")


def _check_entry(entry: StoredEntry, place: int) -> Fault | None:
    if entry.index != place:
        return Fault(place, "is missing from its archive")
    payload = None
    if entry.payload is not None:
        key = entry.payload.key
        digest = payload_digest(entry.payload.nonce, entry.payload.ciphertext)
        payload = Payload(str(key) if isinstance(key, uuid.UUID) else None, digest)
    columns = {"time": format_time(entry.time), "kind": entry.kind}
    row = Row(place, columns, entry.header, len(entry.header), entry.leaf, payload)
    header = check_header(row)
    return header if isinstance(header, Fault) else check_row(row, header)
