"""A statement tried under policies: what would happen to it, and what an edited text would change. Nothing is run."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governance.assessment import Asking, Assessment, assess_under, decision_json, facts_json
from governance.datasources import list_datasources_for
from governance.errors import GatewayError
from governance.models import DataSource
from governance.policy import store
from governance.policy.askers import principal_labelled
from governance.policy.explanation import row_filter_json
from governance.policy.program import PolicyProgram
from governance.web.forms import TrialForm
from identity.models import Agent, User
from identity.principals import Principal

# What two decisions are compared by, as `decision_json` names it.
COMPARED = ("verdict", "policies", "message", "remedy", "required", "terms", "masks", "row_filters", "max_rows")


@dataclass(frozen=True, slots=True)
class Side:
    """What one policy set says. `version` is None for a text that is no version yet; `differs` names what is not the same
    on the other side."""

    title: str
    version: int | None
    decision: Mapping[str, Any]
    texts: tuple[str, ...]
    differs: frozenset[str] = frozenset()


def trial_form(person: Principal, data: Any = None) -> TrialForm:
    sources = [source.name for source in list_datasources_for(person)]
    return TrialForm(data, sources=sources, askers=askers_for(person), initial={"door": "rest"})


def askers_for(person: Principal) -> list[str]:
    """As whom this person may try a statement: as themselves and their agents, and administrators as anybody."""
    agents = Agent.objects.filter(is_active=True)
    users = User.objects.filter(is_active=True)
    if not person.is_administrator:
        agents, users = agents.filter(owner_id=person.id), users.filter(pk=person.id)
    return [f"agent:{name}" for name in agents.values_list("name", flat=True)] + [
        f"user:{name}" for name in users.values_list("username", flat=True)
    ]


def try_statement(form: TrialForm, person: Principal, edited: PolicyProgram | None = None) -> dict[str, Any]:
    """For `_tested.html`. `form` is valid; `edited` stands beside the active set, where it is given."""
    values = form.cleaned_data
    datasource = _datasource(person, values["datasource"], values["environment"])
    asking = Asking(principal_labelled(values["asker"]), values["door"], purpose=values["purpose"])
    active = store.active()
    try:
        now = assess_under(active, datasource, values["sql"], asking)
        then = assess_under(edited, datasource, values["sql"], asking) if edited else None
    except GatewayError as error:
        hazards = [{"place": error.place, "message": error.message}]
        return {"refusal": error, "sql": values["sql"], "hazards": hazards}
    return {
        "sql": values["sql"],
        "facts": facts_json(now.facts),
        "hazards": now.facts.hazards,
        "sides": _sides(now, then),
    }


def _datasource(person: Principal, name: str, environment: str) -> DataSource:
    found = next(source for source in list_datasources_for(person) if source.name == name)
    if environment:
        found = copy.copy(found)
        found.environment = environment
    return found


def _sides(now: Assessment, then: Assessment | None) -> list[Side]:
    version = now.decision.set_version
    active = Side(f"Active set, version {version}", version, _decision(now), _rewritten(now))
    if then is None:
        return [active]
    edited = Side("Edited text", None, _decision(then), _rewritten(then))
    differs = {name for name in COMPARED if active.decision[name] != edited.decision[name]}
    differs |= {"texts"} if active.texts != edited.texts else set()
    return [Side(side.title, side.version, side.decision, side.texts, frozenset(differs)) for side in (edited, active)]


def _decision(assessment: Assessment) -> dict[str, Any]:
    """As everywhere else, with the obligations that only matter here."""
    bound = assessment.decision.obligations
    filters = [row_filter_json(one) for one in bound.row_filters]
    return decision_json(assessment.decision, assessment.risk) | {"row_filters": filters, "max_rows": bound.max_rows}


def _rewritten(assessment: Assessment) -> tuple[str, ...]:
    """What would be sent, where it is not what was written."""
    return assessment.texts if assessment.texts and assessment.is_rewritten else ()
