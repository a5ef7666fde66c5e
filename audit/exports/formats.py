"""The formats, one line each. A gathered format is added to batch by batch and can be taken up where it stopped; a whole one
is written at one go, and anew when it was broken off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from audit.exports.lines import csv_head, csv_lines, ndjson, ocsf
from audit.exports.parquet import arrow_head, arrow_rows, write_parquet
from audit.exports.whole import write_bundle, write_pdf
from audit.models import Export
from audit.reading import StoredEntry

Encode = Callable[[Iterable[StoredEntry], bool], bytes]


@dataclass(frozen=True, slots=True)
class Gathered:
    """`encode` is told whether to open payloads. `finish` makes the file from what was gathered; None: it is the file."""

    encode: Encode
    head: Callable[[], bytes] = bytes
    finish: Callable[[Path, Path, Callable[[], None]], None] | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    write: Callable[[BinaryIO, Export], None]


@dataclass(frozen=True, slots=True)
class Format:
    title: str
    extension: str
    media_type: str
    making: Gathered | Whole
    holds_payloads: bool = False


FORMATS: Mapping[str, Format] = {
    "csv": Format("CSV", "csv", "text/csv; charset=utf-8", Gathered(csv_lines, csv_head)),
    "ndjson": Format("NDJSON", "ndjson", "application/x-ndjson", Gathered(ndjson), holds_payloads=True),
    "parquet": Format(
        "Parquet", "parquet", "application/vnd.apache.parquet", Gathered(arrow_rows, arrow_head, write_parquet)
    ),
    "ocsf": Format("OCSF, as NDJSON", "ocsf.ndjson", "application/x-ndjson", Gathered(ocsf)),
    "pdf": Format("Report, as PDF", "pdf", "application/pdf", Whole(write_pdf)),
    "bundle": Format("Evidence bundle", "zip", "application/zip", Whole(write_bundle), holds_payloads=True),
}


def file_name(export: Export) -> str:
    """What a browser saves it as."""
    what = export.report or "ledger"
    last = max(export.first, export.end - 1)
    return f"countersign-{what}-{export.first}-to-{last}-{str(export.pk)[:8]}.{FORMATS[export.format].extension}"
