"""Makes the file of an export, from where it stopped if it was broken off.

What was gathered is durable before the row says so (`next`, `rows`, the file's length), and what a dead process wrote behind
that is cut off: no entry comes twice and none is lost. Every half a second the row is written; when it says by then that
the export was cancelled, making ends and the file is deleted.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.durable import synchronise, synchronise_folder
from audit.exports.ending import failed
from audit.exports.folder import GrowingFile, LostWork, clear, empty, folder_of, held
from audit.exports.formats import FORMATS, Gathered, Whole
from audit.exports.selection import Batch, batches
from audit.exports.watched import Stopped, Watched
from audit.ledger import LedgerUnavailable
from audit.models import Export
from audit.search import EntryFilter

logger = logging.getLogger(__name__)

KEEP_SECONDS = 0.5
HASH_BYTES = 4 * 1024 * 1024
# Pauses before it is tried again; after the last it has failed.
Tell = Callable[[Export], None]


def make(export_id: uuid.UUID, *, tell: Tell = lambda _export: None, seconds: float | None = None) -> Export | None:
    """Until it has ended, or for about so many seconds; then somebody calls this again.

    None where another process is at it, or there is nothing to do. Raises only what is wrong with the control database
    or the ledger: the row stays as it was, and it is taken up again.
    """
    if not Export.objects.filter(pk=export_id, state__in=("queued", "running")).exists():
        return None
    with held(export_id) as folder:
        export = _claim(export_id) if folder else None
        if folder is None or export is None:
            return None
        keeper = Keeper(export, tell, seconds)
        try:
            _make(export, folder, keeper)
        except Stopped:
            clear(export_id)
        except (LedgerUnavailable, DatabaseFault):
            raise
        except LostWork as lost:
            logger.warning("Export %s begins anew: %s", export_id, lost)
            _begin_anew(export)
        except Exception as error:  # noqa: BLE001  stands in the row, where people look, and is tried again
            failed(export, error)
    export.refresh_from_db()
    return export


def _claim(export_id: uuid.UUID) -> Export | None:
    found = Export.objects.filter(pk=export_id, state__in=("queued", "running"))
    return found.first() if found.update(state="running", beat_at=timezone.now()) else None


class Keeper:
    """Writes the row of an export that is being made. Raises `Stopped` once it is not to be made any more."""

    def __init__(self, export: Export, tell: Tell, seconds: float | None) -> None:
        self._export = export
        self._tell = tell
        self._kept_at = time.monotonic()
        self._until = None if seconds is None else self._kept_at + seconds

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._kept_at >= KEEP_SECONDS

    @property
    def is_over(self) -> bool:
        return self._until is not None and time.monotonic() >= self._until

    def keep(self) -> None:
        export = self._export
        self._write(next=export.next, rows=export.rows, progress=export.progress)
        self._tell(export)

    def beat(self) -> None:
        """Says that it is alive, where nothing else has changed."""
        if self.is_due:
            self._write()

    def _write(self, **changes: Any) -> None:
        running = Export.objects.filter(pk=self._export.pk, state="running")
        if not running.update(beat_at=timezone.now(), **changes):
            raise Stopped
        self._kept_at = time.monotonic()


# --- The file -----------------------------------------------------------------------------------------------------


def _make(export: Export, folder: Path, keeper: Keeper) -> None:
    form = FORMATS[export.format]
    target = folder / f"export.{form.extension}"
    making = form.making
    if isinstance(making, Whole):
        with Watched(export.pk, target) as file:
            making.write(file, export)
        keeper.keep()
        _done(export, target, keeper)
    elif making.finish is None:
        if _gather(export, making, target, keeper):
            _done(export, target, keeper)
    elif _gather(export, making, gathered := folder / "gathered", keeper):
        making.finish(gathered, target, keeper.beat)
        _done(export, target, keeper)
        gathered.unlink()


def _gather(export: Export, making: Gathered, path: Path, keeper: Keeper) -> bool:
    """Whether all is gathered; it is not when the time was over before that."""
    wanted = EntryFilter.of_json(export.filter)
    with_payloads = bool(export.progress.get("payloads"))
    file = GrowingFile(path, export.progress.get("bytes", 0))
    try:
        if not export.progress.get("bytes"):
            synchronise_folder(path.parent)
            file.add(making.head())
        for batch in batches(wanted, export.next, export.end, with_payloads=with_payloads):
            if export.progress.get("truncated"):
                break
            _take(export, batch, making, file, with_payloads)
            if keeper.is_due:
                _keep(export, file, keeper)
                if keeper.is_over:
                    return False
        _keep(export, file, keeper)
    finally:
        file.close()
    return True


def _take(export: Export, batch: Batch, making: Gathered, file: GrowingFile, with_payloads: bool) -> None:
    entries, following = batch.entries, batch.next
    left = len(entries) if export.most_rows is None else export.most_rows - export.rows
    if len(entries) > left:
        following = entries[left].index
        entries = entries[:left]
        export.progress["truncated"] = True
    if entries:
        file.add(making.encode(entries, with_payloads))
    export.rows += len(entries)
    export.next = following


def _keep(export: Export, file: GrowingFile, keeper: Keeper) -> None:
    export.progress["bytes"] = file.keep()
    keeper.keep()


# --- Its end ------------------------------------------------------------------------------------------------------


def _done(export: Export, target: Path, keeper: Keeper) -> None:
    digest, size = _digest(target, keeper)
    synchronise_folder(target.parent)
    now = timezone.now()
    changes = {
        "state": "done",
        "file": f"{export.pk}/{target.name}",
        "bytes": size,
        "sha256": digest,
        "problem": "",
        "finished_at": now,
        "expires_at": now + timedelta(days=settings.EXPORT_RETENTION_DAYS),
    }
    with transaction.atomic():
        if not Export.objects.filter(pk=export.pk, state="running").update(**changes):
            raise Stopped
        ledger.append_within(
            "export.finished",
            principal=export.requester,
            export=export.pk,
            status="done",
            format=export.format,
            rows=export.rows,
            bytes=size,
            sha256=digest,
            truncated=export.progress.get("truncated"),
        )


def _digest(path: Path, keeper: Keeper) -> tuple[str, int]:
    """With all of it on the disk: what is promised from here on is there after a crash too."""
    digest, size = sha256(), 0
    with path.open("rb+") as file:
        synchronise(file)
        while part := file.read(HASH_BYTES):
            digest.update(part)
            size += len(part)
            keeper.beat()
    return digest.hexdigest(), size


def _begin_anew(export: Export) -> None:
    empty(folder_of(export.pk))
    kept = {name: export.progress[name] for name in ("payloads",) if name in export.progress}
    Export.objects.filter(pk=export.pk, state="running").update(
        state="queued", next=export.first, rows=0, progress=kept, beat_at=None
    )
