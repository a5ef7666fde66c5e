"""`manage.py ledger verify`."""

from __future__ import annotations

import json
import re
from argparse import ArgumentTypeError
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.verification.findings import CannotVerify, Noted, Progress, Report
from audit.verification.inspection import Scope, verify_ledger
from audit.verification.kept import read_kept, read_key

HELP = "check that no entry was changed"
DESCRIPTION = """Recompute the ledger from its headers: every leaf hash, every index, every column, every payload digest,
what entries are found by, tiles, checkpoints with their signatures, and the head. Prints the number of entries and the
root of their tree; keep both, or a checkpoint, somewhere that the database's administrator does not control, and check
against it. Exit code 0 if everything is right, 1 if anything is not; the first wrong entry is named."""


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--expect",
        metavar="SIZE:ROOT",
        type=_noted,
        help="a count and root printed by an earlier run, kept elsewhere: also check that those entries are"
        " still the same. This finds a log that was cut or rewritten together with its head.",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a checkpoint kept elsewhere, as GET audit/checkpoint gives it; may be given several times",
    )
    parser.add_argument(
        "--key",
        metavar="VERIFIER_KEY",
        action="append",
        default=[],
        help="name+hash+base64: who must have signed the given checkpoints, and the newest one that is stored; without"
        " it, a key that this database publishes, which somebody who changed the database may have changed too",
    )
    parser.add_argument(
        "--archives",
        action="store_true",
        help="read the entries that were moved to archives too; without it, only their hashes are checked, and for the whole"
        " log, that the files which entries name are there",
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--from-checkpoint",
        metavar="FILE",
        type=Path,
        help="trust this checkpoint: check that the log still begins with it, and verify the entries after it",
    )
    only.add_argument(
        "--range",
        metavar="FIRST:END",
        type=_range,
        help="verify only the entries from FIRST to before END, and that they are in the log's tree",
    )


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    progress = _progress(command) if command.stderr.isatty() else None
    try:
        keys = [read_key(text) for text in options["key"]]
        scope = Scope(
            kept=tuple(read_kept(path, keys) for path in options["checkpoint"]),
            since=read_kept(options["from_checkpoint"], keys) if options["from_checkpoint"] else None,
            within=options["range"],
            archives=options["archives"],
            signers=tuple(map(str, keys)),
        )
        report = verify_ledger(options["expect"], scope=scope, progress=progress)
    except CannotVerify as error:
        raise CommandError(str(error)) from error
    finally:
        if progress:
            command.stderr.write("\r\033[K", ending="")
    if options["json"]:
        command.stdout.write(json.dumps({"intact": report.intact, **asdict(report)}))
    if report.fault:
        raise CommandError(f"{report.fault}\nThe ledger is NOT intact. {_so_far(report)}")
    if not options["json"]:
        command.stdout.write(_intact(report, read=options["archives"]))


def _so_far(report: Report) -> str:
    if report.first or report.end < report.size:
        return f"Of the entries {report.first} to {report.end - 1}, {report.count} were right before that."
    return f"Right before that: {report.count} entries."


def _intact(report: Report, *, read: bool) -> str:
    """The first line is also read by scripts."""
    lines = [f"The ledger is intact: {report.size} entries, root {report.root}"]
    if report.count < report.size:
        lines.append(f"Verified: entries {report.first} to {report.end - 1}. Of all others, only the hashes were used.")
    if report.archived:
        how = "whose files were read" if read else "of which only the hashes were used: --archives reads them"
        lines.append(f"{report.archived} of them are in archives, {how}.")
    if report.checkpoints:
        lines.append(f"{report.checkpoints} stored checkpoints are of these entries; the newest is signed by:")
        lines += [f"  {key}" for key in report.signed_by]
    return "\n".join(lines)


def _progress(command: BaseCommand) -> Progress:
    def show(done: int, total: int) -> None:
        share = 100 * done // max(total, 1)
        command.stderr.write(f"\r{done:,} of {total:,} entries ({share} %)", ending="")
        command.stderr.flush()

    return show


def _noted(text: str) -> Noted:
    match = re.fullmatch(r"(\d{1,18}):([0-9a-fA-F]{64})", text)
    if match is None:
        raise ArgumentTypeError("must be SIZE:ROOT, for example 17:6e340b9c…, as an earlier run printed them")
    return Noted(int(match.group(1)), bytes.fromhex(match.group(2)))


def _range(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,18}):(\d{1,18})", text)
    if match is None:
        raise ArgumentTypeError("must be FIRST:END, for example 0:1000 for the first thousand entries")
    return int(match.group(1)), int(match.group(2))
