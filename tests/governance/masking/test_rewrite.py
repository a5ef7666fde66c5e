"""Masked rows in place of relations, at their places in the tree; and the proof that nothing else was changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from governance.masking import rewrite as rewriting
from governance.masking.errors import MaskingImpossible
from governance.masking.plan import plan_masks
from governance.masking.rewrite import rewrite
from governance.policy.decision import MaskedColumn
from tests.governance.analysis.shop import read
from tests.governance.masking.masking import MASKED, planned, rewritten

REPLACED = {
    "SELECT * FROM customers": "SELECT * FROM ROWS AS \"customers\"",
    "SELECT * FROM customers c": "SELECT * FROM ROWS c",
    "SELECT * FROM public.customers AS c(a, b)": "SELECT * FROM ROWS AS c(a, b)",
    "SELECT * FROM customers *": "SELECT * FROM ROWS AS \"customers\"",
    'SELECT 1 FROM "customers"': 'SELECT 1 FROM ROWS AS "customers"',
    "SELECT 1 FROM CUSTOMERS": 'SELECT 1 FROM ROWS AS "customers"',
    "SELECT '😀ß', 1 FROM customers /* é */": "SELECT '😀ß', 1 FROM ROWS AS \"customers\" /* é */",
    "SELECT 1 FROM customers, orders": 'SELECT 1 FROM ROWS AS "customers", orders',
    "SELECT 1 FROM customers a JOIN customers b USING (id)": "SELECT 1 FROM ROWS a JOIN ROWS b USING (id)",
    "SELECT 1 FROM public . customers": 'SELECT 1 FROM ROWS AS "customers"',
    "SELECT public.customers.id FROM public.customers": 'SELECT customers.id FROM ROWS AS "customers"',
    "SELECT public.customers.* FROM public.customers": 'SELECT customers.* FROM ROWS AS "customers"',
    "SELECT (SELECT max(id) FROM customers)": 'SELECT (SELECT max(id) FROM ROWS AS "customers")',
    "WITH customers AS (SELECT * FROM customers) SELECT * FROM customers":
        'WITH customers AS (SELECT * FROM ROWS AS "customers") SELECT * FROM customers',
    "WITH customers AS (SELECT 1) SELECT * FROM public.customers, customers":
        'WITH customers AS (SELECT 1) SELECT * FROM ROWS AS "customers", customers',
    "SELECT 1 UNION SELECT id FROM customers": 'SELECT 1 UNION SELECT id FROM ROWS AS "customers"',
    "INSERT INTO items SELECT id FROM customers": 'INSERT INTO items SELECT id FROM ROWS AS "customers"',
    "UPDATE customers SET city = c.email FROM customers c WHERE customers.id = 1":
        "UPDATE customers SET city = c.email FROM ROWS c WHERE customers.id = 1",
    "DELETE FROM items USING customers c WHERE c.id = 1": "DELETE FROM items USING ROWS c WHERE c.id = 1",
    "MERGE INTO items i USING customers c ON i.line = c.id WHEN MATCHED THEN DELETE":
        "MERGE INTO items i USING ROWS c ON i.line = c.id WHEN MATCHED THEN DELETE",
    "CREATE TABLE fresh AS SELECT * FROM customers": 'CREATE TABLE fresh AS SELECT * FROM ROWS AS "customers"',
    "SELECT * INTO fresh FROM customers": 'SELECT * INTO fresh FROM ROWS AS "customers"',
    "SELECT * FROM mails": 'SELECT * FROM (SELECT id, lower(email) AS mail FROM ROWS AS "customers") AS "mails"',
    "SELECT n.mail FROM nested n":
        'SELECT n.mail FROM (SELECT m.mail FROM (SELECT id, lower(email) AS mail FROM ROWS AS "customers") m) n',
    "SELECT * FROM town_orders, orders": "SELECT * FROM town_orders, orders",
    "SELECT id FROM orders": "SELECT id FROM orders",
    "DELETE FROM customers WHERE id = 1": "DELETE FROM customers WHERE id = 1",
}  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), REPLACED.items(), ids=str)
def test_a_relation_is_replaced_at_its_place(sql: str, expected: str) -> None:
    assert rewritten(sql) == expected


def test_only_stays_inside() -> None:
    assert 'FROM ONLY "public"."customers") AS "customers"' in rewritten("SELECT * FROM ONLY customers")
    assert rewritten("SELECT * FROM ONLY (customers) c").endswith('FROM ONLY "public"."customers") c')


REFUSED = (
    "TABLE customers", "SELECT * FROM customers TABLESAMPLE SYSTEM (10)", "SELECT * FROM U&\"!0063ustomers\" UESCAPE '!'",
    "SELECT * FROM stored", "EXPLAIN SELECT * FROM customers", "COPY customers TO STDOUT",
    "COPY (SELECT * FROM customers) TO STDOUT",
    "CREATE VIEW v AS SELECT * FROM customers", "CREATE SCHEMA s CREATE VIEW v AS SELECT * FROM public.customers",
    "ALTER TABLE customers RENAME COLUMN email TO x", "ALTER TABLE customers RENAME TO x", "ALTER TABLE customers SET SCHEMA x",
    "UPDATE customers SET city = 'x' WHERE id = 1 RETURNING *", "DELETE FROM customers WHERE id = 1 RETURNING email",
    "SELECT " + "NOT " * 260 + "true FROM customers",
)  # fmt: skip


@pytest.mark.parametrize("sql", REFUSED, ids=lambda sql: sql[:60])
def test_what_cannot_be_rewritten_is_refused(sql: str) -> None:
    with pytest.raises(MaskingImpossible):
        rewritten(sql)


def test_an_unknown_mask_is_refused() -> None:
    analysis = read("SELECT * FROM customers")
    plan = plan_masks(analysis, [MaskedColumn("public", "customers", "email", "email", "rot13")])
    with pytest.raises(MaskingImpossible, match="rot13"):
        rewrite(analysis, plan)


@pytest.mark.parametrize("wrong", ["customers", "(SELECT * FROM customers)", "ROWS, customers", ") x, (SELECT 1"])
def test_the_proof_refuses_a_wrong_replacement(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = rewriting._replace
    monkeypatch.setattr(rewriting, "_replace", lambda *given: replace(right(*given), text=wrong))
    with pytest.raises(MaskingImpossible):
        rewrite(*planned("SELECT * FROM customers c"))


@pytest.mark.parametrize("shift", [-1, 1, 10])
def test_the_proof_refuses_a_replacement_at_a_wrong_place(shift: int, monkeypatch: pytest.MonkeyPatch) -> None:
    right = rewriting._span

    def shifted(*given: object) -> tuple[int, int]:
        start, end = right(*given)  # type: ignore[arg-type]
        return start + shift, end + shift

    monkeypatch.setattr(rewriting, "_span", shifted)
    with pytest.raises(MaskingImpossible):
        rewrite(*planned("SELECT name, city FROM customers, orders, items"))


def test_the_proof_refuses_when_a_place_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = rewriting._replace
    analysis, plan = planned("SELECT 1 FROM customers a, customers b")
    first = right(analysis.occurrences[0], analysis, plan)
    monkeypatch.setattr(rewriting, "_replace", lambda *given: first)
    with pytest.raises(MaskingImpossible):
        rewrite(analysis, plan)


def test_a_column_that_the_catalogue_does_not_know_is_not_in_the_rows() -> None:
    assert rewritten("SELECT added_since FROM customers") == 'SELECT added_since FROM ROWS AS "customers"'
    assert len(MASKED) == 2
