"""How far a WHERE bounds a write."""

from __future__ import annotations

import pytest

from governance.analysis.keys import KEYED_ROWS, always_true, bounded_by_key
from governance.analysis.parse import parse
from tests.governance.analysis.shop import SHOP, facts

ITEMS, CUSTOMERS = SHOP.relations["public", "items"], SHOP.relations["public", "customers"]


def condition(text: str) -> object:
    return parse(f"SELECT WHERE {text}").statement.whereClause  # type: ignore[attr-defined]


ALWAYS = (
    "true", "NOT false", "1 = 1", "'x' = 'x'", "1 <> 2", "2 > 1", "1 <= 1", "'a' != 'b'", "id = id", "t.id = id", "id >= id",
    "true OR id = 1", "id = 1 OR true", "id = 1 OR 1 = 1", "true AND 1 = 1", "NOT (1 = 2)", "NOT (false OR false)",
    "'t'::boolean", "'yes'::bool", "true::boolean", "NULL IS NULL", "1 IS NOT NULL",
)  # fmt: skip
NOT_ALWAYS = (
    "false", "NULL", "id = 1", "id = other", "id > id", "1 = 2", "'1' = 1", "id IS NOT NULL", "id = 1 AND true", "NOT true",
    "1 > 2", "'f'::boolean", "'n'", "f()", "id IN (1)", "true AND id = 1", "id <> id",
)  # fmt: skip


@pytest.mark.parametrize("text", ALWAYS)
def test_a_condition_that_holds_for_every_row(text: str) -> None:
    assert always_true(condition(text))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", NOT_ALWAYS)
def test_a_condition_that_does_not_surely_hold(text: str) -> None:
    assert not always_true(condition(text))  # type: ignore[arg-type]


def test_no_condition_is_not_one_that_holds() -> None:
    assert not always_true(None)


BOUNDED = (
    "id = 1", "1 = id", "c.id = $1", "id = -1", "id = 1::bigint", "id = '1'", "id IN (1, 2, $3)", "email = 'x'",
    "id = 1 AND city = 'x'", "city = 'x' AND (name = 'y' AND id = 1)", "id OPERATOR(pg_catalog.=) 1", "id = 1 AND id > 0",
    "id = 1 AND (true OR city = 'x')",
)  # fmt: skip
UNBOUNDED = (
    "true", "id > 1", "id <> 1", "id = 1 OR id = 2", "NOT id = 1", "id = id", "id = customer", "id = (SELECT 1)", "id = f()",
    "id = 1 + 1", "id = ANY ($1)", "id IN (SELECT 1)", "id NOT IN (1)", "city = 'x'", "other.id = 1", "id IS NULL",
    "id BETWEEN 1 AND 1", "id OPERATOR(public.=) 1", "(id, city) = (1, 'x')", "id::text = '1'", "id[1] = 1", "id = name",
)  # fmt: skip


@pytest.mark.parametrize("text", BOUNDED)
def test_a_key_that_is_pinned_bounds(text: str) -> None:
    assert bounded_by_key(condition(text), CUSTOMERS, "c")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", UNBOUNDED)
def test_what_is_not_a_pinned_key_does_not_bound(text: str) -> None:
    assert not bounded_by_key(condition(text), CUSTOMERS, "c")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "bounded"),
    [
        ("order_id = 1 AND line = 2", True),
        ("order_id = 1", False),
        ("order_id IN (1, 2) AND line IN (1, 2, 3)", True),
        ("order_id = 1 AND product = 'x'", False),
    ],
)
def test_all_of_a_composite_key_must_be_pinned(text: str, bounded: bool) -> None:
    assert bounded_by_key(condition(text), ITEMS, "items") is bounded  # type: ignore[arg-type]


def test_a_list_of_keys_bounds_up_to_a_number_of_rows() -> None:
    keys = list(map(str, range(KEYED_ROWS + 1)))
    assert bounded_by_key(condition(f"id IN ({', '.join(keys[1:])})"), CUSTOMERS, "c")  # type: ignore[arg-type]
    assert not bounded_by_key(condition(f"id IN ({', '.join(keys)})"), CUSTOMERS, "c")  # type: ignore[arg-type]


def test_lists_of_a_composite_key_multiply() -> None:
    eleven = ", ".join(map(str, range(11)))
    where = condition(f"order_id IN ({eleven}) AND line IN ({eleven})")
    assert not bounded_by_key(where, ITEMS, "items")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sql", "by_key"),
    [
        ("UPDATE audited SET body = 'x' WHERE id = 1", True),
        ("UPDATE audited a SET body = 'x' WHERE a.id = 1", True),
        ("UPDATE audited a SET body = 'x' FROM orders audited WHERE audited.id = 1", False),
        ("DELETE FROM items WHERE order_id = 1 AND line = 1", True),
        ("DELETE FROM items USING orders o WHERE o.id = 1", False),
        ("WITH a AS (DELETE FROM items) DELETE FROM audited WHERE id = 1", False),
        ("DELETE FROM audited WHERE CURRENT OF c", False),
        ("MERGE INTO audited USING orders o ON audited.id = 1 WHEN MATCHED THEN DELETE", False),
        ("TRUNCATE audited", False),
    ],
)
def test_a_statement_is_by_key_when_each_of_its_writes_is(sql: str, by_key: bool) -> None:
    assert facts(sql).by_key is by_key
