"""May this person review what others ask of a data source? People may, without a permit; a forbid on `approve` keeps them
from it. One with @review does not: a review cannot itself wait for a review. Pure."""

from __future__ import annotations

from datetime import datetime

import cedarpy
import orjson

from governance.analysis.facts import Facts
from governance.policy.combine import Answer, refusal
from governance.policy.decision import Decision, Verdict
from governance.policy.program import PolicyProgram
from governance.policy.question import Need, Question, context_of, datasource_uid, principal_entity, who_asks

REVIEWERS = "reviewers"
_NOTHING = Facts(kinds=frozenset(), fingerprint="", normal="")


def reviewing_question(
    name: str,
    groups: frozenset[str],
    *,
    is_administrator: bool,
    datasource: str,
    environment: str,
    door: str,
    now: datetime,
) -> Question:
    """A person's. Of the context only environment, door, hour and weekday say something."""
    return Question(
        principal=f"user:{name}",
        kind="user",
        name=name,
        groups=groups,
        owner=name,
        is_administrator=is_administrator,
        datasource=datasource,
        environment=environment,
        facts=_NOTHING,
        classes={},
        door=door,
        now=now,
    )


def decide_reviewing(program: PolicyProgram, question: Question) -> Decision:
    """Allow or deny."""
    answer = _answer(program, question)
    if answer.forbids or answer.errors:
        denied = refusal([answer], question, program.version)
        if denied is not None:
            return denied
    return Decision(Verdict.ALLOW, (REVIEWERS,), "Permitted.", set_version=program.version)


def _answer(program: PolicyProgram, question: Question) -> Answer:
    """Asked without the review policies: they hold nobody back here."""
    entity = principal_entity(who_asks(question))
    resource = datasource_uid(question.datasource)
    source = {"uid": resource, "attrs": {"environment": question.environment}, "parents": []}
    request = {
        "principal": entity["uid"],
        "action": {"type": "Action", "id": "approve"},
        "resource": resource,
        "context": context_of(question, program.reads),
    }
    entities = cedarpy.Entities.from_json_str(orjson.dumps([entity, source]).decode())
    result = cedarpy.is_authorized(request, program.unbraked, entities)
    held = [program.policies[key] for key in result.diagnostics.reasons]
    return Answer(
        Need("approve"),
        permits=tuple(policy for policy in held if policy.permits),
        forbids=tuple(policy for policy in held if not policy.permits),
        errors=tuple(result.diagnostics.errors),
    )
