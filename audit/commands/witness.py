"""`manage.py ledger witness add|list|on|off|remove`."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.ledger import LedgerUnavailable
from audit.models import Witness
from audit.transparency import witnesses
from audit.transparency.witnesses import WitnessRefused

HELP = "add, list, switch and remove the witnesses that keep checkpoints"
DESCRIPTION = """Witnesses are places that you do not control alone. Each new checkpoint is given to them, so that nobody
can rewrite the log unnoticed. docs/witnesses.md says how to set up each kind, and what it proves."""
ACTOR = "command line"


def add_arguments(parser: CommandParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="add | list | on | off | remove")
    _add_arguments_of_add(verbs.add_parser("add", help="give checkpoints to another place from now on"))
    verbs.add_parser("list", help="list witnesses, how far each is, and what is wrong")
    for verb, what in (("on", "give it checkpoints again"), ("off", "give it none"), ("remove", "forget it")):
        verbs.add_parser(verb, help=what).add_argument("name")


def _add_arguments_of_add(parser: CommandParser) -> None:
    parser.add_argument("name", help="small letters, digits, dots and dashes")
    parser.add_argument("--kind", required=True, choices=list(witnesses.CHECKS))
    parser.add_argument("--address", required=True, help="a folder, s3://bucket/prefix, or the URL of a tlog-witness")
    parser.add_argument("--verifier-key", default="", metavar="NAME+ID+BASE64", help="of a tlog-witness")
    parser.add_argument("--endpoint", default="", metavar="URL", help="of an S3-compatible store that is not Amazon's")
    parser.add_argument("--region", default="")
    parser.add_argument("--access-key", default="", help="the secret key is read from COUNTERSIGN_WITNESS_SECRET_KEY")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    verb = options["verb"]
    try:
        if verb == "list":
            _list(command)
        elif verb == "add":
            command.stdout.write(f"{_add(options).name} is given the next checkpoint.")
        elif verb == "remove":
            witnesses.remove(options["name"], actor=ACTOR)
            command.stdout.write(f"{options['name']} was removed; what it keeps stays there.")
        else:
            witnesses.switch(options["name"], active=verb == "on", actor=ACTOR)
            command.stdout.write(f"{options['name']} is {verb}.")
    except WitnessRefused as error:
        raise CommandError(error.message) from error
    except LedgerUnavailable as error:
        raise CommandError(f"{error}. Nothing was changed.") from error


def _add(options: dict[str, Any]) -> Witness:
    credentials = {name: options[name] for name in ("endpoint", "region", "access_key")}
    # From the environment, so that it stays out of the shell's history and the list of processes.
    credentials["secret_key"] = os.environ.get("COUNTERSIGN_WITNESS_SECRET_KEY", "")
    return witnesses.add(
        options["name"],
        options["kind"],
        options["address"],
        verifier_key=options["verifier_key"],
        credentials=credentials if options["kind"] == "s3" else {},
        actor=ACTOR,
    )


def _list(command: BaseCommand) -> None:
    found = Witness.objects.all()
    for witness in found:
        command.stdout.write(f"{witness.name}  {witness.kind}  {witness.address}  {_state(witness)}")
    if not found:
        command.stdout.write("There is no witness: what is rewritten as a whole would not be found. Add one.")


def _state(witness: Witness) -> str:
    if not witness.is_active:
        return f"off, has {witness.size} entries"
    if witness.problem:
        return f"FAILED {witness.failures} times, has {witness.size} entries: {witness.problem}"
    return f"has {witness.size} entries" if witness.succeeded_at else "waits for its first checkpoint"
