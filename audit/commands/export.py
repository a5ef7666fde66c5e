"""`manage.py ledger export`."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError

from audit.exports import making, service
from audit.exports.errors import ExportProblem
from audit.exports.folder import clear
from audit.exports.formats import FORMATS
from audit.exports.output import percent
from audit.exports.reading import Wanted, filter_of
from audit.ledger import LedgerUnavailable
from audit.models import Export
from audit.search.filters import COLUMNS, NAMES, TERMS
from identity.errors import IdentityError
from identity.people import find_user
from identity.principals import Principal, principal_of_user

HELP = "write entries to a file: CSV, NDJSON, Parquet, OCSF, a report as PDF, an evidence bundle"
DESCRIPTION = """Write entries of the ledger to a file. The same as an export over REST or in the browser: it is recorded
before anything is made, and its range ends with the newest entry of that moment. Without --user it is recorded as the
command line's, and no policy is asked. The file appears under its name only once it is whole."""
DOOR = ""
REPEATED = tuple(NAMES.get(name, name) for name in (*COLUMNS, *TERMS))


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--format", required=True, choices=list(FORMATS))
    parser.add_argument("--output", required=True, metavar="FILE", type=Path, help="where to; must not exist yet")
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")
    parser.add_argument("--report", default="", help="which report the PDF is of")
    parser.add_argument("--payloads", action="store_true", help="with what is kept encrypted (ndjson, bundle)")
    parser.add_argument("--user", metavar="NAME", help="export as this person, by what policy permits them")
    only = parser.add_argument_group("only entries that match", "each but the times, text and risk may be repeated")
    only.add_argument("--since", metavar="TIME", help="at this time or later, such as 2026-01-31T12:00:00Z")
    only.add_argument("--until", metavar="TIME", help="before this time")
    only.add_argument("--text", help="in the normalised statement")
    only.add_argument("--risk-min", type=int, metavar="N")
    for name in REPEATED:
        only.add_argument(f"--{name.replace('_', '-')}", action="append", metavar="VALUE", dest=name)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    output: Path = options["output"].resolve()
    _check_output(output, replace=options["force"])
    try:
        principal = principal_of_user(find_user(options["user"])) if options["user"] else None
        wanted = Wanted(options["format"], filter_of(_given(options)), options["report"], options["payloads"])
        export = service.ask(principal, wanted, door=DOOR, publish=False)
        _write(command, principal, export, output)
    except (ExportProblem, IdentityError) as error:
        raise CommandError(str(error)) from error
    except LedgerUnavailable as error:
        raise CommandError(f"The export cannot be recorded, so there is none: {error}") from error
    except (OperationalError, InterfaceError) as error:
        reason = " ".join(str(error).split())
        raise CommandError(f"The control database does not answer, so there is no export: {reason}") from error


def _check_output(output: Path, *, replace: bool) -> None:
    if not output.parent.is_dir():
        raise CommandError(f"There is no directory {output.parent}. Make it, or name another file.")
    if output.exists() and (output.is_dir() or not replace):
        raise CommandError(f"{output} exists already. Name another file, or add --force to replace it.")
    if not os.access(output.parent, os.W_OK):
        raise CommandError(f"{output.parent} cannot be written to by this user. Name another file.")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    names = ("since", "until", "text", "risk_min", *REPEATED)
    return {name: options[name] for name in names if options[name] not in (None, [])}


def _write(command: BaseCommand, principal: Principal | None, export: Export, output: Path) -> None:
    try:
        made = _make(command, export)
        if made.state != "done":
            raise CommandError(f"There is no file: {made.problem or f'the export was {made.state}'}")
        download = service.open_download(principal, made, door=DOOR)
        service.record_download(principal, download, door=DOOR, start=0, size=download.size)
        _move(download.path, output)
    except KeyboardInterrupt:
        service.cancel(principal, export)
        raise CommandError("Broken off: the export was cancelled, and there is no file.") from None
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}. Make room, or name another file.") from error
    finally:
        _forget(export)
    command.stdout.write(f"{output}: {made.rows:,} entries, {download.size:,} bytes, SHA-256 {made.sha256}")
    if made.progress.get("truncated"):
        command.stderr.write(f"Policy allows {made.most_rows:,} entries in one export: more match. Narrow the filter.")


def _make(command: BaseCommand, export: Export) -> Export:
    """What is tried again after a pause is tried by a worker; somebody who waits is told at once."""
    meter = Meter(command) if sys.stderr.isatty() else None
    made = making.make(export.pk, tell=meter.show if meter else lambda _export: None)
    if meter:
        meter.clear()
    if made is None:
        raise CommandError("Another process is making this export.")
    if made.state == "queued":
        problem = made.problem
        made = service.cancel(None, made)
        made.problem = problem
    return made


def _move(made: Path, output: Path) -> None:
    """Under its name only when it is whole and on the disk."""
    draft = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        shutil.copyfile(made, draft)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)


def _forget(export: Export) -> None:
    """The copy in the folder of exports is of no more use."""
    clear(export.pk)
    Export.objects.filter(pk=export.pk, state="done").update(state="expired", file="")


class Meter:
    """One line on a terminal that is written over."""

    def __init__(self, command: BaseCommand) -> None:
        self._command = command
        self._started = time.monotonic()

    def show(self, export: Export) -> None:
        rate = export.rows / max(0.001, time.monotonic() - self._started)
        self._write(f"{percent(export)} %, {export.rows:,} entries, {rate:,.0f} a second")

    def clear(self) -> None:
        self._write("")

    def _write(self, line: str) -> None:
        self._command.stderr.write(f"\r\033[K{line}", ending="")
        self._command.stderr.flush()
