"""Asking for an export, looking at it, cancelling it, taking it away. Whoever asks is asked about: policy decides, and each
step is an entry in the ledger before it happens."""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from audit import ledger
from audit.entries import EntryTooLarge
from audit.events import clean_text
from audit.exports import publishing
from audit.exports.ending import end_without_file
from audit.exports.errors import (
    ExportGone,
    ExportInvalid,
    ExportNotReady,
    ExportRefused,
    ExportUndecided,
    TooManyExports,
    UnknownExport,
)
from audit.exports.formats import FORMATS, file_name
from audit.exports.permission import Permission, Undecided, may_export
from audit.exports.reading import Wanted, check
from audit.following import catch_up
from audit.models import Export, Head, SearchEntry
from audit.search import EntryFilter
from identity.principals import Principal

# Whoever has the machine.
COMMAND_LINE = "command line"
AUDITORS = "auditors"
MOST_OPEN = 5
OPEN = ("queued", "running")
ASKING_LOCK = 0x43537801  # any number that nothing else locks


@dataclass(frozen=True, slots=True)
class Download:
    """A file that may be taken away. `etag` changes with its content."""

    export: Export
    path: Path
    size: int
    etag: str
    media_type: str
    name: str


# --- Asking -------------------------------------------------------------------------------------------------------


def ask(principal: Principal | None, wanted: Wanted, *, door: str, publish: bool = True) -> Export:
    """The export, recorded and waiting for a worker. Its range ends with the newest entry of this moment, so what it causes
    itself is not in it. `principal` None: whoever has the machine, whom no policy is asked about.

    Raises `ExportInvalid`, `ExportRefused` (recorded), `TooManyExports`, `ExportUndecided`.
    """
    wanted = check(wanted)
    permission = _permitted(principal, wanted, door)
    if principal is not None and not principal.is_person:
        wanted = dataclasses.replace(wanted, filter=dataclasses.replace(wanted.filter, principal=principal.label))
    first, end = _range(wanted.filter)
    try:
        return _record(_label(principal), wanted, permission, (first, end), door=door, publish=publish)
    except EntryTooLarge as error:
        raise ExportInvalid("The filter is too long to be recorded.", "Use fewer or shorter values.") from error


def _record(
    requester: str, wanted: Wanted, permission: Permission, between: tuple[int, int], *, door: str, publish: bool
) -> Export:
    first, end = between
    with transaction.atomic():
        _require_room(requester)
        export = Export.objects.create(
            requester=requester,
            format=wanted.format,
            report=wanted.report,
            filter=wanted.filter.as_json(),
            first=first,
            end=end,
            next=first,
            most_rows=permission.most_rows,
            policies=list(permission.policies),
            progress={"payloads": True} if wanted.payloads else {},
        )
        receipt = ledger.append_within(
            "export.requested",
            principal=requester,
            export=export.pk,
            first=first,
            end=end,
            limit=permission.most_rows,
            policies=list(permission.policies),
            **_said(wanted, door),
        )
        # The row was locked by its own insert: nobody has seen it without this.
        Export.objects.filter(pk=export.pk).update(entry=receipt.index)
        export.entry = receipt.index
        if publish:
            transaction.on_commit(lambda: publishing.publish(export.pk))
    return export


def _require_room(requester: str) -> None:
    """Counted by one at a time for each requester, so that many calls at once get no further than one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [ASKING_LOCK, requester])
    if Export.objects.filter(requester=requester, state__in=OPEN).count() >= MOST_OPEN:
        raise TooManyExports(f"{MOST_OPEN} of your exports are under way.", "Wait for one to end, or cancel one.")


def _said(wanted: Wanted, door: str) -> dict[str, Any]:
    return {
        "format": wanted.format,
        "report": wanted.report or None,
        "filter": wanted.filter.as_json() or None,
        "payloads": wanted.payloads or None,
        "door": door or None,
    }


def _range(wanted: EntryFilter) -> tuple[int, int]:
    """Narrowed to the times of the filter as far as the log's own order tells; the filter itself says the rest."""
    catch_up()
    head = Head.objects.get(id=1)
    first, end = 0, head.size
    if wanted.since and (found := _first_at(wanted.since)) != head.first:
        first = head.size if found is None else found
    if wanted.until and (found := _first_at(wanted.until)) is not None:
        end = min(end, found)
    return min(first, end), end


def _first_at(moment: datetime) -> int | None:
    """The first live entry of that time or later."""
    later = SearchEntry.objects.filter(time__gte=moment).order_by("time", "index")
    return later.values_list("index", flat=True).first()


# --- Permission ---------------------------------------------------------------------------------------------------


def decide(principal: Principal, door: str) -> Permission:
    """Raises `ExportUndecided`."""
    try:
        return may_export(principal, door)
    except Undecided as error:
        raise ExportUndecided(str(error)) from error


def may_include_payloads(principal: Principal) -> bool:
    return principal.is_administrator or (principal.is_person and AUDITORS in principal.groups)


def _permitted(principal: Principal | None, wanted: Wanted, door: str) -> Permission:
    if principal is None:
        return Permission(True, ("command-line",), "Permitted: it has the machine.")
    permission = decide(principal, door)
    if permission.is_allowed:
        permission = _withheld(principal, wanted.format, payloads=wanted.payloads) or permission
    if not permission.is_allowed:
        _record_refusal(principal, permission, **_said(wanted, door))
    return permission


def _withheld(principal: Principal, form: str, *, payloads: bool) -> Permission | None:
    """What no policy can permit, since it shows more than this principal sees anywhere else."""
    auditor = may_include_payloads(principal)
    if payloads and not auditor:
        return Permission(
            False, ("payloads-for-auditors",), "Payloads are for auditors and administrators.", "Ask without payloads."
        )
    if form == "pdf" and not auditor:
        return Permission(
            False, ("reports-for-auditors",), "Reports are for auditors and administrators.", "Ask for another format."
        )
    if form == "bundle" and not principal.is_person:
        return Permission(
            False, ("bundles-for-people",), "Bundles hold entries of others beside those asked for: they are for people.",
            "Ask for another format.",
        )  # fmt: skip
    return None


def _record_refusal(principal: Principal, permission: Permission, **said: Any) -> None:
    """Raises `ExportRefused`, once it is recorded."""
    ledger.append(
        "export.refused",
        principal=principal.label,
        message=clean_text(permission.message),
        policies=list(permission.policies),
        **said,
    )
    raise ExportRefused(permission.message, permission.remedy, permission.policies)


# --- Looking ------------------------------------------------------------------------------------------------------


def list_for(principal: Principal) -> QuerySet[Export]:
    """Their own; administrators see all. Newest first."""
    exports = Export.objects.order_by("-created_at", "id")
    return exports if principal.is_administrator else exports.filter(requester=principal.label)


def fetch_for(principal: Principal, export_id: uuid.UUID) -> Export:
    found = list_for(principal).filter(pk=export_id).first()
    if found is None:
        raise UnknownExport("There is none, or it is not yours to see.")
    return found


def cancel(principal: Principal | None, export: Export) -> Export:
    """Whoever makes it notices within seconds and ends."""
    if not end_without_file(export.pk, "cancelled", by=_label(principal)):
        export.refresh_from_db()
        raise ExportNotReady(f"The export has ended: it is {export.state}.", "There is nothing to cancel.")
    export.refresh_from_db()
    return export


def _label(principal: Principal | None) -> str:
    return COMMAND_LINE if principal is None else principal.label


# --- Taking away --------------------------------------------------------------------------------------------------


def open_download(principal: Principal | None, export: Export, *, door: str) -> Download:
    """Asked about anew, so that a right that was taken away is not used up. Nothing is recorded yet: `record_download`.

    Raises `ExportRefused` (recorded), `ExportNotReady`, `ExportGone`.
    """
    if principal is not None:
        _require_right(principal, export, door)
    if export.state == "expired":
        raise ExportGone("The file was deleted when its time was over.", "Ask for the export again.")
    if export.state != "done":
        raise ExportNotReady(f"There is no file: the export is {export.state}.", export.problem)
    path = Path(settings.EXPORTS_DIR) / export.file
    if not path.is_file() or path.stat().st_size != export.bytes:
        raise ExportGone(
            "The file is not there, or not the one that was made.",
            "Ask for the export again. If that happens again, see that web and worker processes share one"
            " COUNTERSIGN_EXPORTS.",
        )
    return Download(
        export, path, export.bytes, f'"{export.sha256}"', FORMATS[export.format].media_type, file_name(export)
    )


def _require_right(principal: Principal, export: Export, door: str) -> None:
    permission = decide(principal, door)
    if permission.is_allowed:
        payloads = bool(export.progress.get("payloads"))
        permission = _withheld(principal, export.format, payloads=payloads) or permission
    if not permission.is_allowed:
        _record_refusal(principal, permission, format=export.format, export=export.pk, door=door)


def record_download(principal: Principal | None, download: Download, *, door: str, start: int, size: int) -> None:
    """Before the first byte leaves."""
    ledger.append(
        "export.downloaded",
        principal=_label(principal),
        export=download.export.pk,
        format=download.export.format,
        sha256=download.export.sha256,
        bytes=size,
        start=start or None,
        door=door or None,
    )
