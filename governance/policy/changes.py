"""What is different between two policy sets, by policy and by line. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from governance.policy.problems import split_policies
from governance.policy.program import Policy, PolicyProgram

What = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """`before` and `after` are the policy's own text in each set, empty where it is not in it. `line` is where it stands
    in the newer set, or stood in the older one."""

    policy: str
    what: What
    line: int
    before: str = ""
    after: str = ""


def changes_between(before: PolicyProgram, after: PolicyProgram) -> tuple[PolicyChange, ...]:
    """Policies are matched by their @id. Comments, order and layout are no changes: they decide nothing."""
    old, new = _by_id(before), _by_id(after)
    return tuple(
        sorted(_changes(old, new), key=lambda change: (("removed", "added", "changed").index(change.what), change.line))
    )


def _changes(old: dict[str, tuple[Policy, str]], new: dict[str, tuple[Policy, str]]) -> Iterator[PolicyChange]:
    for name, (policy, text) in old.items():
        if name not in new:
            yield PolicyChange(name, "removed", policy.line, before=text)
    for name, (policy, text) in new.items():
        if name not in old:
            yield PolicyChange(name, "added", policy.line, after=text)
        elif replace(old[name][0].node, id="") != replace(policy.node, id=""):
            yield PolicyChange(name, "changed", policy.line, before=old[name][1], after=text)


def _by_id(program: PolicyProgram) -> dict[str, tuple[Policy, str]]:
    """Cedar numbers policies as the text does, and so do the fragments."""
    fragments = split_policies(program.text)
    policies = sorted(program.policies.items(), key=lambda item: int(item[0].removeprefix("policy")))
    return {policy.id: (policy, fragment.text) for (_, policy), fragment in zip(policies, fragments, strict=False)}


def unified_diff(before: str, after: str, old_name: str, new_name: str) -> str:
    """As `diff -u` prints it; empty where the texts are equal."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), old_name, new_name, lineterm="")
    text = "\n".join(lines)
    return f"{text}\n" if text else ""
