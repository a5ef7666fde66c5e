"""`manage.py ledger forward add|list|pause|resume|secret|remove`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.forwarding import administration, checks
from audit.forwarding.batches import FORMS
from audit.forwarding.errors import ForwarderRefused
from audit.forwarding.health import health_of
from audit.ledger import LedgerUnavailable
from audit.models import Forwarder

HELP = "add, list, pause, resume and remove what sends entries on: syslog, webhook, file"
DESCRIPTION = """Forwarders send every entry on, in order, as it comes: to a syslog server, to a webhook, or into a file.
docs/forwarding.md says how to set up each kind, and what a receiver has to do. Payloads are never sent."""
ACTOR = "command line"
SECRET = "COUNTERSIGN_FORWARD_SECRET"


def add_arguments(parser: CommandParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="add | list | pause | resume | secret | remove")
    _add_arguments_of_add(verbs.add_parser("add", help="send entries to another place from now on"))
    verbs.add_parser("list", help="list forwarders, how far each is, and what is wrong")
    for verb, what in (
        ("pause", "send nothing"),
        ("resume", "go on where it stopped"),
        ("remove", "forget it"),
    ):
        verbs.add_parser(verb, help=what).add_argument("name")
    secret = verbs.add_parser("secret", help=f"give a webhook a new secret, from {SECRET} or made here and printed")
    secret.add_argument("name")
    secret.add_argument("--drop-previous", action="store_true", help="make none: stop signing with the previous one")


def _add_arguments_of_add(parser: CommandParser) -> None:
    parser.add_argument("name", help="small letters, digits, dots and dashes")
    parser.add_argument("--kind", required=True, choices=list(checks.ADDRESSES))
    parser.add_argument("--address", required=True, help="tls://host:6514, https://host/path, or a file's name")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--first", type=int, default=0, metavar="INDEX", help="the first entry to send (default: 0)")
    start.add_argument("--from-now", action="store_true", help="send only what happens from now on")
    parser.add_argument("--form", choices=list(FORMS), default="entry")
    parser.add_argument("--only", action="append", default=[], metavar="KIND", help="of this kind; may be repeated")
    parser.add_argument("--most-bytes", type=int, metavar="N", help="a file is renamed when it has so many")
    for name in checks.CERTIFICATES:
        parser.add_argument(f"--{name}", type=Path, metavar="PEM", help=_CERTIFICATES[name])


_CERTIFICATES = {
    "ca": "file with the authority of the receiver's certificate (default: those that the system trusts)",
    "certificate": "file with the certificate to show to the receiver",
    "key": "file with its key, without pass phrase",
}


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    try:
        VERBS[options["verb"]](command, options)
    except ForwarderRefused as error:
        raise CommandError(error.message) from error
    except LedgerUnavailable as error:
        raise CommandError(f"{error}. Nothing was changed.") from error


def _add(command: BaseCommand, options: dict[str, Any]) -> None:
    added, secret = administration.add(
        options["name"],
        options["kind"],
        options["address"],
        actor=ACTOR,
        first=None if options["from_now"] else options["first"],
        form=options["form"],
        kinds=options["only"],
        # From the environment, so that it stays out of the shell's history and the list of processes.
        secret=os.environ.get(SECRET, "") if options["kind"] == "webhook" else "",
        most_bytes=options["most_bytes"],
        certificates={name: _read(options[name]) for name in checks.CERTIFICATES if options[name]},
    )
    command.stdout.write(f"{added.name} sends entries from {added.next} on.")
    _print_secret(command, secret)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error


def _list(command: BaseCommand, options: dict[str, Any]) -> None:
    found = administration.listed()
    for forwarder in found:
        command.stdout.write(f"{forwarder.name}  {forwarder.kind}  {forwarder.address}  {_state(forwarder)}")
    if not found:
        command.stdout.write("There is no forwarder: entries are read here only.")


def _state(forwarder: Forwarder) -> str:
    health = health_of(forwarder)
    place = f"next is entry {forwarder.next}, {health.lag} wait" if health.lag else f"has all, next is {forwarder.next}"
    if health.state == "failing":
        return f"FAILED {forwarder.failures} times, {place}: {health.problem}"
    why = f": {health.problem}" if health.problem else ""
    return f"{health.state}, {place}{why}"


def _switch(command: BaseCommand, options: dict[str, Any]) -> None:
    active = options["verb"] == "resume"
    forwarder = administration.switch(options["name"], active=active, actor=ACTOR)
    command.stdout.write(f"{forwarder.name} {'goes on with' if active else 'is paused before'} entry {forwarder.next}.")


def _secret(command: BaseCommand, options: dict[str, Any]) -> None:
    name = options["name"]
    if options["drop_previous"]:
        administration.drop_previous_secret(name, actor=ACTOR)
        command.stdout.write(f"{name} signs with its newest secret only.")
        return
    _, secret = administration.change_secret(name, actor=ACTOR, secret=os.environ.get(SECRET, ""))
    command.stdout.write(f"{name} signs with the new secret and the one before; then: secret {name} --drop-previous")
    _print_secret(command, secret)


def _print_secret(command: BaseCommand, secret: str) -> None:
    if secret:
        command.stdout.write(f"The secret, which is not shown again: {secret}")


def _remove(command: BaseCommand, options: dict[str, Any]) -> None:
    administration.remove(options["name"], actor=ACTOR)
    command.stdout.write(f"{options['name']} was removed; what it has sent stays where it is.")


VERBS = {"add": _add, "list": _list, "pause": _switch, "resume": _switch, "secret": _secret, "remove": _remove}
