"""Masked rows in place of relations, at their places in the tree; and the proof that nothing else was changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from governance.masking.edits import Edits
from governance.masking.errors import MaskingImpossible
from governance.masking.plan import explained, plan_masks
from governance.masking.rewrite import rewrite
from governance.policy.decision import MaskedColumn, RowFilter
from tests.governance.analysis.shop import read
from tests.governance.masking.masking import MASKED, planned, rewritten

OPEN_ORDERS = RowFilter("public", "orders", "status = 'open'", "open-only")
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
    "TABLE customers": 'SELECT * FROM ROWS AS "customers"',
    "(TABLE customers) UNION ALL SELECT 1, '', '', ''":
        "(SELECT * FROM ROWS AS \"customers\") UNION ALL SELECT 1, '', '', ''",
    "EXPLAIN ANALYZE VERBOSE SELECT * FROM customers":
        'EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT * FROM ROWS AS "customers"',
    "EXPLAIN (FORMAT json, COSTS, BUFFERS) SELECT * FROM customers":
        'EXPLAIN (FORMAT JSON, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT * FROM ROWS AS "customers"',
    "EXPLAIN (SELECT * FROM customers)":
        'EXPLAIN (COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) (SELECT * FROM ROWS AS "customers")',
    "CREATE VIEW v AS SELECT * FROM customers": "CREATE VIEW v AS SELECT * FROM customers",
    "SELECT c.id, c.name, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id":
        'SELECT c.id, c.name, count(*) FROM ROWS c JOIN orders o ON o.customer_id = c.id GROUP BY "c"."name", c.id',
    "SELECT id, email FROM customers GROUP BY 1 ORDER BY city":
        'SELECT id, email FROM ROWS AS "customers" GROUP BY "customers"."city", "customers"."email", 1 ORDER BY city',
    "SELECT c.* FROM customers c GROUP BY lower('x'), c.id":
        'SELECT c.* FROM ROWS c GROUP BY lower(\'x\'), "c"."city", "c"."email", "c"."name", c.id',
    "SELECT city, count(*) FROM customers GROUP BY city": 'SELECT city, count(*) FROM ROWS AS "customers" GROUP BY city',
    "SELECT id FROM customers GROUP BY GROUPING SETS ((id), ())":
        'SELECT id FROM ROWS AS "customers" GROUP BY GROUPING SETS ((id), ())',
    "UPDATE customers SET city = 'x' WHERE id = 1 RETURNING *":
        "UPDATE customers SET city = 'x' WHERE id = 1 RETURNING \"customers\".\"id\", ('[redacted]'::text) AS \"name\","
        ' (NULL::text) AS "email", "customers"."city"',
    "DELETE FROM customers c WHERE id = 1 RETURNING id, c.email, lower(name), old.name AS was":
        "DELETE FROM customers c WHERE id = 1 RETURNING id, (NULL::text) AS \"email\", lower(('[redacted]'::text)),"
        " ('[redacted]'::text) AS was",
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
    "SELECT * FROM customers TABLESAMPLE SYSTEM ($1)", "SELECT * FROM mails TABLESAMPLE SYSTEM (1)",
    "SELECT * FROM U&\"!0063ustomers\" UESCAPE '!'",
    "SELECT * FROM stored",
    "ALTER TABLE customers RENAME COLUMN email TO x", "ALTER TABLE customers RENAME TO x", "ALTER TABLE customers SET SCHEMA x",
    "SELECT ctid, c FROM customers c", "SELECT c.ctid, * FROM customers c, orders o", "SELECT ctid FROM customers c(a, b)",
    "SELECT id, name FROM customers GROUP BY 1 UNION SELECT id, name FROM customers GROUP BY 1",
    "SELECT " + "NOT " * 260 + "true FROM customers",
)  # fmt: skip


@pytest.mark.parametrize("sql", REFUSED, ids=lambda sql: sql[:60])
def test_what_cannot_be_rewritten_is_refused(sql: str) -> None:
    with pytest.raises(MaskingImpossible):
        rewritten(sql)


NEW_COLUMNS = (
    "fresh", "customers.fresh", "new.fresh", "(SELECT fresh)", "(SELECT v.fresh FROM (VALUES (fresh)) v(fresh))",
    "(SELECT 1 FROM orders o WHERE o.status = fresh)", "(SELECT 1 AS fresh ORDER BY fresh || 'x')",
)  # fmt: skip


@pytest.mark.parametrize("returned", NEW_COLUMNS)
def test_returning_refuses_what_may_be_a_column_that_the_catalogue_does_not_know(returned: str) -> None:
    with pytest.raises(MaskingImpossible, match="it is not certain"):
        rewritten(f"UPDATE customers SET city = 'x' WHERE id = 1 RETURNING {returned}")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE customers SET city = label FROM (VALUES (1, 'x')) v(number, label) WHERE id = number RETURNING label, v.label",
        "DELETE FROM customers USING orders o WHERE o.customer_id = customers.id RETURNING status, customers.ctid",
        "DELETE FROM customers RETURNING (SELECT max(status) FROM orders WHERE customer_id = customers.id)",
    ],
)
def test_returning_lets_columns_of_other_relations_through(sql: str) -> None:
    assert rewritten(sql) == sql


@pytest.mark.parametrize(
    "sql",
    ["EXPLAIN UPDATE customers SET city = 'x' WHERE email LIKE 'a%'", "EXPLAIN DELETE FROM customers WHERE id = 1"],
)
def test_the_plan_of_a_write_to_masked_rows_is_told_and_shows_no_estimates(sql: str) -> None:
    analysis, plan = planned(sql)
    hazard = explained([analysis], [plan])
    assert hazard is not None
    assert hazard.code == "explain-masked"
    assert rewritten(sql).startswith("EXPLAIN (COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ")


def test_an_unknown_mask_is_refused() -> None:
    analysis = read("SELECT * FROM customers")
    plan = plan_masks(analysis, [MaskedColumn("public", "customers", "email", "email", "rot13")])
    with pytest.raises(MaskingImpossible, match="rot13"):
        rewrite(analysis, plan)


def spliced(monkeypatch: pytest.MonkeyPatch, spoil: Callable[[int, int, str], tuple[int, int, str] | None]) -> None:
    right = Edits.splice

    def wrong(edits: Edits, start: int, end: int, text: str, proof: str | None = None) -> None:
        if spoilt := spoil(start, end, text if proof is None else proof):
            right(edits, *spoilt)

    monkeypatch.setattr(Edits, "splice", wrong)


@pytest.mark.parametrize("wrong", ["customers", "(SELECT * FROM customers)", "ROWS, customers", ") x, (SELECT 1"])
def test_the_proof_refuses_a_wrong_replacement(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spliced(monkeypatch, lambda start, end, _: (start, end, wrong))
    with pytest.raises(MaskingImpossible):
        rewrite(*planned("SELECT * FROM customers c"))


@pytest.mark.parametrize("shift", [-1, 1, 10])
def test_the_proof_refuses_a_replacement_at_a_wrong_place(shift: int, monkeypatch: pytest.MonkeyPatch) -> None:
    spliced(monkeypatch, lambda start, end, text: (start + shift, end + shift, text))
    with pytest.raises(MaskingImpossible):
        rewrite(*planned("SELECT name, city FROM customers, orders, items"))


def test_the_proof_refuses_when_a_place_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    spliced(monkeypatch, lambda start, end, text: (start, end, text) if start < 20 else None)
    with pytest.raises(MaskingImpossible):
        rewrite(*planned("SELECT 1 FROM customers a, customers b"))


@pytest.mark.parametrize(
    "wrong", ["SELECT 1", "(SELECT 1) x, (SELECT 2)", "(SELECT 1) -- )", "(a JOIN b ON true)", "(VALUES"]
)
def test_only_one_whole_sub_select_stands_in_for_a_relation(wrong: str) -> None:
    with pytest.raises(MaskingImpossible):
        Edits("SELECT 1").stand_in(wrong)


def test_a_sample_is_taken_of_the_table_below_its_masks() -> None:
    sql = rewritten("SELECT * FROM customers AS c(a, b) TABLESAMPLE bernoulli (10) REPEATABLE (3) WHERE a = 1")
    assert sql.endswith(
        'FROM "public"."customers" TABLESAMPLE bernoulli (10) REPEATABLE (3)) AS "c"("a", "b") WHERE a = 1'
    )


@pytest.mark.parametrize("star", ["*", "c.*"])
def test_a_star_beside_a_system_column_stays_the_columns_of_the_relation(star: str) -> None:
    columns = ", ".join(f'"c"."{name}"' for name in ("id", "name", "email", "city"))
    sql = rewritten(f"SELECT {star}, ctid FROM customers c")
    assert sql.startswith(f"SELECT {columns}, ctid FROM (SELECT")
    assert sql.endswith('"city", "ctid" FROM "public"."customers") c')


FILTERED = {
    "SELECT id FROM orders": 'SELECT id FROM (SELECT "id", "customer_id", "status", "total" FROM "public"."orders"'
    ' WHERE (status = \'open\')) AS "orders"',
    "UPDATE orders o SET total = 1": 'UPDATE orders o SET total = 1 WHERE (("o".status = \'open\'))',
    "DELETE FROM orders WHERE id = 1 OR true RETURNING id":
        'DELETE FROM orders WHERE ( id = 1 OR true) AND (("orders".status = \'open\')) RETURNING id',
    "WITH d AS (DELETE FROM orders WHERE id = 1 AND total = 2) SELECT 1;":
        'WITH d AS (DELETE FROM orders WHERE ( id = 1 AND total = 2) AND (("orders".status = \'open\'))) SELECT 1;',
    "INSERT INTO orders (id) VALUES (1)": "INSERT INTO orders (id) VALUES (1)",
}  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), FILTERED.items(), ids=str)
def test_a_row_filter_bounds_reads_and_writes(sql: str, expected: str) -> None:
    analysis = read(sql)
    assert rewrite(analysis, plan_masks(analysis, (), [OPEN_ORDERS])) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET total = 1",
        "MERGE INTO orders o USING items i ON o.id = i.line WHEN MATCHED THEN DELETE",
    ],
)
def test_a_write_that_a_row_filter_cannot_bound_is_refused(sql: str) -> None:
    analysis = read(sql)
    with pytest.raises(MaskingImpossible, match="Only some rows"):
        rewrite(analysis, plan_masks(analysis, (), [OPEN_ORDERS]))


def test_a_column_that_the_catalogue_does_not_know_is_not_in_the_rows() -> None:
    assert rewritten("SELECT added_since FROM customers") == 'SELECT added_since FROM ROWS AS "customers"'
    assert len(MASKED) == 2


def test_only_masks_that_are_looked_at_are_worked_out() -> None:
    sql = rewrite(*planned("SELECT lower(c.name) FROM customers c WHERE id = 1"))
    assert "'[redacted]'::text AS" in sql
    assert 'NULL::text AS "name"' in rewrite(*planned("SELECT city FROM customers"))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT c FROM customers c", "SELECT count(c.*) FROM customers c", "SELECT 1 FROM customers NATURAL JOIN items",
        "SELECT 1 FROM customers JOIN mails USING (name)", "SELECT to_json(c) FROM customers c", "TABLE customers",
        "SELECT x.b FROM customers AS x(a, b)", "SELECT (c).name FROM customers c", "SELECT name(c) FROM customers c",
        "SELECT (SELECT name) FROM customers", "SELECT 1 FROM customers ORDER BY name", "SELECT 1 FROM customers GROUP BY name",
        "SELECT 1 FROM customers HAVING max(name) = 'x'", "SELECT max(id) OVER (ORDER BY name) FROM customers",
        "SELECT 1 FROM customers c, LATERAL (SELECT c.name) x", "SELECT DISTINCT ON (name) 1 FROM customers",
        "SELECT count(*) FILTER (WHERE name = 'x') FROM customers", "SELECT 1 FROM customers c WHERE c.name IS NULL",
        "DELETE FROM items USING customers c WHERE c.name = 'x'", "INSERT INTO items SELECT id, name FROM customers",
    ],
)  # fmt: skip
def test_a_mask_that_is_looked_at_in_any_way_is_worked_out(sql: str) -> None:
    assert "'[redacted]'::text AS" in rewrite(*planned(sql))
