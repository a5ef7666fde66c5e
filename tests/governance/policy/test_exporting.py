"""Who may export entries of the ledger, by the policies."""

from __future__ import annotations

import dataclasses

import pytest

from governance.policy.activation import question_of
from governance.policy.exporting import decide_export
from governance.policy.question import Question
from governance.policy.store import default_text
from tests.governance.asking import MONDAY_MORNING, program

AUDITORS = (
    '@id("auditors") @limit_rows("500")'
    ' permit (principal in Group::"auditors", action == Action::"export", resource == Countersign::"ledger");'
)
EVERYBODY = '@id("everybody") permit (principal, action == Action::"export", resource);'


def person(name: str = "olaf", *groups: str, is_administrator: bool = False) -> Question:
    return question_of(name, frozenset(groups), is_administrator=is_administrator, door="web", now=MONDAY_MORNING)


def agent(*groups: str) -> Question:
    return dataclasses.replace(person("bot", *groups), principal="agent:bot", kind="agent", owner="alice")


def test_a_permit_lets_export_with_its_limit() -> None:
    found = decide_export(program(AUDITORS), person("olaf", "auditors"))
    assert (found.is_allowed, found.policies, found.most_rows) == (True, ("auditors",), 500)


def test_the_smallest_limit_of_all_permits_holds() -> None:
    found = decide_export(program(AUDITORS, EVERYBODY), person("olaf", "auditors"))
    assert (found.policies, found.most_rows) == (("auditors", "everybody"), 500)


def test_without_a_permit_administrators_export_nothing_either() -> None:
    found = decide_export(program(""), person("root", is_administrator=True))
    assert (found.is_allowed, found.policies) == (False, ("no-permit",))
    assert found.message == "No policy permits user:root to export entries of the ledger."


def test_a_forbid_wins_and_says_why() -> None:
    forbid = '@id("no") @message("Not at night.") @remedy("Wait.") forbid (principal, action, resource);'
    found = decide_export(program(EVERYBODY, forbid), person())
    assert (found.is_allowed, found.policies, found.message, found.remedy) == (False, ("no",), "Not at night.", "Wait.")


def test_a_review_refuses_since_nothing_parks_an_export() -> None:
    forbid = '@id("two") @review("dba") forbid (principal, action == Action::"export", resource);'
    found = decide_export(program(EVERYBODY, forbid), person())
    assert (found.is_allowed, found.policies) == (False, ("two",))
    assert "not parked" in found.message


def test_a_policy_that_fails_refuses() -> None:
    failing = '@id("fails") forbid (principal, action, resource) when { context.hour + 9223372036854775807 > 0 };'
    found = decide_export(program(EVERYBODY, failing), person())
    assert (found.is_allowed, found.policies) == (False, ("policy-error",))


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        (person("olaf", "auditors"), True),
        (person("root", is_administrator=True), True),
        (person("rita", "dba"), False),
        (agent("agents"), False),
        (agent("auditors"), False),
    ],
)
def test_by_the_default_set_auditors_and_administrators_export_a_bounded_number(who: Question, allowed: bool) -> None:
    found = decide_export(program(default_text()), who)
    assert (found.is_allowed, found.most_rows) == (allowed, 1_000_000 if allowed else None)
