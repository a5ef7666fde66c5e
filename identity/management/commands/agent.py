"""`manage.py agent add|list|deactivate`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from identity.agents import add_agent, deactivate, find_agent
from identity.errors import IdentityError
from identity.models import Agent
from identity.people import find_user

ACTOR = "command line"


class Command(BaseCommand):
    help = "Adds, lists and deactivates agents: software that acts, each owned by exactly one person."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="add | list | deactivate")
        add = verbs.add_parser("add", help="add an agent; issue its token with: credential issue NAME")
        add.add_argument("name", help="lower-case letters, digits, dots, dashes and underscores, at most 63")
        add.add_argument(
            "--owner", required=True, help="the user who answers for it, and can never approve what it asks"
        )
        add.add_argument("--group", action="append", default=[], help="a group it is in; may be given several times")
        add.add_argument("--description", default="", help="what it is for, in a few words")
        verbs.add_parser("list", help="list the agents")
        end = verbs.add_parser("deactivate", help="end an agent: its tokens stop working, what it runs is broken off")
        end.add_argument("name")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"do_{verb}")(**options)
        except IdentityError as error:
            raise CommandError(str(error)) from error

    def do_add(self, name: str, owner: str, group: list[str], description: str, **_: Any) -> None:
        add_agent(name, find_user(owner), group, description, actor=ACTOR)
        self.stdout.write(f"Agent {name} added, owned by {owner}. Next: manage.py credential issue {name}")

    def do_list(self, **_: Any) -> None:
        for agent in Agent.objects.select_related("owner").prefetch_related("groups"):
            groups = ", ".join(group.name for group in agent.groups.all()) or "no group"
            self.stdout.write(
                f"{agent.name}\towner {agent.owner}\t{groups}\t{'active' if agent.is_active else 'ended'}"
            )

    def do_deactivate(self, name: str, **_: Any) -> None:
        deactivate(find_agent(name), actor=ACTOR)
        self.stdout.write(f"Agent {name} is ended.")
