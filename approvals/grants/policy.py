"""What the active policies say of standing permissions, asked for people and agents as they really are: an elevation never
helps to another."""

from __future__ import annotations

from django.utils import timezone

from governance.models import DataSource
from governance.policy import store
from governance.policy.decision import Decision
from governance.policy.question import Question
from governance.policy.standing import decide_break_glass, decide_elevation, standing_question
from identity.principals import Principal


def may_be_elevated(
    holder: Principal, datasource: DataSource, group: str, *, minutes: int, reason: str, door: str
) -> Decision:
    question = _question(holder, datasource, minutes=minutes, reason=reason, door=door)
    return decide_elevation(store.active(), question, group)


def may_break_glass(person: Principal, datasource: DataSource, *, minutes: int, reason: str, door: str) -> Decision:
    """Its `required` is empty unless it is allowed."""
    return decide_break_glass(store.active(), _question(person, datasource, minutes=minutes, reason=reason, door=door))


def _question(who: Principal, datasource: DataSource, *, minutes: int, reason: str, door: str) -> Question:
    return standing_question(
        kind=who.kind.value,
        name=who.name,
        groups=who.groups,
        owner=who.owner,
        is_administrator=who.is_administrator,
        datasource=datasource.name,
        environment=datasource.environment,
        minutes=minutes,
        reason=reason,
        door=door,
        now=timezone.now(),
    )
