"""Answers the ledger when it asks who may export: by the active policy set, as it is at that moment."""

from __future__ import annotations

import dataclasses

from django.utils import timezone

from audit.exports.permission import Permission, Undecided, decide_by
from governance.errors import GatewayError
from governance.policy import store
from governance.policy.activation import question_of
from governance.policy.exporting import decide_export
from governance.policy.question import Question
from identity.principals import Principal


def connect() -> None:
    decide_by(may_export)


def may_export(principal: Principal, door: str) -> Permission:
    try:
        found = decide_export(store.active(), _question(principal, door))
    except GatewayError as error:
        raise Undecided(f"{error.message} {error.remedy}".strip()) from error
    return Permission(found.is_allowed, found.policies, found.message, found.remedy, found.most_rows)


def _question(principal: Principal, door: str) -> Question:
    asked = question_of(
        principal.name,
        principal.groups,
        is_administrator=principal.is_administrator,
        door=door,
        now=timezone.now(),
    )
    if principal.is_person:
        return asked
    return dataclasses.replace(asked, principal=principal.label, kind="agent", owner=principal.owner)
