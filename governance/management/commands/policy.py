"""`manage.py policy show|check|diff|apply|replay`."""

from __future__ import annotations

import json
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.assessment import Asking
from governance.management.plain import find_datasource, told_plainly
from governance.policy import proposals, store
from governance.policy.askers import principal_labelled
from governance.policy.changes import changes_between, unified_diff
from governance.policy.explanation import explain, explanation_json
from governance.policy.problems import PolicyError, PolicyProblem
from governance.policy.program import PolicyProgram, compile_policy_set
from governance.policy.replaying import DEFAULT_LIMIT, Wanted, replay, replay_json
from governance.policy.surroundings import examine
from governance.policy.telling import tell_explanation, tell_replay
from governance.policy.words import DOORS

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
VERBS = "show | check | diff | apply | replay"


class Command(BaseCommand):
    help = "Shows, checks, compares, replays and activates policy sets, written in Cedar (docs/policy.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar=VERBS)
        show = verbs.add_parser("show", help="print the active policy set, or another version of it")
        show.add_argument(
            "--version", dest="wanted", type=int, metavar="N", help="this version instead of the active one"
        )
        show.add_argument("--list", action="store_true", help="list the versions instead")
        check = verbs.add_parser(
            "check", help="tell whether a file is a sound policy set, or what it says of a statement; changes nothing"
        )
        check.add_argument("file", nargs="?", help="the active set, where it is left out")
        _add_statement(check)
        diff = verbs.add_parser(
            "diff",
            help="compare two versions, or a version with a file; a file alone with the active set; "
            "without any, the last two",
        )
        diff.add_argument("first", nargs="?", help="a version, or a file")
        diff.add_argument("second", nargs="?", help="a version, or a file")
        apply = verbs.add_parser("apply", help="make a file the active policy set, as a new version")
        apply.add_argument("file")
        apply.add_argument("--comment", default="", help="why, for those who read the ledger")
        again = verbs.add_parser(
            "replay", help="what would a file have decided of recorded statements? changes nothing"
        )
        again.add_argument("file")
        again.add_argument("--since", default="7d", help="how far back, such as 12h or 7d (default: 7d)")
        again.add_argument("--datasource", help="only statements on this one")
        again.add_argument("--limit", type=int, default=DEFAULT_LIMIT, help="the newest so many (default: %(default)s)")
        again.add_argument("--json", dest="as_json", action="store_true", help="print JSON")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with told_plainly():
            getattr(self, f"do_{verb}")(**options)

    def do_show(self, wanted: int | None, **options: Any) -> None:
        if not options["list"]:
            self.stdout.write(store.fetch_version(wanted).text)
            return
        for stored in store.versions():
            mark = "active" if stored.is_active else ""
            self.stdout.write(
                f"{stored.version}\t{stored.created_at:%Y-%m-%d %H:%M}\t{stored.author}\t{stored.comment}\t{mark}"
            )

    def do_check(self, file: str | None, sql: str | None, **options: Any) -> None:
        program = self._sound(file) if file else store.active()
        if sql is not None:
            self._explain(program, sql, **options)
            return
        reviews = sum(policy.parking is not None for policy in program.policies.values())
        permits = sum(policy.permits for policy in program.policies.values())
        forbids = len(program.policies) - permits - reviews
        what = file or f"Version {program.version} of the policy set"
        self.stdout.write(f"{what} is sound: {permits} permit, {reviews} review, {forbids} forbid.")

    def _explain(
        self, program: PolicyProgram, sql: str, datasource: str | None, asker: str | None, as_json: bool, **asked: str
    ) -> None:
        if not datasource or not asker:
            raise CommandError("To explain a statement, say on what and as whom: --datasource NAME --as agent:NAME")
        asking = Asking(
            principal_labelled(asker), asked["door"], purpose=asked["purpose"], on_behalf_of=asked["on_behalf_of"]
        )
        explanation = explain(program, find_datasource(datasource), sql, asking)
        self._print(explanation_json(explanation) if as_json else tell_explanation(explanation))

    def do_diff(self, first: str | None, second: str | None, **_: Any) -> None:
        before, after = self._two_sets(first, second)
        (old_name, old), (new_name, new) = before, after
        for change in changes_between(old, new):
            self.stdout.write(f"{change.what}: {change.policy}")
        self.stdout.write(
            unified_diff(old.text, new.text, old_name, new_name) or f"{old_name} and {new_name} are equal."
        )

    def _two_sets(self, first: str | None, second: str | None) -> tuple[tuple[str, PolicyProgram], ...]:
        if first is None:
            newest = list(store.versions().values_list("version", flat=True)[:2])
            first, second = str(newest[-1]), str(newest[0])
        named, active = self._named(first), str(store.active().version)
        if second is None and not _is_version(first):
            return self._named(active), named  # what the file would change
        return named, self._named(second or active)

    def _named(self, what: str) -> tuple[str, PolicyProgram]:
        """A version by its number, anything else as a file."""
        if _is_version(what):
            return f"version {what}", store.program_of(store.fetch_version(int(what)))
        return what, compile_policy_set(_read(what))

    def do_apply(self, file: str, comment: str, **_: Any) -> None:
        text = _read(file)
        self._warn(examine(text).warnings)
        submitted = proposals.submit(text, proposals.OPERATOR, comment)
        if proposal := submitted.proposal:
            wanted = " and ".join(f"{one['quorum']} of group {one['group']}" for one in proposal.required)
            self.stdout.write(
                f"The active set demands a review, so it is proposed, not active: {proposal.pk}. {proposal.message} "
                f"It comes into force when {wanted} have approved, until {proposal.expires_at:%Y-%m-%d %H:%M} UTC."
            )
        elif program := submitted.program:
            self.stdout.write(
                f"Version {program.version} of the policy set is active: {len(program.policies)} policies."
            )

    def do_replay(self, file: str, since: str, datasource: str | None, limit: int, as_json: bool, **_: Any) -> None:
        program = self._sound(file)
        if datasource:
            find_datasource(datasource)
        if limit < 1:
            raise CommandError("--limit must be at least 1.")
        wanted = Wanted(since=timezone.now() - _span(since), datasource=datasource, limit=limit)
        found = replay(program, wanted, self._progress)
        self._print(replay_json(found) if as_json else tell_replay(found))

    def _progress(self, done: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{done:,} statements", ending="")

    def _sound(self, file: str) -> PolicyProgram:
        found = examine(_read(file))
        self._warn(found.warnings)
        if found.program is None:
            raise PolicyError(found.problems)
        return found.program

    def _warn(self, warnings: tuple[PolicyProblem, ...]) -> None:
        for warning in warnings:
            self.stderr.write(f"Warning: {warning}")

    def _print(self, what: str | dict[str, Any]) -> None:
        self.stdout.write(what if isinstance(what, str) else json.dumps(what, indent=2, ensure_ascii=False))


def _add_statement(parser: CommandParser) -> None:
    parser.add_argument("--sql", help="explain what the set says of this statement; nothing is run")
    parser.add_argument("--datasource", help="with --sql: on which data source")
    parser.add_argument("--as", dest="asker", metavar="PRINCIPAL", help="with --sql: agent:NAME or user:NAME")
    parser.add_argument("--door", choices=DOORS, default="rest", help="with --sql: how it comes in (default: rest)")
    parser.add_argument("--purpose", default="", help="with --sql: what the caller says of why")
    parser.add_argument("--on-behalf-of", default="", help="with --sql: for whom the agent says that it acts")
    parser.add_argument("--json", dest="as_json", action="store_true", help="with --sql: print JSON")


def _is_version(what: str) -> bool:
    return re.fullmatch(r"[0-9]{1,9}", what) is not None


def _span(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    if not match or not int(match[1]):
        raise CommandError(f"--since {text!r} must be a span such as 90m, 12h or 7d.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
