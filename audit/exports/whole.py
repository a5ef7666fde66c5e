"""Files that are written at one go: reports as PDF, and evidence bundles."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import BinaryIO

from audit.evidence.bundle import Question
from audit.evidence.bundle import write_bundle as make_bundle
from audit.exports.errors import ExportFault
from audit.models import Export
from audit.reports.pdf import write_report
from audit.search import EntryFilter, matching_indexes

TELL_SECONDS = 0.5


def write_pdf(target: BinaryIO, export: Export) -> None:
    wanted = EntryFilter.of_json(export.filter)
    if wanted.since is None or wanted.until is None:
        raise ExportFault("A report needs its period. Ask again, with since and until.")
    write_report(target, export.report, wanted.since, wanted.until, export.requester, end=export.end)
    export.next = export.end


def write_bundle(target: BinaryIO, export: Export) -> None:
    wanted = EntryFilter.of_json(export.filter)
    check_limit(export, wanted)
    asked = Question(
        first=export.first,
        end=export.end,
        filter=export.filter,
        made_by=export.requester,
        payloads=bool(export.progress.get("payloads")),
    )
    is_all = wanted == EntryFilter()
    written = make_bundle(
        target,
        asked,
        None if is_all else matching_indexes(wanted, export.first, export.end),
        progress_of(export, is_all=is_all),
    )
    export.rows, export.next = written.entries, export.end


def progress_of(export: Export, *, is_all: bool) -> Callable[[int], None]:
    """Only told: a bundle that was broken off begins anew."""
    told = time.monotonic()

    def progress(rows: int) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_SECONDS:
            told = time.monotonic()
            place = export.first + rows if is_all else export.first
            Export.objects.filter(pk=export.pk, state="running").update(rows=rows, next=place)

    return progress


def check_limit(export: Export, wanted: EntryFilter) -> None:
    """Raises `ExportFault` where policy allows fewer: evidence that was cut would prove less than it
    seems to."""
    if export.most_rows is None or export.end - export.first <= export.most_rows:
        return
    count = 0
    for indexes in matching_indexes(wanted, export.first, export.end):
        count += len(indexes)
        if count > export.most_rows:
            raise ExportFault(
                f"More than {export.most_rows:,} entries match, and policy allows no more in one export. Narrow the"
                " filter or its period, and ask again."
            )
