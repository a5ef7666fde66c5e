"""The question that a principal's statement puts to the policies, made of what the gateway knows of it."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from governance.analysis.facts import Facts
from governance.catalogue.propagate import Classes
from governance.models import DataSource
from governance.policy.question import Question
from identity.principals import Principal


def question_of(
    principal: Principal,
    datasource: DataSource,
    facts: Facts,
    classes: Classes,
    *,
    door: str,
    purpose: str = "",
    on_behalf_of: str = "",
    run: str = "",
    risk: int = 0,
    estimated_rows: int | None = None,
    now: datetime | None = None,
) -> Question:
    """`classes` are those of the relations that the statement touches (see `Question`)."""
    return Question(
        principal=principal.label,
        kind="user" if principal.is_person else "agent",
        name=principal.name,
        groups=principal.groups,
        owner=principal.owner,
        is_administrator=principal.is_administrator,
        datasource=datasource.name,
        environment=datasource.environment,
        facts=facts,
        classes=classes,
        door=door,
        now=now or timezone.now(),
        purpose=purpose,
        on_behalf_of=on_behalf_of,
        run=run,
        risk=risk,
        estimated_rows=estimated_rows,
    )
