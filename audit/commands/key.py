"""`manage.py ledger key list|rotate`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.ledger import LedgerUnavailable
from audit.transparency.keys import current_key, published_keys, rotate

HELP = "list the keys that sign the log, or rotate the key"
DESCRIPTION = """The keys that sign checkpoints. Whoever verifies needs the verifier keys, and must get them by another way
than from this installation alone."""
ACTOR = "command line"


def add_arguments(parser: CommandParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list | rotate")
    verbs.add_parser("list", help="print every verifier key, the one in use first")
    change = verbs.add_parser(
        "rotate", help="sign with another key from now on; the next checkpoint is signed by both, which hands over"
    )
    change.add_argument("--reason", default="", help="why, for the ledger")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    try:
        if options["verb"] == "rotate":
            key = rotate(ACTOR, options["reason"])
            command.stderr.write("The next checkpoint is signed by the old key and the new. Tell those who verify:")
            command.stdout.write(key.verifier_key)
        else:
            _list(command)
    except LedgerUnavailable as error:
        raise CommandError(f"{error}. Nothing was changed.") from error


def _list(command: BaseCommand) -> None:
    current_key()
    for key in published_keys():
        until = f"to {key.retired_at:%Y-%m-%d %H:%M}" if key.retired_at else "on, in use"
        command.stdout.write(f"{key.verifier_key}  from {key.created_at:%Y-%m-%d %H:%M} {until}")
