"""Row filters: which conditions are safe to put into anybody's statement, and for which relations they come to hold."""

from __future__ import annotations

import pytest

from governance.policy.decision import RowFilter
from governance.policy.engine import decide
from governance.policy.problems import PolicyError
from governance.policy.row_filters import RowFilterError, read_row_filter
from tests.governance.asking import READ_ORDERS, READS, WRITES, ask, facts, program

SAFE = [
    "region = 'EU'",
    "ö = 'é'",
    "region IN ('EU', 'UK') AND NOT deleted IS TRUE",
    "created >= '2024-01-01'::timestamptz",
    "created > date '2024-01-01'",
    "total BETWEEN 1 AND 2 OR total IS NULL",
    "total > -1",
    "name LIKE 'a%' AND name !~ '^x'",
    "region = ANY (ARRAY['EU', 'UK'])",
    "profile ->> 'region' = 'EU'",
    "coalesce(deleted, false) IS NOT TRUE",
    "CASE WHEN open THEN true ELSE owner IS DISTINCT FROM 'x' END",
    "(a = 1 OR b = 2)",
]
UNSAFE = {
    "": "it is empty",
    "region =": "it is not a SQL condition",
    "true) OR (true": "it is not a SQL condition",
    "a = 1 -- and b = 2": "comments",
    "a = 1 /* x */": "comments",
    "a = 1;": "nothing else",
    "a = 1; DROP TABLE orders": "nothing else",
    "a = 1 GROUP BY b": "nothing else",
    "a = 1 UNION SELECT": "nothing else",
    "a = 1 LIMIT 1": "nothing else",
    "a = 1 FOR UPDATE": "nothing else",
    "a = (SELECT 1)": "a sub-query",
    "EXISTS (SELECT 1 FROM cards)": "a sub-query",
    "a = $1": "a parameter",
    "orders.a = 1": "bare names",
    "a.b.c = 1": "bare names",
    "orders.* IS NULL": "bare names",
    "now() > created": "function now",
    "random() > 0.5": "function random",
    "evil.lower(a) = 'x'": "function evil.lower",
    "count(*) > 1": "function count",
    "current_user = owner": "depends on the time or the session",
    "a / b = 1": "operator /",
    "a + b = 1": "operator +",
    "a OPERATOR(evil.=) 1": "operator evil.=",
    "a ~ b": "must be a constant",
    "a LIKE b": "must be a constant",
    "a::int = 1": "only constants may be cast",
    "'x'::evil = a": "type evil",
    "(a, b) = (1, 2)": "a row",
    "a = 'x' COLLATE \"C\"": "COLLATE",
    "a[1] = 1": "a field or an element",
    "x" * 2001: "2001 characters",
}


@pytest.mark.parametrize("condition", SAFE)
def test_a_safe_condition_is_taken(condition: str) -> None:
    assert read_row_filter(condition) == condition


@pytest.mark.parametrize(("condition", "reason"), UNSAFE.items())
def test_an_unsafe_condition_is_refused_with_the_reason(condition: str, reason: str) -> None:
    with pytest.raises(RowFilterError, match=f"(?s).*{reason.replace('+', '[+]')}"):
        read_row_filter(condition)


def test_functions_are_named_with_their_schema() -> None:
    """A function of the same name and nearer types, made elsewhere, must not stand in for the built-in one."""
    condition = "é = lower(a) AND upper(btrim(b)) = 'X' AND position('a' IN b) > 0"
    assert read_row_filter(condition) == (
        "é = pg_catalog.lower(a) AND pg_catalog.upper(pg_catalog.btrim(b)) = 'X' AND position('a' IN b) > 0"
    )


def filtered(name: str, where: str, condition: str, action: str = "read", who: str = "principal") -> str:
    scope = f'action == Action::"{action}", resource {where}'
    return f'@id("{name}") @row_filter("{condition}") permit ({who}, {scope});'


ORDERS = '== Table::"shop.public.orders"'


@pytest.mark.parametrize(
    "where", [ORDERS, 'in Schema::"shop.public"', 'in DataSource::"shop"', 'is Table in Schema::"shop.public"']
)
def test_a_filter_stands_on_one_table_schema_or_data_source(where: str) -> None:
    assert program(filtered("a", where, "x = 1")).policies


@pytest.mark.parametrize(
    "policy",
    [
        '@id("a") @row_filter("x = 1") permit (principal, action == Action::"read", resource);',
        '@id("a") @row_filter("x = 1") permit (principal, action == Action::"read", resource == DataSource::"shop");',
        f'@id("a") @row_filter("x = 1") permit (principal, action, resource {ORDERS});',
        f'@id("a") @row_filter("x = 1") permit (principal, action == Action::"define", resource {ORDERS});',
        f'@id("a") @row_filter("x = 1") forbid (principal, action == Action::"read", resource {ORDERS});',
    ],
)
def test_a_filter_that_stands_on_nothing_is_refused(policy: str) -> None:
    with pytest.raises(PolicyError, match="@row_filter"):
        program(policy)


def test_an_unsafe_filter_is_told_with_line_and_policy() -> None:
    with pytest.raises(PolicyError, match=r"line 2, policy 'a': @row_filter: a sub-query"):
        program(READS, filtered("a", ORDERS, "x = (SELECT 1)"))


def test_the_filter_holds_for_the_relation_that_it_is_about_and_no_other() -> None:
    policies = program(READS, filtered("eu", ORDERS, "region = 'EU'"))
    of = facts("read", uses=["read orders", "read customers"])
    assert decide(policies, ask(of)).obligations.row_filters == (RowFilter("public", "orders", "region = 'EU'", "eu"),)


def test_a_filter_on_a_schema_holds_for_each_of_its_relations() -> None:
    policies = program(READS, filtered("eu", 'in Schema::"shop.public"', "region = 'EU'"))
    of = facts("read", uses=["read orders", "read customers", "read hr.pay"])
    assert [one.relation for one in decide(policies, ask(of)).obligations.row_filters] == ["customers", "orders"]


def test_all_filters_of_all_permits_hold() -> None:
    policies = program(
        READS,
        filtered("eu", ORDERS, "region = 'EU'"),
        filtered("open", ORDERS, "status = 'open'"),
        filtered("others", ORDERS, "mine", who='principal in Group::"others"'),
    )
    conditions = [one.condition for one in decide(policies, ask(READ_ORDERS)).obligations.row_filters]
    assert conditions == ["region = 'EU'", "status = 'open'"]


def test_what_waits_for_a_review_keeps_its_filters() -> None:
    review = '@id("r") @review("dba") forbid (principal, action == Action::"read", resource);'
    decision = decide(program(READS, filtered("eu", ORDERS, "region = 'EU'"), review), ask(READ_ORDERS))
    assert decision.verdict == "review"
    assert len(decision.obligations.row_filters) == 1


@pytest.mark.parametrize(
    ("use", "filters"), [("update", 1), ("delete", 1), ("truncate", 1), ("insert", 0), ("lock", 0)]
)
def test_a_filter_on_writes_holds_for_rows_that_are_there(use: str, filters: int) -> None:
    policies = program(WRITES, filtered("eu", ORDERS, "region = 'EU'", action="write"))
    assert len(decide(policies, ask(facts("write", uses=[f"{use} orders"]))).obligations.row_filters) == filters
