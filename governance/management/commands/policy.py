"""`manage.py policy show|check|apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.management.plain import ACTOR, told_plainly
from governance.models import PolicySet
from governance.policy import store
from governance.policy.program import compile_policy_set


class Command(BaseCommand):
    help = "Shows, checks and activates policy sets, written in Cedar (docs/policy.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="show | check | apply")
        show = verbs.add_parser("show", help="print the active policy set, or another version of it")
        show.add_argument(
            "--version", dest="wanted", type=int, metavar="N", help="this version instead of the active one"
        )
        show.add_argument("--list", action="store_true", help="list the versions instead")
        check = verbs.add_parser("check", help="tell whether a file is a sound policy set; changes nothing")
        check.add_argument("file")
        apply = verbs.add_parser("apply", help="make a file the active policy set, as a new version")
        apply.add_argument("file")
        apply.add_argument("--comment", default="", help="why, for those who read the ledger")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with told_plainly():
            getattr(self, f"do_{verb}")(**options)

    def do_show(self, wanted: int | None, **options: Any) -> None:
        store.ensure_default()
        if options["list"]:
            for stored in PolicySet.objects.all():
                mark = "active" if stored.is_active else ""
                self.stdout.write(
                    f"{stored.version}\t{stored.created_at:%Y-%m-%d %H:%M}\t{stored.author}\t{stored.comment}\t{mark}"
                )
            return
        found = PolicySet.objects.filter(**({"version": wanted} if wanted is not None else {"is_active": True})).first()
        if found is None:
            versions = ", ".join(map(str, PolicySet.objects.values_list("version", flat=True)[:20]))
            raise CommandError(f"There is no version {wanted} of the policy set. Versions: {versions}.")
        self.stdout.write(found.text)

    def do_check(self, file: str, **_: Any) -> None:
        program = compile_policy_set(_read(file))
        reviews = sum(policy.parking is not None for policy in program.policies.values())
        permits = sum(policy.permits for policy in program.policies.values())
        forbids = len(program.policies) - permits - reviews
        self.stdout.write(f"{file} is sound: {permits} permit, {reviews} review, {forbids} forbid.")

    def do_apply(self, file: str, comment: str, **_: Any) -> None:
        program = store.activate(_read(file), author=ACTOR, comment=comment)
        self.stdout.write(f"Version {program.version} of the policy set is active: {len(program.policies)} policies.")


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
