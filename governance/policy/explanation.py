"""What a policy set says of a statement, with all that it rests on. Nothing is run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from governance.assessment import Asking, Assessment, assess_under, decision_json, facts_json
from governance.models import DataSource
from governance.policy.decision import Decision, RowFilter
from governance.policy.program import Policy, PolicyProgram


@dataclass(frozen=True, slots=True)
class Explanation:
    """`version` 0: a text that is no version yet. `texts`: what would be sent, one for each statement; empty where nothing
    would."""

    datasource: str
    asking: Asking
    version: int
    assessment: Assessment
    deciding: tuple[Policy, ...]

    @property
    def decision(self) -> Decision:
        return self.assessment.decision

    @property
    def texts(self) -> tuple[str, ...]:
        return self.assessment.texts


def explain(program: PolicyProgram, datasource: DataSource, sql: str, asking: Asking) -> Explanation:
    """Raises `Unreadable`, and what else keeps the gateway from reading a statement."""
    assessment = assess_under(program, datasource, sql, asking)
    deciding = [policy for policy in program.policies.values() if policy.id in assessment.decision.policies]
    deciding.sort(key=lambda policy: policy.line)
    return Explanation(datasource.name, asking, program.version, assessment, tuple(deciding))


def effect_of(policy: Policy) -> str:
    return "permit" if policy.permits else "review" if policy.parking else "forbid"


def policy_json(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "effect": effect_of(policy),
        "line": policy.line,
        "message": policy.notes.message,
        "remedy": policy.notes.remedy,
    }


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """As REST and the command line show it. `policies` in the decision may name reasons of the gateway's own as well."""
    assessment, bound = explanation.assessment, explanation.decision.obligations
    return {
        "datasource": explanation.datasource,
        "principal": explanation.asking.principal.label,
        "door": explanation.asking.door,
        "decision": decision_json(explanation.decision, assessment.risk),
        "deciding": [policy_json(policy) for policy in explanation.deciding],
        "facts": facts_json(assessment.facts),
        "row_filters": [row_filter_json(one) for one in bound.row_filters],
        "max_rows": bound.max_rows,
        "expires_in": explanation.decision.expires_in if explanation.decision.required else None,
        "statements": list(explanation.texts),
        "rewritten": bool(explanation.texts) and assessment.is_rewritten,
    }


def row_filter_json(row_filter: RowFilter) -> dict[str, Any]:
    return dataclasses.asdict(row_filter)
