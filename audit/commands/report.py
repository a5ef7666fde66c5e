"""`manage.py ledger report`."""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from audit import ledger
from audit.exports.service import COMMAND_LINE
from audit.ledger import LedgerUnavailable
from audit.reading import ArchiveUnavailable
from audit.reports.as_json import report_json
from audit.reports.asking import asked_for
from audit.reports.making import REPORTS, make_report
from audit.reports.model import Report
from audit.reports.pdf import write_pdf
from audit.reports.periods import PRESETS, PeriodError
from audit.reports.sources import ReportError
from audit.web.report_shapes import file_context

HELP = "make a report for auditors"
DESCRIPTION = """Make a report over a period from the entries of the ledger, and write it as PDF, JSON or HTML, by the name of
the file. The same period and the same --end give the same report; each report prints the command that makes it again."""
STYLES = ("tokens", "base", "components", "pages", "reports")
FORMATS = {".pdf": "pdf", ".json": "json", ".html": "html"}


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME", choices=list(REPORTS), help=", ".join(REPORTS))
    parser.add_argument("--period", choices=list(PRESETS), help="instead of --since and --until; the month by default")
    parser.add_argument("--since", default="", help="a date like 2026-01-01, or a time with its offset; included")
    parser.add_argument("--until", default="", help="a date, which is included, or a time, which is not")
    parser.add_argument("--zone", default="UTC", help="IANA time zone of dates and of what is shown (default: UTC)")
    parser.add_argument("--end", default="", metavar="INDEX", help="read no entry of this index or later")
    parser.add_argument("--output", required=True, type=Path, metavar="FILE", help="FILE.pdf, FILE.json or FILE.html")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    target: Path = options["output"]
    form = FORMATS.get(target.suffix.lower())
    if form is None:
        raise CommandError(f"{target}: the file's name must end with .pdf, .json or .html.")
    given = {name: options[name] or "" for name in ("period", "since", "until", "zone", "end")}
    try:
        asked = asked_for(given)
        made = make_report(options["name"], asked.period, asked.end)
        _record_and_write(made, form, target)
    except (PeriodError, ReportError, ArchiveUnavailable) as error:
        raise CommandError(str(error)) from error
    except LedgerUnavailable as error:
        raise CommandError(
            f"The ledger cannot record that the report is taken away, so it is not written: {error}"
        ) from error
    except OSError as error:
        raise CommandError(f"{target} cannot be written: {error.strerror or error}") from error
    command.stdout.write(f"{made.summary}\n{target}: entries {made.basis.first} to before {made.basis.end}.")


def _record_and_write(made: Report, form: str, target: Path) -> None:
    """Recorded before there is a file, and after it is on disk."""
    said: dict[str, Any] = {
        "principal": COMMAND_LINE, "export": str(uuid.uuid4()), "format": form, "report": made.name,
        "first": made.basis.first, "end": made.basis.end,
    }  # fmt: skip
    ledger.append("export.requested", **said)
    with target.open("wb") as file:
        if form == "pdf":
            write_pdf(file, made, COMMAND_LINE)
        else:
            file.write(orjson.dumps(report_json(made), option=orjson.OPT_INDENT_2) if form == "json" else _html(made))
        file.flush()
        os.fsync(file.fileno())
    content = target.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    ledger.append("export.finished", **said, bytes=len(content), sha256=digest, status="done")


def _html(made: Report) -> bytes:
    """One file that needs no other: the styles are in it."""
    styles = "".join((settings.BASE_DIR / "static" / "css" / f"{name}.css").read_text() for name in STYLES)
    return render_to_string("audit/report-alone.html", {**file_context(made), "styles": mark_safe(styles)}).encode()  # noqa: S308  our own files
