"""Does a policy set lock out every administrator? Pure.

An administrator must be able to read something, somewhere, at some time, and to activate another set. Both are asked of
an imagined administrator, in every circumstance that the set tells apart, until one is found in which it works.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cedarpy import pst

from governance.analysis.facts import Facts, Kind, RelationUse, Use
from governance.policy.activation import decide_activation, question_of
from governance.policy.decision import Decision, Verdict
from governance.policy.engine import decide
from governance.policy.problems import PolicyProblem
from governance.policy.program import PolicyProgram, walk
from governance.policy.question import Question
from governance.policy.words import DOORS, ENVIRONMENTS

# Circumstances that are tried before the set is held to lock everybody out.
MOST_TRIED = 4000
_MOST_TEXTS = 10
_ANYBODY = "administrator"
_MONDAY = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
_PART = re.compile(r'"((?:[^"]|"")*)"|([^.]+)')


def lockouts(program: PolicyProgram) -> list[PolicyProblem]:
    return [
        *_locked(program, _activations(program), "no administrator could activate another policy set any more"),
        *_locked(program, _reads(program), "no administrator could read anything any more"),
    ]


def _locked(program: PolicyProgram, decisions: Iterator[Decision], what: str) -> list[PolicyProblem]:
    first = None
    for decision in itertools.islice(decisions, MOST_TRIED):
        if decision.verdict is not Verdict.DENY:
            return []
        first = first or decision
    if first is None:
        return []
    guilty = [policy for policy in program.policies.values() if policy.id in first.policies]
    reason = f"with this set {what}: {first.message}"
    return [PolicyProblem(policy.line, policy.id, reason) for policy in guilty[:1]] or [PolicyProblem(1, "", reason)]


def _activations(program: PolicyProgram) -> Iterator[Decision]:
    for door, moment, (name, groups) in itertools.product(
        doors_told_apart(program), moments_told_apart(program), _administrators(program)
    ):
        question = question_of(name, groups, is_administrator=True, door=door, now=moment)
        yield decide_activation(program, question)


def _reads(program: PolicyProgram) -> Iterator[Decision]:
    circumstances = itertools.product(
        _texts(program),
        (("run",) if "hasRun" not in program.reads else ("", "run")),
        doors_told_apart(program),
        moments_told_apart(program),
        _administrators(program),
        _relations(program),
        ENVIRONMENTS[::-1],
    )
    for text, run, door, moment, (name, groups), (source, schema, table), environment in circumstances:
        question = Question(
            principal=f"user:{name}",
            kind="user",
            name=name,
            groups=groups,
            owner=name,
            is_administrator=True,
            datasource=source,
            environment=environment,
            facts=Facts(frozenset({Kind.READ}), "", "", relations=(RelationUse(schema, table, Use.READ),)),
            classes={},
            door=door,
            now=moment,
            purpose=text,
            on_behalf_of=text,
            run=run,
            estimated_rows=1,
        )
        yield decide(program, question)


def _administrators(program: PolicyProgram) -> list[tuple[str, frozenset[str]]]:
    """In all the groups that the set names, in none of them, and in each; and the people whom it names."""
    named = program.named.get("Group", frozenset())
    groups = [named, frozenset[str](), *(frozenset({one}) for one in sorted(named))]
    names = [_ANYBODY, *sorted(program.named.get("User", ()))]
    return list(dict.fromkeys((name, some) for name in names for some in groups))


def _relations(program: PolicyProgram) -> list[tuple[str, str, str]]:
    """A relation in each place that the set names, and one that it does not."""
    found = [("datasource", "public", "anything")]
    for kind, fill in (("DataSource", ["public", "anything"]), ("Schema", ["anything"]), ("Table", []), ("Column", [])):
        for identifier in sorted(program.named.get(kind, ())):
            parts = [*parts_of(identifier), *fill]
            if len(parts) >= 3:
                found.append((parts[0], parts[1], parts[2]))
    return list(dict.fromkeys(found))


def parts_of(identifier: str) -> list[str]:
    return [quoted.replace('""', '"') or plain for quoted, plain in _PART.findall(identifier)]


def doors_told_apart(program: PolicyProgram) -> tuple[str, ...]:
    return DOORS if "door" in program.reads else DOORS[:1]


def moments_told_apart(program: PolicyProgram) -> list[datetime]:
    if not program.reads & {"hour", "weekday"}:
        return [_MONDAY]
    return [_MONDAY + timedelta(hours=hours) for hours in range(7 * 24)]


def _texts(program: PolicyProgram) -> list[str]:
    """For purpose and on-behalf-of: something, nothing, and what the set compares them with."""
    if not program.reads & {"purpose", "onBehalfOf"}:
        return [""]
    literals = {
        part.value
        for policy in program.policies.values()
        for part in walk(policy.node)
        if isinstance(part, pst.StringLit)
    }
    return ["a reason", "", *sorted(literals)[:_MOST_TEXTS]]
