"""`manage.py ledger verify`."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.inspection import verify_ledger
from audit.verify import Noted

HELP = "check that no entry was changed"
DESCRIPTION = """Recompute the whole ledger from its headers: every leaf hash, every index, every query column, every payload
digest and the head. Prints the number of entries and the root of their tree; write both down somewhere safe. Exit code
0 if everything is right, 1 if anything is not; the first wrong entry is named."""


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--expect",
        metavar="SIZE:ROOT",
        type=_noted,
        help="a count and root printed by an earlier run, kept elsewhere: also check that those entries are"
        " still the same. This finds a log that was cut or rewritten together with its head.",
    )


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    report = verify_ledger(options["expect"])
    if report.fault:
        raise CommandError(f"{report.fault}\nThe ledger is NOT intact. Right before that: {report.count} entries.")
    command.stdout.write(f"The ledger is intact: {report.count} entries, root {report.root}")


def _noted(text: str) -> Noted:
    match = re.fullmatch(r"(\d{1,18}):([0-9a-fA-F]{64})", text)
    if match is None:
        raise ArgumentTypeError("must be SIZE:ROOT, for example 17:6e340b9c…, as an earlier run printed them")
    return Noted(int(match.group(1)), bytes.fromhex(match.group(2)))
