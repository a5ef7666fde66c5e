"""`manage.py ledger checkpoint`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.ledger import LedgerUnavailable
from audit.models import Checkpoint, Witness
from audit.transparency.checkpoints import HistoryDiffers, latest, note_of
from audit.transparency.keys import KeyUnusable
from audit.transparency.publication import publish
from audit.transparency.tiles import LogDamaged

HELP = "sign the log as it is now and print the checkpoint"
DESCRIPTION = """Print the signed checkpoint of the log as it is now, with the signatures of witnesses. Keep it in a place
that the database's administrator does not control: `ledger verify --checkpoint FILE` then finds any change of what was
there before. Refuses to sign a log that is not how the last checkpoint goes on."""


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--output", metavar="FILE", type=Path, help="write it to a new file instead")
    parser.add_argument(
        "--publish", action="store_true", help="give it to every witness now, also to those that failed a moment ago"
    )


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    try:
        checkpoint = _published(command) if options["publish"] else latest()
    except HistoryDiffers as error:
        raise CommandError(
            f"{error}\nNOTHING WAS SIGNED. Find out what changed the ledger: `manage.py ledger verify` names the first"
            " entry that is wrong; compare with the checkpoints that witnesses keep."
        ) from error
    except (KeyUnusable, LogDamaged, LedgerUnavailable) as error:
        raise CommandError(str(error)) from error
    _write(command, note_of(checkpoint), options["output"])


def _published(command: BaseCommand) -> Checkpoint:
    publication = publish(all_now=True)
    if publication is None:
        raise CommandError("Another process is publishing at this moment. Try again in a few seconds.")
    for witness in Witness.objects.filter(name__in=[*publication.reached, *publication.failed]):
        command.stderr.write(f"{witness.name}: {witness.problem or 'has it'}")
    return publication.checkpoint


def _write(command: BaseCommand, note: str, path: Path | None) -> None:
    if path is None:
        command.stdout.write(note, ending="")
        return
    try:
        with path.open("x") as file:
            file.write(note)
    except OSError as error:
        raise CommandError(f"{path} was not written: {error.strerror}. Name a file that is not there yet.") from error
    command.stdout.write(f"Written to {path}")
