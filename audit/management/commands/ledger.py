"""`manage.py ledger SUBCOMMAND`: each is a module of `audit/commands`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit import commands

SUBCOMMANDS = {
    module.name.replace("_", "-"): import_module(f"{commands.__name__}.{module.name}")
    for module in pkgutil.iter_modules(commands.__path__)
}


class Command(BaseCommand):
    help = "Work with the ledger, the append-only log of everything that Countersign decided and did."

    def add_arguments(self, parser: CommandParser) -> None:
        subcommands = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
        for name, module in sorted(SUBCOMMANDS.items()):
            module.add_arguments(subcommands.add_parser(name, help=module.HELP, description=module.DESCRIPTION))

    def handle(self, *, subcommand: str, **options: Any) -> None:
        SUBCOMMANDS[subcommand].run(self, options)
