"""Does a policy set fit the people, groups and data sources that there are? What it names and nobody has is a warning; a
set that nobody could ever replace again is a problem."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from django.contrib.auth.models import Group
from django.db.models import Count, Q

from governance.catalogue import store as catalogue_store
from governance.catalogue.model import Catalogue
from governance.errors import GatewayError
from governance.models import DataSource
from governance.policy import examination
from governance.policy.activation import decide_activation, question_of
from governance.policy.decision import RequiredReview, Verdict
from governance.policy.examination import Examination, in_order
from governance.policy.lockout import MOST_TRIED, doors_told_apart, moments_told_apart, parts_of
from governance.policy.problems import PolicyProblem
from governance.policy.program import Policy, PolicyProgram, entities_named
from governance.policy.quorum import missing
from identity.models import Agent, User


def examine(text: str) -> Examination:
    """The pure examination of the text, and what is to be said of it here and now."""
    found = examination.examine(text)
    if found.program is None:
        return found
    warnings = in_order([*found.warnings, *_strangers(found.program), *_empty_groups(found.program)])
    if problems := unreplaceable(found.program):
        return Examination(problems, warnings)
    return Examination(warnings=warnings, program=found.program)


# --- People -------------------------------------------------------------------------------------------------------


def members_by_group() -> dict[str, int]:
    """Active people only: agents review nothing."""
    counted = Group.objects.annotate(people=Count("user", filter=Q(user__is_active=True)))
    return {group.name: group.people for group in counted}


def _empty_groups(program: PolicyProgram) -> Iterator[PolicyProblem]:
    members = members_by_group()
    for policy in program.policies.values():
        if policy.parking is None:
            continue
        group, quorum, people = policy.parking.group, policy.parking.quorum, members.get(policy.parking.group, 0)
        if not people:
            yield _warning(policy, f"nobody is in group {group!r}, so what it parks can never be approved")
        elif people < quorum:
            yield _warning(policy, f"it asks for {quorum} people of group {group!r}, and only {people} are in it")
        if policy.parking.escalate_to and not members.get(policy.parking.escalate_to):
            yield _warning(policy, f"nobody is in group {policy.parking.escalate_to!r}, so nobody can stand in")


def unreplaceable(program: PolicyProgram) -> tuple[PolicyProblem, ...]:
    """Is there an administrator who could activate another set, with the reviews that this one demands?

    Before the first administrator there is nobody to lock out.
    """
    administrators = list(User.objects.filter(is_superuser=True, is_active=True).prefetch_related("groups"))
    people = {user.username: _groups(user) for user in User.objects.filter(is_active=True).prefetch_related("groups")}
    reason = ""
    circumstances = itertools.product(doors_told_apart(program), moments_told_apart(program), administrators)
    for door, moment, user in itertools.islice(circumstances, MOST_TRIED):
        question = question_of(user.username, _groups(user), is_administrator=True, door=door, now=moment)
        decision = decide_activation(program, question)
        others = {name: groups for name, groups in people.items() if name != user.username}
        if decision.verdict is Verdict.ALLOW or (
            decision.verdict is Verdict.REVIEW and not (lacking := missing(decision.required, others))
        ):
            return ()
        if not reason:
            reason = decision.message if decision.verdict is Verdict.DENY else _too_few(decision.required, lacking)
    if not reason:
        return ()
    return (PolicyProblem(1, "", f"with this set nobody could ever activate another one: {reason}"),)


def _too_few(required: tuple[RequiredReview, ...], lacking: dict[str, int]) -> str:
    wanted = " and ".join(f"{one.quorum} of group {one.group!r}" for one in required)
    short = " and ".join(f"{count} more in {group!r}" for group, count in lacking.items())
    return f"activating needs the approval of {wanted} besides whoever proposes, and that takes {short}."


def _groups(user: User) -> frozenset[str]:
    return frozenset(group.name for group in user.groups.all())


# --- Names --------------------------------------------------------------------------------------------------------


def _strangers(program: PolicyProgram) -> Iterator[PolicyProblem]:
    """Names that mean nothing here: mostly typing errors, and each turns its policy off in silence."""
    known = _Known()
    for policy in program.policies.values():
        for uid in sorted(set(entities_named(policy.node)), key=str):
            check = known.checks.get(uid.type.basename)
            if check and not check(uid.id):
                yield _warning(policy, f'{uid.type.basename}::"{uid.id}" names nothing that there is here')


class _Known:
    """Reads each sort of name once, when the first policy asks for it."""

    def __init__(self) -> None:
        self._catalogues: dict[str, Catalogue | None] = {}
        self.checks: dict[str, Callable[[str], bool]] = {
            "Group": lambda name: Group.objects.filter(name=name).exists(),
            "User": lambda name: User.objects.filter(username=name).exists(),
            "Agent": lambda name: Agent.objects.filter(name=name).exists(),
            "DataSource": lambda name: DataSource.objects.filter(name=name).exists(),
            "Schema": self._place,
            "Table": self._place,
            "Column": self._place,
        }

    def _place(self, identifier: str) -> bool:
        source, *names = parts_of(identifier)
        catalogue = self._catalogue(source)
        if catalogue is None or not names:
            return False
        relations = [relation for relation in catalogue.relations.values() if relation.schema == names[0]]
        if len(names) > 1:
            relations = [relation for relation in relations if relation.name == names[1]]
        if len(names) > 2:
            return any(names[2].partition(":$")[0] in {column.name for column in one.columns} for one in relations)
        return bool(relations)

    def _catalogue(self, source: str) -> Catalogue | None:
        if source not in self._catalogues:
            self._catalogues[source] = _catalogue_of(source)
        return self._catalogues[source]


def _catalogue_of(source: str) -> Catalogue | None:
    datasource = DataSource.objects.filter(name=source).first()
    try:
        return catalogue_store.current(datasource) if datasource else None
    except GatewayError:
        return None


def _warning(policy: Policy, reason: str) -> PolicyProblem:
    return PolicyProblem(policy.line, policy.id, reason, "warning")
