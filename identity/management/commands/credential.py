"""`manage.py credential issue|list|revoke`."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from identity.agents import find_agent
from identity.credentials import issue, revoke
from identity.errors import IdentityError
from identity.models import Agent, Credential, User
from identity.people import find_user

ACTOR = "command line"
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """`30m`, `12h`, `30d`. Raises `CommandError`."""
    match = re.fullmatch(r"([1-9]\d{0,4})([mhd])", text)
    if match is None:
        raise CommandError(f"{text!r} is not a duration. Write a number and m, h or d: 30m, 12h, 30d.")
    return timedelta(**{UNITS[match.group(2)]: int(match.group(1))})


class Command(BaseCommand):
    help = "Issues, lists and revokes credentials: the tokens that agents and people show at a door."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="issue | list | revoke")
        add = verbs.add_parser("issue", help="issue a token; it is printed once and cannot be had again")
        add.add_argument("holder", metavar="AGENT", help="the agent (or user) it is for")
        add.add_argument(
            "--expires", metavar="30d", help="how long it works: a number and m, h or d; without: until revoked"
        )
        verbs.add_parser("list", help="list credentials with prefix, expiry and last use; never the tokens")
        end = verbs.add_parser("revoke", help="end a token, its sessions and what it has running, now")
        end.add_argument(
            "id", help="the credential's id, or the visible prefix of the token (the 8 characters after cs_)"
        )

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"do_{verb}")(**options)
        except IdentityError as error:
            raise CommandError(str(error)) from error

    def do_issue(self, holder: str, expires: str | None, **_: Any) -> None:
        issued = issue(_find_holder(holder), expires_in=parse_duration(expires) if expires else None, issued_by=ACTOR)
        self.stderr.write(f"Credential {issued.credential.id} for {holder}. The token is shown this once:")
        self.stdout.write(issued.token)

    def do_list(self, **_: Any) -> None:
        for credential in Credential.objects.select_related("user", "agent"):
            state = "revoked" if credential.revoked_at else f"expires {credential.expires_at or 'never'}"
            used = f"last used {credential.last_used_at or 'never'}"
            self.stdout.write(
                f"{credential.id}\tcs_{credential.prefix}_…\t{credential.agent or credential.user}\t{state}\t{used}"
            )

    def do_revoke(self, id: str, **_: Any) -> None:
        credential = _find_credential(id)
        revoke(credential, actor=ACTOR)
        self.stdout.write(f"Credential {credential.id} is revoked.")


def _find_holder(name: str) -> User | Agent:
    if Agent.objects.filter(name=name).exists():
        return find_agent(name)
    if User.objects.filter(username=name).exists():
        return find_user(name)
    raise IdentityError(f"There is no agent or user named {name!r}. See: manage.py agent list")


def _find_credential(text: str) -> Credential:
    """By id, prefix or whole token. A part of anything else is never taken for one: the wrong one would be revoked."""
    found = Credential.objects.select_related("user", "agent")
    shown = re.fullmatch(r"(?:cs_)?([a-z0-9]{8})(?:_(?:…|[A-Za-z0-9_-]{43}))?", text)
    try:
        credential = found.filter(prefix=shown[1]).first() if shown else found.filter(pk=uuid.UUID(text)).first()
    except ValueError:
        credential = None
    if credential is None:
        raise IdentityError(f"There is no credential {text!r}. See: manage.py credential list")
    return credential
