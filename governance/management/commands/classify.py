"""`manage.py classify`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.classes import ASSIGNABLE
from governance.classification import (
    Assignment,
    classes_of,
    classify_all,
    parse_assignment,
    parse_target,
    remove,
    told_mask,
)
from governance.management import scanning
from governance.management.plain import ACTOR, find_datasource, told_plainly
from governance.models import DataSource


class Command(BaseCommand):
    help = (
        "Says which columns of a data source are sensitive, and how. Several assignments are made together or not at "
        f"all. Classes: {', '.join(ASSIGNABLE)}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the data source")
        parser.add_argument(
            "assignments",
            nargs="*",
            metavar="SCHEMA.TABLE.COLUMN[:PATH]=CLASS",
            help="such as public.customers.email=email; names with dots or capitals in double quotes: 'public.\"E.mail\"'; "
            "a place inside a JSON column by its path: 'public.customers.profile:$.orders[*].phone=phone'",
        )
        parser.add_argument("--list", action="store_true", help="list the classified columns of the data source")
        parser.add_argument("--remove", metavar="SCHEMA.TABLE.COLUMN[:PATH]", help="take a class away")
        scanning.add_arguments(parser)

    def handle(self, *args: Any, name: str, assignments: list[str], **options: Any) -> None:
        listing, removed = options["list"], options["remove"]
        scanning.refuse_without_scan(options)
        if sum(map(bool, (assignments, listing, removed, options["scan"]))) != 1:
            raise CommandError(
                "Say one thing: assignments such as public.customers.email=email, or --list, or --remove COLUMN, or --scan."
            )
        with told_plainly():
            datasource = find_datasource(name)
            if listing:
                self.show(datasource)
            elif options["scan"]:
                scanning.scan_and_tell(datasource, options, self.stdout.write, self.stderr.write)
            elif removed:
                remove(datasource, parse_target(removed), actor=ACTOR)
                self.stdout.write(f"{removed} on {name} has no class of its own any more.")
            else:
                wanted = [parse_assignment(assignment) for assignment in assignments]
                classify_all(datasource, wanted, actor=ACTOR)
                self.stdout.write(f"{len(wanted)} column{'s' if len(wanted) > 1 else ''} classified on {name}.")
                self.tell_masks(datasource, wanted)

    def tell_masks(self, datasource: DataSource, wanted: list[Assignment]) -> None:
        for one in wanted:
            self.stdout.write(f"  {one.target}={one.data_class}: mask {told_mask(datasource, one)}")

    def show(self, datasource: DataSource) -> None:
        """With what partitions and children have from their relatives: what counts, not what was typed."""
        for (schema, relation), columns in sorted(classes_of(datasource).items()):
            for column, data_class in sorted(columns.items()):
                self.stdout.write(f"{schema}.{relation}.{column}={data_class}")
