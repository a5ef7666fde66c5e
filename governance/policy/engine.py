"""The decision: deny before review before allow, and the masks that stand in place of what may not be seen. Pure.

Each need of a statement (`question.needs_of`) is put to all policies. Cedar reports either every permit that holds or
every forbid that holds, so one answer tells allow from deny; only where nothing but reviews forbid is it asked again
without them, to learn whether the need is permitted at all. An error inside any policy is a denial.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import cedarpy
import orjson

from governance.catalogue.model import RelationName
from governance.classes import BUILT_IN, MASKS
from governance.policy.decision import Decision, MaskedColumn, Obligations, RequiredReview, Verdict
from governance.policy.program import Policy, PolicyProgram
from governance.policy.question import (
    ClassifiedColumn,
    Need,
    Question,
    Uid,
    classified_columns,
    column_uid,
    context_of,
    datasource_uid,
    entities_of,
    needs_of,
    principal_uid,
    table_uid,
)

_T = TypeVar("_T")

NO_PERMIT = "no-permit"
POLICY_ERROR = "policy-error"
UNREAD = "unread"

_VERBS = {"read": "read", "write": "write to", "define": "create, alter or drop", "administer": "administer"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the policies say of one need. `permits` is empty unless it is permitted."""

    need: Need
    permits: tuple[Policy, ...] = ()
    forbids: tuple[Policy, ...] = ()
    reviews: tuple[Policy, ...] = ()
    errors: tuple[str, ...] = ()


def decide(program: PolicyProgram, question: Question) -> Decision:
    asking = _Asking(program, question)
    answers = asking.needs()
    decision = (
        _denied_for_errors(answers)
        or _denied(answers, question)
        or _parked(answers, question)
        or _allowed(answers, question)
    )
    if decision.verdict is not Verdict.DENY:
        decision = replace(decision, obligations=Obligations(asking.masks(), max_rows=_smallest_limit(answers)))
    return replace(decision, set_version=program.version)


# --- Asking Cedar -------------------------------------------------------------------------------------------------


class _Asking:
    """One question on its way through Cedar: entities and context are made once for all that is asked.

    Relations and columns that no policy names cannot be told apart by any policy, so one stands for all of them. That
    is sound because in the schema they have no attributes: a name is the only thing a policy could see of them.
    """

    def __init__(self, program: PolicyProgram, question: Question) -> None:
        self.program = program
        self.question = question
        self.context = context_of(question, program.reads)
        tells_relations = bool(program.names & {"Table", "Schema", "Column"})
        tells_classes = bool(program.names & {"DataClass", "Column"})
        self.all_needs = needs_of(question.facts)
        self.all_columns = classified_columns(question)
        self.need_for = _representatives(
            self.all_needs, lambda need: need if tells_relations else (need.action, need.relation is None)
        )
        self.column_for = _representatives(
            self.all_columns,
            lambda column: (
                column.relation if tells_relations else None,
                column.data_class if tells_classes else None,
                column.column if "Column" in program.names else None,
            ),
        )
        self.entities = self._parse_entities()

    def _parse_entities(self) -> Any:
        columns = set(self.column_for.values())
        relations: set[RelationName] = {need.relation for need in self.need_for.values() if need.relation}
        relations |= {column.relation for column in columns}
        found = entities_of(self.question, relations, columns)
        return cedarpy.Entities.from_json_str(orjson.dumps(found).decode())

    def needs(self) -> tuple[Answer, ...]:
        distinct = list(dict.fromkeys(self.need_for.values()))
        answers = dict(zip(distinct, self._answers(distinct), strict=True))
        return tuple(replace(answers[self.need_for[need]], need=need) for need in self.all_needs)

    def _answers(self, needs: Sequence[Need]) -> list[Answer]:
        results = self._ask(self.program.whole, [(need.action, self._resource(need)) for need in needs])
        answers = [self._answer(need, result) for need, result in zip(needs, results, strict=True)]
        braked = [answer for answer in answers if answer.reviews and not (answer.forbids or answer.errors)]
        if not braked:
            return answers
        permitted = self._ask(
            self.program.unbraked, [(answer.need.action, self._resource(answer.need)) for answer in braked]
        )
        permits = {
            answer.need: self._answer(answer.need, result) for answer, result in zip(braked, permitted, strict=True)
        }
        return [
            replace(answer, permits=permits[answer.need].permits, errors=permits[answer.need].errors)
            if answer.need in permits
            else answer
            for answer in answers
        ]

    def _answer(self, need: Need, result: cedarpy.AuthzResult) -> Answer:
        held = [self.program.policies[key] for key in sorted(result.diagnostics.reasons)]
        return Answer(
            need,
            permits=tuple(policy for policy in held if policy.permits),
            forbids=tuple(policy for policy in held if not policy.permits and not policy.parking),
            reviews=tuple(policy for policy in held if policy.parking),
            errors=tuple(result.diagnostics.errors),
        )

    def masks(self) -> tuple[MaskedColumn, ...]:
        """Any forbid hides a column, a review too: what a person approves is still seen through its masks."""
        distinct = list(dict.fromkeys(self.column_for.values()))
        resources = [("unmask", column_uid(self.question.datasource, column)) for column in distinct]
        results = self._ask(self.program.whole, resources)
        shown = {
            column: self._mask_on_permit(result)
            for column, result in zip(distinct, results, strict=True)
            if result.allowed and not result.diagnostics.errors
        }
        masked = []
        for column in self.all_columns:
            asked = self.column_for[column]
            if mask := _default_mask(column) if asked not in shown else shown[asked]:
                masked.append(MaskedColumn(*column.relation, column.column, column.data_class, mask))
        return tuple(masked)

    def _mask_on_permit(self, result: cedarpy.AuthzResult) -> str | None:
        """The strictest @mask among the permits that hold; None: the column is shown as it is."""
        found = {self.program.policies[key].notes.mask for key in result.diagnostics.reasons}
        return next((mask for mask in MASKS if mask in found), None)

    def _ask(self, policies: Any, asked: Sequence[tuple[str, Uid]]) -> list[cedarpy.AuthzResult]:
        if not asked:
            return []
        principal = principal_uid(self.question)
        requests = [
            {
                "principal": principal,
                "action": {"type": "Action", "id": action},
                "resource": resource,
                "context": self.context,
            }
            for action, resource in asked
        ]
        return cedarpy.is_authorized_batch(requests, policies, self.entities)

    def _resource(self, need: Need) -> Uid:
        if need.relation is None:
            return datasource_uid(self.question)
        return table_uid(self.question.datasource, need.relation)


def _representatives(items: Iterable[_T], key: Callable[[_T], object]) -> Mapping[_T, _T]:
    first: dict[object, _T] = {}
    return {item: first.setdefault(key(item), item) for item in items}


def _default_mask(column: ClassifiedColumn) -> str:
    built_in = BUILT_IN.get(column.data_class)
    return built_in.mask if built_in else "redact"


# --- Combining ----------------------------------------------------------------------------------------------------


def _denied_for_errors(answers: Collection[Answer]) -> Decision | None:
    errors = sorted({error for answer in answers for error in answer.errors})
    if not errors:
        return None
    return Decision(
        Verdict.DENY,
        (POLICY_ERROR,),
        f"A policy could not be evaluated, so nothing is permitted: {'; '.join(errors)}",
        "Ask an administrator to correct the policy set.",
    )


def _denied(answers: Collection[Answer], question: Question) -> Decision | None:
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
    return Decision(Verdict.DENY, _ids(ids), _sentences(messages), _sentences(remedies))


def _unpermitted(needs: Iterable[Need], question: Question) -> str:
    wanted = sorted(
        f"{_VERBS[need.action]} {'.'.join(need.relation) if need.relation else f'data source {question.datasource}'}"
        for need in needs
    )
    return f"No policy permits {question.principal} to {', or to '.join(wanted)}."


def _parked(answers: Collection[Answer], question: Question) -> Decision | None:
    reviews = _unique(policy for answer in answers for policy in answer.reviews)
    if not reviews:
        return None
    if question.facts.unknown and not any("unread" in policy.reads for policy in reviews):
        return _unread(question)
    quorums: dict[str, int] = {}
    expiries = []
    for policy in reviews:
        if policy.parking:
            quorums[policy.parking.group] = max(policy.parking.quorum, quorums.get(policy.parking.group, 0))
            expiries.append(policy.parking.expires_in)
    return Decision(
        Verdict.REVIEW,
        _ids(policy.id for policy in reviews),
        _sentences(policy.notes.message or f"Needs a review by policy {policy.id}." for policy in reviews),
        _sentences(policy.notes.remedy for policy in reviews),
        required=tuple(RequiredReview(group, quorum) for group, quorum in sorted(quorums.items())),
        expires_in=min(expiries),
    )


def _allowed(answers: Collection[Answer], question: Question) -> Decision:
    if question.facts.unknown:
        return _unread(question)
    permits = _unique(policy for answer in answers for policy in answer.permits)
    messages = [policy.notes.message for policy in permits if policy.notes.message]
    return Decision(Verdict.ALLOW, _ids(policy.id for policy in permits), _sentences(messages) or "Permitted.")


def _unread(question: Question) -> Decision:
    """P1, whatever the policies say."""
    return Decision(
        Verdict.DENY,
        (UNREAD,),
        f"The statement is not fully understood, so it does not run. {_unread_reasons(question)}",
        "Use relations and functions that the catalogue of the data source knows, named with their schema.",
    )


def _unread_reasons(question: Question) -> str:
    reasons = dict.fromkeys(f"{unknown.what}: {unknown.why}" for unknown in question.facts.unknown)
    return f"{'; '.join(reasons)}."


def _smallest_limit(answers: Collection[Answer]) -> int | None:
    limits = [policy.notes.limit_rows for answer in answers for policy in answer.permits]
    return min((limit for limit in limits if limit is not None), default=None)


def _unique(policies: Iterable[Policy]) -> list[Policy]:
    return sorted({policy.id: policy for policy in policies}.values(), key=lambda policy: policy.line)


def _ids(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(ids)))


def _sentences(parts: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(part for part in parts if part))
