"""Files that are written at one go: reports as PDF, and evidence bundles."""

from __future__ import annotations

from importlib import import_module
from typing import Any, BinaryIO

from audit.exports.errors import ExportFault
from audit.models import Export
from audit.search import EntryFilter, matching_indexes


def part(module: str, name: str) -> Any:
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ExportFault(f"This installation cannot make files of this format: {error}.") from error


def write_pdf(target: BinaryIO, export: Export) -> None:
    wanted = EntryFilter.of_json(export.filter)
    write_report = part("audit.reports.pdf", "write_report")
    write_report(target, export.report, wanted.since, wanted.until, export.requester, end=export.end)


def write_bundle(target: BinaryIO, export: Export) -> None:
    raise ExportFault("This installation cannot make bundles yet.")


def count_within_limit(export: Export, wanted: EntryFilter) -> int:
    """How many entries match. Raises `ExportFault` where policy allows fewer: evidence that was cut would prove less than it
    seems to."""
    count = 0
    for indexes in matching_indexes(wanted, export.first, export.end):
        count += len(indexes)
        if export.most_rows is not None and count > export.most_rows:
            raise ExportFault(
                f"More than {export.most_rows:,} entries match, and policy allows no more in one export. Narrow the"
                " filter or its period, and ask again."
            )
    return count
