"""Moving old entries out of the database, into archive files. Nothing is deleted before its copy was read back and every
hash in it compared with the tree; that they were moved is an entry itself, and the tree stays whole in the tiles.

A crash at any point leaves either a file that nothing refers to, or entries that are in both places: the next run deletes
those first.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit import ledger
from audit.entries import format_time
from audit.intents import SPAN, catch_up_to_the_end, open_intents
from audit.merkle import node_hash
from audit.models import Archive, Entry, Head
from audit.payloads import ErasedError, payload_digest
from audit.reading import StoredEntry, compare_with_tiles, entries_between, entries_of
from audit.retention import keys
from audit.retention.archive_files import LOGGED, PAYLOAD, ArchiveReader, FileOf, place_at
from audit.retention.archive_writing import discard, write_archive
from audit.transparency.tiles import bring_up_to_date

logger = logging.getLogger(__name__)

# Archives begin and end where tiles do, so that the tree over what was moved is in full tiles.
WIDTH = 256
MOST_IN_FILE = 1_048_576
DELETED_AT_ONCE = 8192
_LOCK = 0x0C57_A2C1  # any number that nothing else locks


class NotArchived(Exception):
    """Nothing was moved, or not all of it. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Entries from `first` to before `end` can be moved. `held` says what keeps older ones than asked for, if anything."""

    first: int
    end: int
    held: str = ""


def plan(before: datetime) -> Plan:
    """What is older than `before`, in whole tiles, up to the first entry whose story is not over."""
    head = Head.objects.get(id=1)
    wanted = _first_since(before, head.first, head.size)
    index, held = _first_open(head.first, wanted)
    end = max(head.first, min(wanted, index) // WIDTH * WIDTH)
    return Plan(head.first, end, held)


def archive(before: datetime, *, actor: str, destination: str = "", reason: str = "") -> tuple[list[Archive], Plan]:
    """Moves what can be moved, file by file. Raises `NotArchived`, `ArchiveUnavailable`, `LedgerUnavailable`; files that
    were finished before stay archived."""
    wanted = destination or settings.ARCHIVES
    # Told now, not on the day when there is something to move.
    place_at(wanted)
    with _alone():
        delete_moved()
        planned = plan(before)
        bring_up_to_date()
        moved = []
        for first in range(planned.first, planned.end, MOST_IN_FILE):
            end = min(first + MOST_IN_FILE, planned.end)
            moved.append(_move(first, end, wanted, actor, reason))
            delete_moved()
    return moved, planned


@contextmanager
def _alone() -> Iterator[None]:
    """One archiver at a time. The database lets go of the lock when this process dies."""
    with keys.connect() as session:
        row = session.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
        if not (row and row[0]):
            raise NotArchived("Another process is archiving. Try again when it has ended.")
        yield


# --- What can be moved --------------------------------------------------------------------------------------------


def _first_since(moment: datetime, first: int, size: int) -> int:
    """The index of the first live entry that is not older. Time never goes back in the log, so it is found by halving."""
    low, high = first, size
    with connection.cursor() as cursor:
        while low < high:
            middle = (low + high) // 2
            cursor.execute('SELECT "time" FROM audit_entry WHERE index = %s', [middle])
            row = cursor.fetchone()
            if row is None:
                raise NotArchived(f"Entry {middle} is missing. Run `manage.py ledger verify`; nothing was moved.")
            low, high = (middle + 1, high) if row[0] < moment else (low, middle)
    return low


_OPEN_REQUEST = """
SELECT min(created.index) FROM audit_searchentry AS created
WHERE created.kind = 'request.created' AND created.index >= %s AND created.index < %s
  AND NOT EXISTS (
    SELECT FROM audit_searchentry AS ended
    WHERE ended.request = created.request AND ended.index > created.index
      AND (ended.kind IN ('request.rejected', 'request.withdrawn', 'request.expired', 'request.drifted')
           OR ended.kind = 'execution.finished' AND ended.status IS DISTINCT FROM 'not_executed')
  )
"""


def _first_open(first: int, end: int) -> tuple[int, str]:
    """The first entry that must stay, because what it began has not ended; and what to tell of it."""
    catch_up_to_the_end()
    intent = next(open_intents(first, end), None)
    stop = intent.index if intent else end
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_REQUEST, [first, stop])
        request = cursor.fetchone()[0]
    if request is not None:
        return request, f"entry {request} is a request that is still open"
    if intent is not None:
        return intent.index, f"entry {intent.index} is an intent without an outcome (query {intent.query})"
    return end, ""


# --- Moving -------------------------------------------------------------------------------------------------------


def _move(first: int, end: int, destination: str, actor: str, reason: str) -> Archive:
    file = write_archive(destination, first, end, entries_between(first, end, with_payloads=True))
    try:
        since, until = _read_back(file)
        moved = _record(file, since, until, actor, reason)
    except BaseException:
        # A transaction whose commit is not known to have failed may have made the file the only copy.
        if Head.objects.get(id=1).first <= first:
            discard(place_at(file.address))
        raise
    logger.info("moved entries %d to %d to %s", first, end - 1, file.address)
    return moved


def _read_back(file: FileOf) -> tuple[datetime, datetime]:
    """Every entry of the range is in the file, with the hash that the tree has and the payload that it was written with."""
    since = until = None
    place = file.first
    with ArchiveReader(file) as reader:
        for batch in reader.read_between(file.first, file.end, (*LOGGED, *PAYLOAD)):
            entries = entries_of(batch)
            if [entry.index for entry in entries] != list(range(place, place + len(entries))):
                raise NotArchived(f"Entries from {place} on are not all there. Run `manage.py ledger verify`.")
            compare_with_tiles(file, entries)
            for entry in entries:
                _check_payload(entry)
            place += len(entries)
            since, until = since or entries[0].time, entries[-1].time
    if place != file.end or since is None or until is None:
        raise NotArchived(f"Entries from {place} on are not all there. Run `manage.py ledger verify`.")
    return since, until


def _check_payload(entry: StoredEntry) -> None:
    header, payload = orjson.loads(entry.header), entry.payload
    if payload is not None:
        right = payload_digest(payload.nonce, payload.ciphertext) == header.get("payload_digest")
        right = right and (str(payload.key) if payload.key else None) == header.get("payload_key")
    else:
        right = header.get("payload_digest") is None or _is_erased(header.get("payload_key"))
    if not right:
        raise NotArchived(f"The payload of entry {entry.index} is not as recorded. Run `manage.py ledger verify`.")


def _is_erased(key: str | None) -> bool:
    if key is None:
        return False
    try:
        keys.key_that_opens(uuid.UUID(key))
    except ErasedError:
        return True
    return False


def _record(file: FileOf, since: datetime, until: datetime, actor: str, reason: str) -> Archive:
    """From here on the file is where these entries are."""
    peaks = [peak.hex() for peak in peaks_between(file.first, file.end)]
    with transaction.atomic():
        if Head.objects.select_for_update().get(id=1).first != file.first:
            raise NotArchived("Another process moved these entries meanwhile. Try again.")
        receipt = ledger.append_within(
            "ledger.pruned",
            actor=actor,
            first=file.first,
            end=file.end,
            sha256=file.sha256,
            peaks=peaks,
            address=file.address,
            bytes=file.bytes,
            since=format_time(since),
            until=format_time(until),
            reason=reason or None,
        )
        moved = Archive.objects.create(
            first=file.first,
            end=file.end,
            address=file.address,
            sha256=file.sha256,
            bytes=file.bytes,
            since=since,
            until=until,
            entry=receipt.index,
            created_at=timezone.now(),
        )
        # Last: the database refuses it unless both of them say so.
        Head.objects.filter(id=1).update(first=file.end)
    return moved


def peaks_between(first: int, end: int) -> list[bytes]:
    """The roots of the perfect sub-trees that a range of whole tiles is made of, from left to right."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT root FROM audit_tile WHERE level = 0 AND number >= %s AND number < %s ORDER BY number",
            [first // WIDTH, end // WIDTH],
        )
        roots = [bytes(root) for (root,) in cursor.fetchall()]
    if len(roots) != (end - first) // WIDTH:
        raise NotArchived(
            f"The tiles of entries {first} to {end - 1} are not all there. Run `manage.py ledger verify`."
        )
    return merged(first // WIDTH, roots)


def merged(start: int, roots: list[bytes]) -> list[bytes]:
    """Neighbours of one size that are the two halves of a sub-tree of the whole tree become one. `start`: the first's place."""
    stack: list[tuple[int, int, bytes]] = []  # width, place, root
    for place, root in enumerate(roots, start):
        width, at, top = 1, place, root
        while stack and stack[-1][0] == width and stack[-1][1] % (2 * width) == 0:
            _, at, left = stack.pop()
            top, width = node_hash(left, top), 2 * width
        stack.append((width, at, top))
    return [root for _, _, root in stack]


# --- Deleting -----------------------------------------------------------------------------------------------------

_TABLES = ("audit_payload", "audit_searchterm", "audit_searchentry", "audit_entry")
_LOWEST = f"""
SELECT least({", ".join(f"(SELECT min(index) FROM {table})" for table in _TABLES)}),
       (SELECT first FROM audit_head WHERE id = 1)
"""  # noqa: S608  constants of this module


def delete_moved() -> int:
    """Deletes what is still in the database although an archive has it, a piece at a time. Returns how many indexes."""
    with connection.cursor() as cursor:
        cursor.execute(_LOWEST)
        lowest, first = cursor.fetchone()
    if lowest is None or lowest >= first:
        return 0
    for start in range(lowest, first, DELETED_AT_ONCE):
        with transaction.atomic(), connection.cursor() as cursor:
            for table in _TABLES:
                end = min(start + DELETED_AT_ONCE, first)
                cursor.execute(f"DELETE FROM {table} WHERE index >= %s AND index < %s", [start, end])  # noqa: S608
    return int(first - lowest)


# --- How it stands ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """`oldest`: the time of the oldest entry in the database. `overdue`: it should have been moved days ago."""

    days: int | None
    first: int
    oldest: datetime | None
    overdue: bool


def standing() -> Standing:
    """Whether retention does what it is set to. It fails loudly here even if no process is left that could tell."""
    first = Head.objects.get(id=1).first
    with connection.cursor() as cursor:
        cursor.execute('SELECT "time" FROM audit_entry WHERE index = %s', [first])
        row = cursor.fetchone()
    oldest = row[0] if row else None
    days = settings.RETENTION_DAYS or None
    late = days is not None and oldest is not None and (timezone.now() - oldest).days > days + 2
    return Standing(days, first, oldest, late)


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps entries in the database that are old enough to move. `index` is None where it is no entry's story."""

    index: int | None
    time: datetime | None
    what: str

    def __str__(self) -> str:
        return self.what if self.time is None else f"{self.what}, since {self.time:%Y-%m-%d %H:%M} UTC"


def hold() -> Hold | None:
    """Each run gets up to the entry that holds it, so that what holds up retention is never far from the first."""
    if not settings.RETENTION_DAYS:
        return None
    head = Head.objects.get(id=1)
    try:
        wanted = _first_since(timezone.now() - timedelta(days=settings.RETENTION_DAYS), head.first, head.size)
    except NotArchived as error:
        return Hold(None, None, str(error).rstrip("."))
    index, held = _first_open(head.first, min(wanted, head.first + SPAN))
    if not held:
        return None
    return Hold(index, Entry.objects.values_list("time", flat=True).filter(index=index).first(), held)
