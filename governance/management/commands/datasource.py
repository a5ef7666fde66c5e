"""`manage.py datasource add|sync|list`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.analysis.builtins import SYSTEM_SCHEMAS
from governance.analysis.functions import danger, is_readable
from governance.catalogue import store
from governance.catalogue.model import Catalogue
from governance.catalogue.propagate import unresolved_views
from governance.datasources import ENGINES, add_datasource
from governance.management.plain import ACTOR, find_datasource, told_plainly
from governance.models import CatalogueSnapshot, DataSource, Environment

DSN_VARIABLE = "COUNTERSIGN_DATASOURCE_DSN"


class Command(BaseCommand):
    help = "Adds, synchronises and lists data sources: the databases that Countersign governs."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="add | sync | list")
        add = verbs.add_parser(
            "add",
            help="connect to a database, read its catalogue and govern it from now on",
            description="Connects to a database, reads its catalogue and governs it from now on. The DSN is kept "
            "encrypted and never shown again.",
        )
        add.add_argument(
            "name", help="how people and agents will call it: lower-case letters, digits, dashes, underscores"
        )
        add.add_argument("--engine", required=True, metavar="ENGINE", help=f"one of: {', '.join(ENGINES)}")
        add.add_argument("--environment", required=True, metavar="ENV", help=f"one of: {', '.join(Environment.values)}")
        source = add.add_mutually_exclusive_group()
        source.add_argument(
            "--dsn", help="postgresql://user:password@host:5432/database; others on this machine may see it"
        )
        source.add_argument(
            "--dsn-file", metavar="FILE", help=f"a file that holds the DSN; else it is taken from {DSN_VARIABLE}"
        )
        sync = verbs.add_parser("sync", help="read the catalogue of a data source anew, after its schema has changed")
        sync.add_argument("name")
        verbs.add_parser("list", help="list the data sources")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with told_plainly():
            getattr(self, f"do_{verb}")(**options)

    def do_add(self, name: str, engine: str, environment: str, dsn: str | None, dsn_file: str | None, **_: Any) -> None:
        datasource = add_datasource(
            name,
            engine=engine,
            dsn=_given_dsn(dsn, dsn_file),
            environment=environment,
            actor=ACTOR,
            warn=lambda message: self.stderr.write(self.style.WARNING(f"Warning: {message}")),
        )
        relations = len(store.current(datasource).relations)
        self.stdout.write(
            f"Data source {name} added: {datasource.address}, {environment}, {relations} relations."
            f" Next: manage.py classify {name} SCHEMA.TABLE.COLUMN=CLASS"
        )

    def do_sync(self, name: str, **_: Any) -> None:
        datasource = find_datasource(name)
        before = CatalogueSnapshot.objects.filter(datasource=datasource).count()
        catalogue = store.synchronise(datasource, actor=ACTOR)
        changed = CatalogueSnapshot.objects.filter(datasource=datasource).count() > before
        news = f"is now at version {catalogue.version}" if changed else f"is still at version {catalogue.version}"
        self.stdout.write(f"The catalogue of {name} {news}: {len(catalogue.relations)} relations{_besides(catalogue)}.")
        for view in unresolved_views(catalogue):
            self.stderr.write(
                self.style.WARNING(
                    f"Warning: the view {view.relation.qualified} cannot be resolved, so reading it is refused and its"
                    f" columns count as secret: {view.why}."
                )
            )

    def do_list(self, **_: Any) -> None:
        for datasource in DataSource.objects.all():
            state = "active" if datasource.is_active else "inactive"
            self.stdout.write(
                f"{datasource.name}\t{datasource.engine}\t{datasource.environment}\t{datasource.address}\t{state}"
            )


def _besides(catalogue: Catalogue) -> str:
    """What else it has that statements can set off, where there is any."""
    functions = [f for overloads in catalogue.functions.values() for f in overloads if f.schema not in SYSTEM_SCHEMAS]
    unread = [f for f in functions if not is_readable(f) and danger(f)]
    triggers = sum(len(relation.triggers) for relation in catalogue.relations.values())
    counted = [(len(functions), f"functions ({len(unread)} that are not read)"), (triggers, "triggers")]
    return "".join(f", {number} {what}" for number, what in counted if number)


def _given_dsn(dsn: str | None, dsn_file: str | None) -> str:
    if dsn_file:
        try:
            dsn = Path(dsn_file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{dsn_file} cannot be read: {error}") from error
    found = dsn or os.environ.get(DSN_VARIABLE, "")
    if not found:
        raise CommandError(f"No DSN: give --dsn or --dsn-file, or set {DSN_VARIABLE}.")
    return found
