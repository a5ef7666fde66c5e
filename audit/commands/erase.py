"""`manage.py ledger erase`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.ledger import LedgerUnavailable
from audit.plain import as_typed
from audit.retention.erasure import NothingToErase, erase, subjects

ACTOR = "command line"
HELP = "erase the content that is kept of a subject"
DESCRIPTION = """Destroy the keys of one subject (agent:NAME, user:NAME, or whoever agents acted on behalf of), and with them
the sealed content of its entries: exact text, parameters, messages. Stored queries and results of its ended work are
emptied too. Headers and hashes stay, so the log keeps verifying; that it was erased is an entry. This cannot be undone. If
it is interrupted, run it again."""


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("subject", nargs="?", metavar="SUBJECT", help="for example agent:analyst-bot")
    parser.add_argument("--reason", metavar="TEXT", help="why; recorded in the log, so name no content")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--list", action="store_true", dest="listed", help="show the subjects and what was erased")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    if options["listed"]:
        _list(command)
        return
    subject, reason = options["subject"], (options["reason"] or "").strip()
    if not subject or not reason:
        raise CommandError("Give the SUBJECT and --reason TEXT, or --list.")
    if not options["yes"]:
        _confirm(subject)
    try:
        erased = erase(subject, actor=ACTOR, reason=reason)
    except (NothingToErase, LedgerUnavailable) as error:
        raise CommandError(str(error)) from error
    if erased.entry is None:
        command.stdout.write(
            f"{as_typed(subject)} was erased before; {erased.payloads} payloads that were left are deleted now."
        )
        return
    command.stdout.write(
        f"Erased {as_typed(subject)}: {erased.payloads} payloads, {len(erased.keys)} keys. Entry {erased.entry}."
    )


def _confirm(subject: str) -> None:
    try:
        answer = input(f"Erase everything that is kept of {subject!r}, for good? Type the subject to go on: ")
    except EOFError:
        raise CommandError("Not erased: nobody answered. Give --yes where nobody can.") from None
    if answer != subject:
        raise CommandError("Not erased.")


def _list(command: BaseCommand) -> None:
    unfinished = False
    for one in subjects():
        erased = f"erased {one.erased_at:%Y-%m-%d %H:%M} UTC" if one.erased_at else "kept"
        unfinished = unfinished or one.unfinished
        command.stdout.write(
            f"{as_typed(one.subject)}  since {one.since:%Y-%m-%d}  {erased}{'  UNFINISHED' * one.unfinished}"
        )
    if unfinished:
        raise CommandError("An erasure was interrupted before the key was destroyed. Run it again.")
