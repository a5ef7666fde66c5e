"""Files that are written at one go: reports as PDF, and evidence bundles."""

from __future__ import annotations

from importlib import import_module
from typing import Any, BinaryIO

from audit.exports.errors import ExportFault
from audit.models import Export
from audit.search import EntryFilter


def part(module: str, name: str) -> Any:
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ExportFault(f"This installation cannot make files of this format: {error}.") from error


def write_pdf(target: BinaryIO, export: Export) -> None:
    wanted = EntryFilter.of_json(export.filter)
    write_report = part("audit.reports.pdf", "write_report")
    write_report(target, export.report, wanted.since, wanted.until, export.requester)


def write_bundle(target: BinaryIO, export: Export) -> None:
    raise ExportFault("no bundles")
