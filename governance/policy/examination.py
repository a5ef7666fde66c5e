"""Is a text a sound policy set? Everything that is wrong with it, and what its author may not have meant. Pure.

What depends on who and what there is (groups without people, tables that nobody has) is told by
`governance.policy.surroundings`.
"""

from __future__ import annotations

from dataclasses import dataclass

from governance.policy.coverage import idle_policies
from governance.policy.lockout import lockouts
from governance.policy.problems import PolicyError, PolicyProblem
from governance.policy.program import PolicyProgram, compile_policy_set


@dataclass(frozen=True, slots=True)
class Examination:
    """`problems` refuse the set, `warnings` do not; both are in the order of the text. `program` is None where there are
    problems."""

    problems: tuple[PolicyProblem, ...] = ()
    warnings: tuple[PolicyProblem, ...] = ()
    program: PolicyProgram | None = None

    @property
    def is_sound(self) -> bool:
        return self.program is not None


def examine(text: str) -> Examination:
    try:
        program = compile_policy_set(text)
    except PolicyError as error:
        return Examination(problems=error.problems)
    warnings = in_order(idle_policies(program))
    if locked := in_order(lockouts(program)):
        return Examination(locked, warnings)
    return Examination(warnings=warnings, program=program)


def in_order(problems: list[PolicyProblem]) -> tuple[PolicyProblem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.policy, problem.reason)))
