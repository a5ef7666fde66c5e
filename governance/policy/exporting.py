"""May this principal take entries of the ledger away as a file? Pure.

A permit must say so, for administrators too, and a forbid wins. An export is never parked: a forbid with @review refuses.
"""

from __future__ import annotations

from dataclasses import dataclass

from governance.policy.activation import answer_about_itself
from governance.policy.combine import NO_PERMIT, POLICY_ERROR, Answer
from governance.policy.program import Policy, PolicyProgram
from governance.policy.question import Question

_ASK = "Ask an administrator for a policy that permits it."


@dataclass(frozen=True, slots=True)
class ExportDecision:
    """`policies` are those that decided, never empty. `most_rows` is the smallest @limit_rows of all permits that hold."""

    is_allowed: bool
    policies: tuple[str, ...]
    message: str
    remedy: str = ""
    most_rows: int | None = None


def decide_export(program: PolicyProgram, question: Question) -> ExportDecision:
    answer = answer_about_itself(program, question, "export", "ledger")
    if answer.errors:
        message = f"A policy could not be evaluated, so nothing is exported: {'; '.join(sorted(answer.errors))}"
        return ExportDecision(False, (POLICY_ERROR,), message, "Ask an administrator to correct the policy set.")
    if held := (*answer.forbids, *answer.reviews):
        return _refused(held)
    if not answer.permits:
        message = f"No policy permits {question.principal} to export entries of the ledger."
        return ExportDecision(False, (NO_PERMIT,), message, _ASK)
    return _allowed(answer)


def _allowed(answer: Answer) -> ExportDecision:
    limits = [policy.notes.limit_rows for policy in answer.permits if policy.notes.limit_rows is not None]
    return ExportDecision(True, _ids(answer.permits), "Permitted.", most_rows=min(limits, default=None))


def _refused(held: tuple[Policy, ...]) -> ExportDecision:
    messages = [policy.notes.message or f"Forbidden by policy {policy.id}." for policy in held]
    if any(policy.parking for policy in held):
        messages.append("Exports are not parked for review, so it is refused.")
    remedies = [policy.notes.remedy for policy in held if policy.notes.remedy] or [_ASK]
    return ExportDecision(False, _ids(held), " ".join(dict.fromkeys(messages)), " ".join(dict.fromkeys(remedies)))


def _ids(policies: tuple[Policy, ...]) -> tuple[str, ...]:
    return tuple(sorted(policy.id for policy in policies))
