"""`manage.py factor list|reset`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from identity.errors import IdentityError
from identity.people import find_user
from identity.second_factor import factors_of, reset

ACTOR = "command line"


class Command(BaseCommand):
    help = "Lists the second factors of a person, and takes them away when they are lost."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="list | reset")
        show = verbs.add_parser("list", help="list a person's second factors; never their keys")
        show.add_argument("user")
        away = verbs.add_parser("reset", help="take all of them away: the person signs in with the password alone")
        away.add_argument("user")
        away.add_argument("--reason", default="", help="why; it stands in the ledger")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"do_{verb}")(**options)
        except IdentityError as error:
            raise CommandError(str(error)) from error

    def do_list(self, user: str, **_: Any) -> None:
        found = factors_of(find_user(user))
        if not found:
            self.stdout.write(f"{user} has no second factor.")
        for one in found:
            used = f"last shown {one.last_shown_at:%Y-%m-%d %H:%M} UTC" if one.last_shown_at else "never shown"
            self.stdout.write(f"{one.kind}\t{one.name}\tadded {one.added_at:%Y-%m-%d %H:%M} UTC\t{used}")

    def do_reset(self, user: str, reason: str, **_: Any) -> None:
        taken = ", ".join(one.kind for one in reset(find_user(user), actor=ACTOR, reason=reason))
        self.stdout.write(f"Taken away from {user}: {taken}. Next: {user} signs in with the password and sets one up.")
