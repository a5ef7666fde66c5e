"""The decision: what the policies say of a statement, and the masks that stand in place of what may not be seen. Pure.

Each need of a statement (`question.needs_of`) and each classified column is put to all policies. Cedar reports either
every permit that holds or every forbid that holds, so one answer tells allow from deny; only where nothing but reviews
forbid is it asked again without them, to learn whether the need is permitted at all. An error inside any policy is a
denial.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import cedarpy
import orjson

from governance.analysis.facts import Use
from governance.catalogue.model import RelationName
from governance.classes import BUILT_IN, MASKS
from governance.policy.combine import NO_PERMIT, POLICY_ERROR, UNREAD, Answer, parking, permission, refusal
from governance.policy.decision import Decision, MaskedColumn, Obligations, RowFilter
from governance.policy.program import PolicyProgram
from governance.policy.question import (
    ClassifiedColumn,
    Need,
    Question,
    Who,
    classified_columns,
    column_uid,
    context_of,
    datasource_uid,
    entities_of,
    needs_of,
    schema_uid,
    table_uid,
    who_asks,
)

__all__ = ["NO_PERMIT", "POLICY_ERROR", "UNREAD", "decide"]

_T = TypeVar("_T")

# What a filter on a write holds for: rows that are there already. Nothing can be said of rows that are only to come.
_FILTERED_WRITES = frozenset({Use.UPDATE, Use.DELETE, Use.TRUNCATE})


def decide(program: PolicyProgram, question: Question) -> Decision:
    asking = _Asking(program, question)
    answers = asking.answers()
    if denied := refusal(answers, question, program.version):
        return denied
    bound = Obligations(asking.masks(), _row_filters(answers, question), _smallest_limit(answers))
    return parking(answers, question, bound, program.version) or permission(answers, question, bound, program.version)


class _Asking:
    """One question on its way through Cedar: entities and context are made once for all that is asked.

    Relations and columns that no policy can tell apart are asked for once, by the first of them. That is sound because
    in the schema they have no attributes: the names of themselves, their schema and their class are all that a policy
    could see of them, so those that are named in none differ in nothing.
    """

    def __init__(self, program: PolicyProgram, question: Question) -> None:
        self.program = program
        self.question = question
        self.who = who_asks(question)
        self.principal = {"type": self.who.type, "id": self.who.name}
        self.context = context_of(question, program.reads)
        self.tells_relations = bool(program.named.keys() & {"Schema", "Table"})
        self.seen: dict[RelationName, Hashable] = {}
        self.needs = needs_of(question.facts)
        self.columns = classified_columns(question)
        self.need_for = _representatives(self.needs, lambda need: (need.action, self._seen(need.relation)))
        self.column_for = _representatives(self.columns, self._seen_column)
        asked_columns = tuple(dict.fromkeys(self.column_for.values()))
        asked_needs = tuple(dict.fromkeys(self.need_for.values()))
        relations = {need.relation for need in asked_needs if need.relation}
        relations |= {column.relation for column in asked_columns}
        self.around = (self.who, question.datasource, question.environment, frozenset(relations), asked_columns)
        self._ask_all(asked_needs, asked_columns)

    def _seen(self, relation: RelationName | None) -> Hashable:
        """All that policies can see of a relation."""
        if relation is None or not self.tells_relations:
            return relation is None
        if relation not in self.seen:
            source, named = self.question.datasource, self.program.named
            ids = (schema_uid(source, relation[0])["id"], table_uid(source, relation)["id"])
            self.seen[relation] = tuple(
                one if one in named.get(kind, ()) else None for kind, one in zip(("Schema", "Table"), ids, strict=True)
            )
        return self.seen[relation]

    def _seen_column(self, column: ClassifiedColumn) -> Hashable:
        named = self.program.named
        data_class = column.data_class if column.data_class in named.get("DataClass", ()) else None
        if "Column" not in named:
            return (self._seen(column.relation), data_class)
        one = column_uid(self.question.datasource, column)["id"]
        return (self._seen(column.relation), data_class, one if one in named["Column"] else None)

    def _ask_all(self, needs: Sequence[Need], columns: Sequence[ClassifiedColumn]) -> None:
        source = self.question.datasource
        asked = [(need.action, self._resource(need)) for need in needs]
        asked += [("unmask", column_uid(source, column)) for column in columns]
        results = self._ask(self.program.whole, asked)
        self.answer_of = dict(zip(needs, map(self._answer, needs, results), strict=False))
        self.shown_of = dict(zip(columns, results[len(needs) :], strict=True))
        self._permit_braked()

    def _permit_braked(self) -> None:
        """Where nothing but reviews hold a need back, are there permits too?"""
        braked = [one for one in self.answer_of.values() if one.reviews and not (one.forbids or one.errors)]
        results = self._ask(self.program.unbraked, [(one.need.action, self._resource(one.need)) for one in braked])
        for answer, result in zip(braked, results, strict=True):
            without = self._answer(answer.need, result)
            self.answer_of[answer.need] = Answer(
                answer.need, without.permits, reviews=answer.reviews, errors=without.errors
            )

    def answers(self) -> tuple[Answer, ...]:
        """One for each need, in the words of the need that was asked for it."""
        return tuple(_about(need, self.answer_of[self.need_for[need]]) for need in self.needs)

    def _answer(self, need: Need, result: cedarpy.AuthzResult) -> Answer:
        held = [self.program.policies[key] for key in result.diagnostics.reasons]
        if len(held) > 1:
            held.sort(key=lambda policy: policy.line)
        return Answer(
            need,
            permits=tuple(policy for policy in held if policy.permits),
            forbids=tuple(policy for policy in held if not policy.permits and not policy.parking),
            reviews=tuple(policy for policy in held if policy.parking),
            errors=tuple(result.diagnostics.errors),
        )

    def masks(self) -> tuple[MaskedColumn, ...]:
        """Any forbid hides a column, a review too: what a person approves is still seen through its masks."""
        masked = []
        for column in self.columns:
            result = self.shown_of[self.column_for[column]]
            shown = result.allowed and not result.diagnostics.errors
            if mask := self._mask_on_permit(result) if shown else _default_mask(column):
                masked.append(MaskedColumn(*column.relation, column.column, column.data_class, mask, column.path))
        return tuple(masked)

    def _mask_on_permit(self, result: cedarpy.AuthzResult) -> str | None:
        """The strictest @mask among the permits that hold; None: the column is shown as it is."""
        found = {self.program.policies[key].notes.mask for key in result.diagnostics.reasons}
        return next((mask for mask in MASKS if mask in found), None)

    def _ask(self, policies: Any, asked: Sequence[tuple[str, Mapping[str, str]]]) -> list[cedarpy.AuthzResult]:
        """The same question has the same answer, whatever text it comes from: it is kept beside the program."""
        if not asked:
            return []
        key = (
            policies is self.program.whole,
            self.around,
            self.context,
            tuple((a, r["type"], r["id"]) for a, r in asked),
        )
        return self.program.kept.get_or_make(key, lambda: self._ask_cedar(policies, asked))

    def _ask_cedar(self, policies: Any, asked: Sequence[tuple[str, Mapping[str, str]]]) -> list[cedarpy.AuthzResult]:
        requests = [
            {
                "principal": self.principal,
                "action": {"type": "Action", "id": action},
                "resource": resource,
                "context": self.context,
            }
            for action, resource in asked
        ]
        return cedarpy.is_authorized_batch(requests, policies, _parsed_entities(*self.around))

    def _resource(self, need: Need) -> Mapping[str, str]:
        if need.relation is None:
            return datasource_uid(self.question.datasource)
        return table_uid(self.question.datasource, need.relation)


@lru_cache(maxsize=1024)
def _parsed_entities(
    who: Who,
    source: str,
    environment: str,
    relations: frozenset[RelationName],
    columns: tuple[ClassifiedColumn, ...],
) -> cedarpy.Entities:
    """Kept because the same principal asks for the same relations again and again, in other words each time."""
    found = entities_of(who, source, environment, sorted(relations), columns)
    return cedarpy.Entities.from_json_str(orjson.dumps(found).decode())


def _representatives(items: Iterable[_T], key: Callable[[_T], Hashable]) -> Mapping[_T, _T]:
    first: dict[Hashable, _T] = {}
    return {item: first.setdefault(key(item), item) for item in items}


def _about(need: Need, answer: Answer) -> Answer:
    if answer.need == need:
        return answer
    return Answer(need, answer.permits, answer.forbids, answer.reviews, answer.errors)


def _default_mask(column: ClassifiedColumn) -> str:
    built_in = BUILT_IN.get(column.data_class)
    return built_in.mask if built_in else "redact"


def _smallest_limit(answers: Iterable[Answer]) -> int | None:
    limits = [policy.notes.limit_rows for answer in answers for policy in answer.permits]
    return min((limit for limit in limits if limit is not None), default=None)


def _row_filters(answers: Iterable[Answer], question: Question) -> tuple[RowFilter, ...]:
    """Every filter of every permit that holds for a relation: all of them bind, which is the strictest."""
    found = {
        RowFilter(*answer.need.relation, policy.notes.row_filter, policy.id)
        for answer in answers
        if answer.need.relation
        for policy in answer.permits
        if policy.notes.row_filter and (answer.need.action == "read" or _changes_rows(question, answer.need.relation))
    }
    return tuple(sorted(found))


def _changes_rows(question: Question, relation: RelationName) -> bool:
    return any(use.use in _FILTERED_WRITES and (use.schema, use.name) == relation for use in question.facts.relations)
