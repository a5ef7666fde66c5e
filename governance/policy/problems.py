"""What is wrong with a policy text, said so that its author can put it right. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

_TOKENS = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"|;')
_NESTING = re.compile(r"&&|\|\||::|[-+*.[]|\b(?:if|when|unless|has|in|is|like)\b")
_FILLER = re.compile(r"(?:\s+|//[^\n]*)*")


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """`policy` is the policy's @id, or empty where it has none; `line` counts from 1. A warning refuses nothing."""

    line: int
    policy: str
    reason: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"line {self.line}{f', policy {self.policy!r}' if self.policy else ''}: {self.reason}"


class PolicyError(Exception):
    """The text is not a policy set. Nothing was changed by it."""

    def __init__(self, problems: Iterable[PolicyProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Fragment:
    """One policy's own text, and the line on which it starts."""

    text: str
    line: int


def split_policies(text: str) -> tuple[Fragment, ...]:
    """Cuts at the semicolons that end policies. Cedar's parser does not say where it stopped; fragments do."""
    fragments, start = [], 0
    ends = [token.end() for token in _TOKENS.finditer(text) if token.group() == ";"]
    for end in [*ends, len(text)]:
        start += len(_matched(text[start:end]))
        if start < end:
            fragments.append(Fragment(text[start:end], text.count("\n", 0, start) + 1))
        start = end
    return tuple(fragments)


# Cedar's parser descends by recursion and ends the whole process when its stack is used up, at some thousand levels.
# These bounds keep every text far from that.
MAX_BRACKETS = 50
MAX_NESTING = 250


def excess_of(fragment: Fragment) -> str | None:
    """What in this policy is too deep or too long to be parsed safely."""
    bare = _TOKENS.sub(lambda token: ";" if token.group() == ";" else " ", fragment.text)
    depth = deepest = 0
    for character in bare:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    if deepest > MAX_BRACKETS:
        return f"brackets are nested deeper than {MAX_BRACKETS} levels: split the policy"
    if len(_NESTING.findall(bare)) > MAX_NESTING:
        return f"it has more than {MAX_NESTING} operators: split the policy"
    return None


def _matched(text: str) -> str:
    match = _FILLER.match(text)
    return match.group() if match else ""
