"""From what the policies say of each need to one decision: deny before review before allow. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from governance.policy.decision import Decision, Obligations, RequiredReview, Verdict
from governance.policy.program import Policy
from governance.policy.question import Need, Question

NO_PERMIT = "no-permit"
POLICY_ERROR = "policy-error"
UNREAD = "unread"

# A review that reads one of these means what is not understood.
_OF_THE_UNREAD = frozenset({"unread", "unknown"})
_VERBS = {"read": "read", "write": "write to", "define": "create, alter or drop", "administer": "administer"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the policies say of one need. `permits` is empty unless it is permitted."""

    need: Need
    permits: tuple[Policy, ...] = ()
    forbids: tuple[Policy, ...] = ()
    reviews: tuple[Policy, ...] = ()
    errors: tuple[str, ...] = ()


def refusal(answers: Collection[Answer], question: Question, version: int) -> Decision | None:
    return _denied_for_errors(answers, version) or _denied(answers, question, version)


def _denied_for_errors(answers: Collection[Answer], version: int) -> Decision | None:
    errors = sorted({error for answer in answers for error in answer.errors})
    if not errors:
        return None
    return Decision(
        Verdict.DENY,
        (POLICY_ERROR,),
        f"A policy could not be evaluated, so nothing is permitted: {'; '.join(errors)}",
        "Ask an administrator to correct the policy set.",
        set_version=version,
    )


def _denied(answers: Collection[Answer], question: Question, version: int) -> Decision | None:
    forbids = _unique(policy for answer in answers for policy in answer.forbids)
    unpermitted = [answer.need for answer in answers if not answer.permits and not answer.forbids]
    if not forbids and not unpermitted:
        return None
    messages = [policy.notes.message or f"Forbidden by policy {policy.id}." for policy in forbids]
    remedies = [policy.notes.remedy for policy in forbids]
    if question.facts.unknown:
        messages.append(_unread_reasons(question))
    if unpermitted:
        messages.append(_unpermitted(unpermitted, question))
        remedies.append("Ask an administrator for a policy that permits it.")
    ids = [policy.id for policy in forbids] + [NO_PERMIT] * bool(unpermitted)
    return Decision(Verdict.DENY, _ids(ids), _sentences(messages), _sentences(remedies), set_version=version)


def _unpermitted(needs: Iterable[Need], question: Question) -> str:
    wanted = sorted(
        f"{_VERBS[need.action]} {'.'.join(need.relation) if need.relation else f'data source {question.datasource}'}"
        for need in needs
    )
    return f"No policy permits {question.principal} to {', or to '.join(wanted)}."


def parking(answers: Collection[Answer], question: Question, bound: Obligations, version: int) -> Decision | None:
    reviews = _unique(policy for answer in answers for policy in answer.reviews)
    if not reviews:
        return None
    if question.facts.unknown and not _opens_the_unread(question, reviews):
        return _unread(question, version)
    return Decision(
        Verdict.REVIEW,
        _ids(policy.id for policy in reviews),
        _sentences(policy.notes.message or f"Needs a review by policy {policy.id}." for policy in reviews),
        _sentences(policy.notes.remedy for policy in reviews),
        required=required_reviews(reviews),
        expires_in=min(policy.parking.expires_in for policy in reviews if policy.parking),
        obligations=bound,
        set_version=version,
    )


def _opens_the_unread(question: Question, reviews: Iterable[Policy]) -> bool:
    if any(unknown.final for unknown in question.facts.unknown):
        return False
    return any(policy.reads & _OF_THE_UNREAD for policy in reviews)


def required_reviews(reviews: Iterable[Policy]) -> tuple[RequiredReview, ...]:
    """Every group, with the highest quorum that any policy asks of it."""
    quorums: dict[str, int] = {}
    for policy in reviews:
        if policy.parking:
            quorums[policy.parking.group] = max(policy.parking.quorum, quorums.get(policy.parking.group, 0))
    return tuple(RequiredReview(group, quorum) for group, quorum in sorted(quorums.items()))


def permission(answers: Collection[Answer], question: Question, bound: Obligations, version: int) -> Decision:
    if question.facts.unknown:
        return _unread(question, version)
    permits = _unique(policy for answer in answers for policy in answer.permits)
    message = _sentences(policy.notes.message for policy in permits) or "Permitted."
    ids = _ids(policy.id for policy in permits)
    return Decision(Verdict.ALLOW, ids, message, obligations=bound, set_version=version)


def _unread(question: Question, version: int) -> Decision:
    """P1, whatever the policies say."""
    return Decision(
        Verdict.DENY,
        (UNREAD,),
        f"The statement is not fully understood, so it does not run. {_unread_reasons(question)}",
        "Use relations and functions that the catalogue of the data source knows, named with their schema.",
        set_version=version,
    )


def _unread_reasons(question: Question) -> str:
    reasons = dict.fromkeys(f"{unknown.what}: {unknown.why}" for unknown in question.facts.unknown)
    return f"{'; '.join(reasons)}."


def _unique(policies: Iterable[Policy]) -> Sequence[Policy]:
    found = {policy.id: policy for policy in policies}
    return list(found.values()) if len(found) < 2 else sorted(found.values(), key=lambda policy: policy.line)


def _ids(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(ids)))


def _sentences(parts: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(part for part in parts if part))
