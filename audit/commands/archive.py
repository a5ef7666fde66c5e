"""`manage.py ledger archive`."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.ledger import LedgerUnavailable
from audit.models import Archive
from audit.retention.archive_files import ArchiveUnavailable
from audit.retention.archives import NotArchived, archive, hold, standing

ACTOR = "command line"
HELP = "move old entries to archive files"
DESCRIPTION = """Move entries that are older than a date, or than a number of days, from the database to Parquet files. What
was moved can still be searched, exported, proved and verified. Entries move in whole tiles of 256; an intent without an
outcome or an open request stays, and so does everything after it. Nothing is deleted before its copy was read back."""


def add_arguments(parser: CommandParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--before", metavar="DAYSd|DATE", type=moment, help="90d, 2026-01-31 or 2026-01-31T12:00Z")
    what.add_argument("--list", action="store_true", dest="listed", help="show the archives, and what retention does")
    parser.add_argument(
        "--to",
        metavar="URI",
        default="",
        help="a directory, or s3://bucket/prefix; else where COUNTERSIGN_ARCHIVES says. The files must stay there.",
    )


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    if options["listed"]:
        _list(command)
        return
    try:
        moved, planned = archive(options["before"], actor=ACTOR, destination=options["to"])
    except (NotArchived, ArchiveUnavailable, LedgerUnavailable) as error:
        raise CommandError(str(error)) from error
    for one in moved:
        command.stdout.write(f"Moved entries {one.first} to {one.end - 1} to {one.address}")
        command.stdout.write(f"  SHA-256 {one.sha256}, entry {one.entry} says so")
    if not moved:
        command.stdout.write("Nothing was moved: no 256 entries in a row are old enough.")
    if planned.held:
        command.stdout.write(f"Entries from {planned.end} on stay: {planned.held}.")


def _list(command: BaseCommand) -> None:
    for one in Archive.objects.all():
        command.stdout.write(
            f"{one.first}-{one.end - 1}  {one.since:%Y-%m-%d} to {one.until:%Y-%m-%d}  {one.bytes:,} bytes  {one.address}"
        )
    found = standing()
    oldest = f"{found.oldest:%Y-%m-%d}" if found.oldest else "none"
    command.stdout.write(f"In the database: entries from {found.first} on; the oldest is of {oldest}.")
    if found.days is None:
        command.stdout.write("Retention is off; COUNTERSIGN_RETENTION_DAYS sets it.")
        return
    command.stdout.write(f"Entries move after {found.days} days, to {settings.ARCHIVES}.")
    if holds := hold():
        command.stdout.write(f"Retention is held up: {holds}.")
    if found.overdue:
        raise CommandError(
            "Retention is OVERDUE: see the worker's log, or run `ledger archive --before` to be told why."
        )


def moment(text: str) -> datetime:
    """Not in the future: what happens between now and then would be archived at once."""
    if match := re.fullmatch(r"(\d{1,5})d", text):
        return timezone.now() - timedelta(days=int(match.group(1)))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("must be a number of days like 90d, or a date like 2026-01-31") from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if found > timezone.now():
        raise ArgumentTypeError("must not be in the future")
    return found
