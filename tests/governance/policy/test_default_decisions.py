"""What the default policy set decides, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from governance.analysis.facts import Facts
from governance.policy.decision import RequiredReview
from governance.policy.engine import decide
from tests.governance.asking import CLASSES, DEFAULT, DELETE_ALL, READ_CUSTOMERS, READ_ORDERS, ask, facts, person

CASES = {
    "read": (READ_ORDERS, "allow", {"read"}),
    "read-of-nothing": (facts("read"), "allow", {"read"}),
    "read-whole-table": (facts("read", uses=["read orders"], hazards=["unbounded-read"]), "allow", {"read"}),
    "next-value-of-a-sequence": (facts("read", "write"), "allow", {"read", "write"}),
    "update-by-key": (facts("write", uses=["update orders"], by_key=True), "allow", {"write"}),
    "delete-by-key": (facts("write", uses=["delete orders"], by_key=True), "allow", {"write"}),
    "delete-by-key-firing-a-trigger": (
        facts("write", uses=["delete orders"], by_key=True, hazards=["fires-trigger"]), "allow", {"write"}),
    "insert-of-one-row": (facts("write", uses=["insert orders"], rows_inserted=1), "allow", {"write"}),
    "insert-of-100-rows": (facts("write", uses=["insert orders"], rows_inserted=100), "allow", {"write"}),
    "insert-of-101-rows": (facts("write", uses=["insert orders"], rows_inserted=101), "review", {"mass-write"}),
    "insert-from-a-query": (
        facts("write", "read", uses=["insert orders", "read customers"], rows_inserted=None), "review", {"mass-write"}),
    "delete-without-where": (DELETE_ALL, "review", {"mass-write"}),
    "update-not-by-key": (facts("write", uses=["update orders"]), "review", {"mass-write"}),
    "delete-always-true": (
        facts("write", uses=["delete orders"], hazards=["always-true-where"]), "review", {"mass-write"}),
    "delete-hidden-in-a-select": (
        facts("read", "write", uses=["read orders", "delete items"]), "review", {"mass-write"}),
    "delete-by-key-with-cascade": (
        facts("write", uses=["delete orders", "delete items"], by_key=True, hazards=["cascade"]),
        "review", {"cascading-write"}),
    "sensitive-column-in-a-write": (
        facts("write", uses=["update customers"], by_key=True, hazards=["sensitive-in-write"]),
        "review", {"sensitive-write"}),
    "create-table": (facts("ddl", uses=["define orders"]), "review", {"definition-change"}),
    "alter-with-rewrite": (
        facts("ddl", uses=["define orders"], hazards=["table-rewrite", "blocking-lock"]),
        "review", {"definition-change"}),
    "create-schema": (facts("ddl"), "review", {"definition-change"}),
    "create-index": (
        facts("ddl", uses=["define orders"], hazards=["index-not-concurrent"]), "review", {"definition-change"}),
    "grant": (
        facts("privilege", uses=["define orders"], hazards=["privilege-change"]),
        "review", {"definition-change", "privilege-change"}),
    "create-role": (facts("privilege", hazards=["privilege-change"]), "review", {"privilege-change"}),
    "drop-table": (facts("ddl", uses=["define orders"], hazards=["drop"]), "deny", {"drop"}),
    "truncate": (facts("write", uses=["truncate orders"], hazards=["truncate"]), "deny", {"truncate"}),
    "read-a-file": (
        facts("read", hazards=["file-access"], unknown=["pg_catalog.pg_read_file()"]),
        "deny", {"file-access", "unread-statement"}),
    "copy-to-a-file": (facts("read", uses=["read orders"], hazards=["file-access"]), "deny", {"file-access"}),
    "copy-to-a-program": (
        facts("read", uses=["read orders"], hazards=["program-execution"]), "deny", {"program-execution"}),
    "anonymous-code": (facts("opaque"), "deny", {"opaque-code"}),
    "unread": (facts("read", uses=["read orders"], unknown=["f()"]), "deny", {"unread-statement"}),
    "unread-mass-write": (facts("write", uses=["delete orders"], unknown=["f()"]), "deny", {"unread-statement"}),
    "begin": (facts("transaction"), "deny", {"transaction-control"}),
    "harmless-set": (facts("session"), "allow", {"harmless-settings"}),
    "harmless-set-and-read": (
        facts("session", "read", uses=["read orders"]), "allow", {"harmless-settings", "read"}),
    "set-role": (facts("session", hazards=["session-escape"]), "deny", {"session-control"}),
    "harmless-set-with-maintenance": (facts("session", "admin"), "deny", {"maintenance"}),
    "harmless-set-with-commit": (facts("session", "transaction"), "deny", {"transaction-control"}),
    "harmless-set-with-opaque-code": (facts("session", "opaque"), "deny", {"opaque-code"}),
    "explain": (facts("read", uses=["read orders"], hazards=["explain"]), "allow", {"read"}),
    "explain-of-masked-columns": (
        facts("read", uses=["read customers"], hazards=["explain", "explain-masked"]), "deny", {"explain-masked"}),
    "read-filtered-by-a-sensitive-column": (
        facts("read", uses=["read customers"], hazards=["sensitive-in-filter"]), "allow", {"read"}),
    "write-by-key-firing-an-unread-trigger": (
        facts("write", uses=["update orders"], by_key=True, hazards=["fires-trigger", "opaque-trigger"]),
        "allow", {"write"}),
    "checkpoint": (facts("admin"), "deny", {"maintenance"}),
    "grant-with-set-role": (facts("privilege", "session", hazards=["session-escape"]), "deny", {"session-control"}),
    "grant-with-harmless-set": (facts("privilege", "session"), "review", {"privilege-change"}),
    "select-for-update": (
        facts("read", uses=["read orders", "lock orders"], hazards=["row-lock"]), "deny", {"lock"}),
    "no-kind-at-all": (facts(), "deny", {"no-permit"}),
}  # fmt: skip


@pytest.mark.parametrize("environment", ["prod", "dev"])
@pytest.mark.parametrize("who", [{}, person("rita", "dba"), {"groups": frozenset()}], ids=["agent", "dba", "no-group"])
@pytest.mark.parametrize(("of", "verdict", "policies"), CASES.values(), ids=CASES)
def test_default_set_decides(
    of: Facts, verdict: str, policies: set[str], who: dict[str, Any], environment: str
) -> None:
    decision = decide(DEFAULT, ask(of, environment=environment, **who))
    assert decision.verdict == verdict
    assert set(decision.policies) == policies


@pytest.mark.parametrize("of", [case[0] for case in CASES.values() if case[1] == "deny"])
def test_every_default_denial_says_why_and_what_to_do(of: Facts) -> None:
    decision = decide(DEFAULT, ask(of))
    assert decision.message
    assert decision.remedy


@pytest.mark.parametrize("of", [case[0] for case in CASES.values() if case[1] == "review"])
def test_every_default_review_asks_one_person_of_group_dba_within_four_hours(of: Facts) -> None:
    decision = decide(DEFAULT, ask(of))
    assert decision.required == (RequiredReview("dba", 1),)
    assert decision.expires_in == 4 * 3600
    assert decision.message
    assert decision.remedy


def test_production_is_masked_for_agents_and_people_alike() -> None:
    for who in ({}, person("rita", "dba"), person("root") | {"is_administrator": True}):
        masks = decide(DEFAULT, ask(READ_CUSTOMERS, classes=CLASSES, **who)).obligations.masks
        assert {(m.relation, m.column, m.mask) for m in masks} == {
            ("customers", "email", "partial"),
            ("customers", "full_name", "redact"),
            ("cards", "number", "partial"),
        }


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_outside_production_columns_are_shown(environment: str) -> None:
    assert not decide(DEFAULT, ask(READ_CUSTOMERS, classes=CLASSES, environment=environment)).obligations.masks


def test_what_is_parked_stays_masked_when_it_runs() -> None:
    decision = decide(DEFAULT, ask(DELETE_ALL, classes=CLASSES))
    assert decision.verdict == "review"
    assert len(decision.obligations.masks) == 3


UNCLASSIFIED = {("public", "orders"): {"note": "unclassified_text"}}


def test_unclassified_text_is_scrubbed_for_agents_on_production() -> None:
    masks = decide(DEFAULT, ask(READ_ORDERS, classes=UNCLASSIFIED)).obligations.masks
    assert [(mask.column, mask.mask) for mask in masks] == [("note", "scrub")]


@pytest.mark.parametrize(
    "who", [person("rita", "dba"), {"environment": "dev"}, {"environment": "staging"}], ids=["person", "dev", "staging"]
)
def test_unclassified_text_is_shown_to_people_and_outside_production(who: dict[str, Any]) -> None:
    assert not decide(DEFAULT, ask(READ_ORDERS, classes=UNCLASSIFIED, **who)).obligations.masks
