"""What policy says of standing permissions: to count as a member of a group for a while, and to break the glass. Pure.

Both need a permit, and a forbid wins. An elevation can be parked; an emergency cannot: there a forbid with @review names
who looks at it afterwards.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import cedarpy
import orjson

from governance.analysis.facts import Facts
from governance.policy.combine import NO_PERMIT, Answer, parking, refusal, required_reviews
from governance.policy.decision import Decision, Obligations, Verdict
from governance.policy.program import Policy, PolicyProgram
from governance.policy.question import Need, Question, Uid, context_of, datasource_uid, principal_entity, who_asks

ELEVATE = "elevate"
BREAK_GLASS = "break_glass"
NOBODY_AFTERWARDS = "nobody-looks-afterwards"
NOTHING_DONE = Facts(kinds=frozenset(), fingerprint="", normal="")
_ASK = "Ask an administrator for a policy that permits it."


def standing_question(
    *,
    kind: str,
    name: str,
    groups: frozenset[str],
    owner: str,
    is_administrator: bool,
    datasource: str,
    environment: str,
    minutes: int,
    reason: str,
    door: str,
    now: datetime,
) -> Question:
    """`kind` is user or agent; the groups are those that they are really in."""
    return Question(
        principal=f"{kind}:{name}",
        kind="agent" if kind == "agent" else "user",
        name=name,
        groups=groups,
        owner=owner,
        is_administrator=is_administrator,
        datasource=datasource,
        environment=environment,
        facts=NOTHING_DONE,
        classes={},
        door=door,
        now=now,
        purpose=reason,
        minutes=minutes,
    )


def decide_elevation(program: PolicyProgram, question: Question, group: str) -> Decision:
    answer = _answer(program, question, ELEVATE, {"type": "Group", "id": group})
    if held := _held_back(answer, program, question, f"to count as a member of group {group}"):
        return held
    parked = parking([answer], question, Obligations(), program.version)
    return parked or _allowed(answer, program)


def decide_break_glass(program: PolicyProgram, question: Question) -> Decision:
    """Allow or deny; `required` are those who look at it afterwards, and never empty where it is allowed."""
    if question.kind != "user":
        message = "Agents never break the glass: a person must."
        return Decision(Verdict.DENY, (NO_PERMIT,), message, "Ask a person.", set_version=program.version)
    answer = _answer(program, question, BREAK_GLASS, datasource_uid(question.datasource))
    if held := _held_back(answer, program, question, f"to break the glass on data source {question.datasource}"):
        return held
    if not answer.reviews:
        message = "No policy says who would look at it afterwards, so nobody breaks the glass."
        remedy = "Ask an administrator for a forbid on break_glass with @review: it names who looks at it."
        return Decision(Verdict.DENY, (NOBODY_AFTERWARDS,), message, remedy, set_version=program.version)
    return _allowed(answer, program)


def _answer(program: PolicyProgram, question: Question, action: str, resource: Uid) -> Answer:
    """As for statements: where nothing but reviews hold it back, it is asked again without them."""
    held, errors = _ask(program, program.whole, question, action, resource)
    forbids = tuple(policy for policy in held if not policy.permits and not policy.parking)
    reviews = tuple(policy for policy in held if policy.parking)
    permits = tuple(policy for policy in held if policy.permits)
    if reviews and not forbids and not errors:
        without, errors = _ask(program, program.unbraked, question, action, resource)
        permits = tuple(policy for policy in without if policy.permits)
    return Answer(Need(action), permits, forbids, reviews, errors)


def _ask(
    program: PolicyProgram, policies: Any, question: Question, action: str, resource: Uid
) -> tuple[list[Policy], tuple[str, ...]]:
    who = principal_entity(who_asks(question))
    attributes = {"environment": question.environment} if resource["type"] == "DataSource" else {}
    entities = [who, {"uid": resource, "attrs": attributes, "parents": []}]
    request = {
        "principal": who["uid"],
        "action": {"type": "Action", "id": action},
        "resource": resource,
        "context": context_of(question, program.reads),
    }
    parsed = cedarpy.Entities.from_json_str(orjson.dumps(entities).decode())
    result = cedarpy.is_authorized(request, policies, parsed)
    held = sorted((program.policies[key] for key in result.diagnostics.reasons), key=lambda policy: policy.line)
    return held, tuple(result.diagnostics.errors)


def _held_back(answer: Answer, program: PolicyProgram, question: Question, what: str) -> Decision | None:
    if answer.forbids or answer.errors:
        return refusal([answer], question, program.version)
    if answer.permits:
        return None
    message = f"No policy permits {question.principal} {what}."
    return Decision(Verdict.DENY, (NO_PERMIT,), message, _ASK, set_version=program.version)


def _allowed(answer: Answer, program: PolicyProgram) -> Decision:
    messages = dict.fromkeys(policy.notes.message for policy in answer.permits if policy.notes.message)
    return Decision(
        Verdict.ALLOW,
        tuple(sorted(policy.id for policy in (*answer.permits, *answer.reviews))),
        " ".join(messages) or "Permitted.",
        required=required_reviews(answer.reviews),
        set_version=program.version,
    )
