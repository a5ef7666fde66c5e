"""May this person put a policy set into force? Asked of the set that is active, not of the one that is to come. Pure.

Administrators may, without a permit: a set that forgets to say so must not lock everybody out. A forbid holds them back,
and one with @review makes the new set wait for people.
"""

from __future__ import annotations

from datetime import datetime

import cedarpy
import orjson

from governance.analysis.facts import Facts
from governance.policy.combine import Answer, parking, refusal
from governance.policy.decision import Decision, Obligations, Verdict
from governance.policy.program import PolicyProgram
from governance.policy.question import Need, Question, context_of, principal_entity, who_asks

ADMINISTRATORS = "administrators"
_NOTHING = Facts(kinds=frozenset(), fingerprint="", normal="")


def question_of(name: str, groups: frozenset[str], *, is_administrator: bool, door: str, now: datetime) -> Question:
    """A person's. Of the context only door, hour and weekday say something."""
    return Question(
        principal=f"user:{name}",
        kind="user",
        name=name,
        groups=groups,
        owner=name,
        is_administrator=is_administrator,
        datasource="",
        environment="",
        facts=_NOTHING,
        classes={},
        door=door,
        now=now,
    )


def decide_activation(program: PolicyProgram, question: Question) -> Decision:
    if not question.is_administrator:
        return _decision(program, Verdict.DENY, "Only administrators put policies into force.", "Ask an administrator.")
    answer = answer_about_itself(program, question, "activate", "policies")
    held_back = refusal([answer], question, program.version) if answer.forbids or answer.errors else None
    return (
        held_back
        or parking([answer], question, Obligations(), program.version)
        or _decision(program, Verdict.ALLOW, "Permitted.")
    )


def _decision(program: PolicyProgram, verdict: Verdict, message: str, remedy: str = "") -> Decision:
    return Decision(verdict, (ADMINISTRATORS,), message, remedy, set_version=program.version)


def answer_about_itself(program: PolicyProgram, question: Question, action: str, part: str) -> Answer:
    """What the policies say of an action on Countersign itself; `part` is the id of the entity."""
    entity = principal_entity(who_asks(question))
    resource = {"type": "Countersign", "id": part}
    entities = [entity, {"uid": resource, "attrs": {}, "parents": []}]
    request = {
        "principal": entity["uid"],
        "action": {"type": "Action", "id": action},
        "resource": resource,
        "context": context_of(question, program.reads),
    }
    result = cedarpy.is_authorized(
        request, program.whole, cedarpy.Entities.from_json_str(orjson.dumps(entities).decode())
    )
    held = [program.policies[key] for key in result.diagnostics.reasons]
    return Answer(
        Need(action),
        permits=tuple(policy for policy in held if policy.permits),
        forbids=tuple(policy for policy in held if not policy.permits and not policy.parking),
        reviews=tuple(policy for policy in held if policy.parking),
        errors=tuple(result.diagnostics.errors),
    )
