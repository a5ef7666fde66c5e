"""From what the policies say of each need to one decision: deny before review before allow. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from governance.policy.annotations import Parking
from governance.policy.decision import Decision, Obligations, RequiredReview, Terms, Verdict
from governance.policy.program import Policy
from governance.policy.question import Need, Question
from governance.policy.windows import NeverOpen, opening

NO_PERMIT = "no-permit"
POLICY_ERROR = "policy-error"
UNREAD = "unread"
NO_WINDOW = "no-window"

_NO_WINDOW_REMEDY = "Ask an administrator to let the windows of the policies overlap."

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
    terms = combined_terms(reviews)
    if never := _never_open(terms, question):
        return Decision(Verdict.DENY, (NO_WINDOW,), never, _NO_WINDOW_REMEDY, set_version=version)
    return Decision(
        Verdict.REVIEW,
        _ids(policy.id for policy in reviews),
        _sentences(policy.notes.message or f"Needs a review by policy {policy.id}." for policy in reviews),
        _sentences(policy.notes.remedy for policy in reviews),
        required=required_reviews(reviews),
        expires_in=min(one.expires_in for one in _demanded(reviews)),
        terms=terms,
        obligations=bound,
        set_version=version,
    )


def _opens_the_unread(question: Question, reviews: Iterable[Policy]) -> bool:
    if any(unknown.final for unknown in question.facts.unknown):
        return False
    return any(policy.reads & _OF_THE_UNREAD for policy in reviews)


def _demanded(reviews: Iterable[Policy]) -> list[Parking]:
    return [policy.parking for policy in reviews if policy.parking]


def required_reviews(reviews: Iterable[Policy]) -> tuple[RequiredReview, ...]:
    """Every group of every stage, with the highest quorum that any policy asks of it. Another group may stand in only where
    all policies that ask for it name the same, and as late as any of them says."""
    by_seat: dict[tuple[int, str], list[Parking]] = {}
    for one in _demanded(reviews):
        by_seat.setdefault((one.stage, one.group), []).append(one)
    return tuple(_required(*seat, by_seat[seat]) for seat in sorted(by_seat))


def _required(stage: int, group: str, demanded: Sequence[Parking]) -> RequiredReview:
    quorum = max(one.quorum for one in demanded)
    if len(named := {one.escalate_to for one in demanded}) > 1 or named == {""}:
        return RequiredReview(group, quorum, stage)
    return RequiredReview(group, quorum, stage, named.pop(), max(one.escalate_after for one in demanded))


def combined_terms(reviews: Iterable[Policy]) -> Terms:
    """The strictest of all: what one demands holds, what one does not give is not given."""
    demanded = _demanded(reviews)
    return Terms(
        step_up=_shortest(one.step_up for one in demanded),
        windows=tuple(sorted({one.window for one in demanded if one.window})),
        grantable=min((one.grantable for one in demanded), default=0),
        remind_after=_shortest(one.remind_after for one in demanded),
        holds_locks=bool(demanded) and all(one.holds_locks for one in demanded),
    )


def _shortest(times: Iterable[int]) -> int:
    """0 is none."""
    return min((time for time in times if time), default=0)


def _never_open(terms: Terms, question: Question) -> str:
    """What would be parked and could never run is refused at once."""
    try:
        opening(terms.windows, question.now)
    except NeverOpen as error:
        return f"It could run in no maintenance window, so it is not parked: {error}."
    return ""


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
