"""What is found out of a statement, as tables of cases."""

from __future__ import annotations

import pytest

from governance.errors import Unreadable
from tests.governance.analysis.shop import facts, uses

KINDS = {
    "SELECT 1": "read",
    "VALUES (1)": "read",
    "TABLE orders": "read",
    "SELECT * FROM orders FOR UPDATE": "read write",
    "SELECT nextval('s')": "read write",
    "SELECT * INTO fresh FROM orders": "read ddl",
    "INSERT INTO audited VALUES (1, 'x')": "write",
    "WITH gone AS (DELETE FROM orders) SELECT 1": "read write",
    "CREATE TABLE fresh (id integer)": "ddl",
    "CREATE TABLE fresh AS SELECT 1": "ddl read",
    "CREATE VIEW v AS SELECT id FROM orders": "ddl read",
    "ALTER TABLE orders OWNER TO x": "ddl privilege",
    "GRANT SELECT ON orders TO x": "privilege",
    "SET x = 1": "session",
    "SHOW x": "session",
    "BEGIN": "transaction",
    "LOCK TABLE orders": "transaction",
    "VACUUM": "admin",
    "DO 'x'": "opaque",
    "CALL p()": "opaque",
    "CREATE RULE r AS ON INSERT TO orders DO NOTHING": "opaque",
    "EXPLAIN DELETE FROM orders": "read",
    "EXPLAIN ANALYZE DELETE FROM orders": "write",
    "COPY orders TO STDOUT": "read",
    "COPY orders FROM STDIN": "write",
    "TRUNCATE orders": "write",
}


@pytest.mark.parametrize(("sql", "kinds"), KINDS.items(), ids=str)
def test_kinds(sql: str, kinds: str) -> None:
    assert {kind.value for kind in facts(sql).kinds} == set(kinds.split())


USES = {
    "SELECT * FROM orders": "read orders",
    "SELECT * FROM public.orders o, customers": "read orders, read customers",
    "SELECT (SELECT max(id) FROM orders)": "read orders",
    "WITH orders AS (SELECT 1) SELECT * FROM orders": "",
    "WITH orders AS (SELECT * FROM orders) SELECT * FROM orders": "read orders",
    "WITH orders AS (SELECT 1) SELECT * FROM public.orders": "read orders",
    "WITH RECURSIVE a AS (SELECT * FROM orders), orders AS (SELECT 1) SELECT * FROM a": "",
    "WITH a AS (SELECT * FROM orders), orders AS (SELECT 1) SELECT * FROM a": "read orders",
    "SELECT * FROM (WITH orders AS (SELECT 1) SELECT 1) x, orders": "read orders",
    "SELECT * FROM mails": "read mails, read customers",
    "SELECT * FROM nested": "read nested, read mails, read customers",
    "SELECT * FROM stored": "read stored, read customers",
    "SELECT * FROM orders FOR UPDATE": "read orders, lock orders",
    "INSERT INTO audited SELECT id, status FROM orders": "insert audited, read orders",
    "INSERT INTO audited VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = 'y'": "insert audited, update audited",
    "UPDATE audited SET body = 'x' WHERE id = 1": "update audited, read audited",
    "DELETE FROM items WHERE line = 1": "delete items, read items",
    "DELETE FROM orders": "delete orders, delete items",
    "WITH orders AS (SELECT 1 AS id) DELETE FROM orders WHERE id = 1": "delete orders, delete items, read orders",
    "MERGE INTO audited a USING orders o ON a.id = o.id WHEN MATCHED THEN DELETE":
        "insert audited, update audited, delete audited, read orders",
    "TRUNCATE orders, items": "truncate orders, truncate items",
    "ALTER TABLE orders ADD COLUMN x integer": "define orders",
    "CREATE TABLE fresh (LIKE orders, FOREIGN KEY (id) REFERENCES customers)": "define fresh, define orders, define customers",
    "CREATE TABLE part PARTITION OF orders FOR VALUES IN (1)": "define part, define orders",
    "CREATE INDEX ON orders (status)": "define orders",
    "DROP TABLE orders, public.items": "define orders, define items",
    "COPY orders TO STDOUT": "read orders",
    "SELECT relname FROM pg_class": "read pg_class",
    "EXPLAIN SELECT * FROM orders": "read orders",
}  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), USES.items(), ids=str)
def test_relations_and_how_they_are_used(sql: str, expected: str) -> None:
    assert uses(sql) == {use for use in expected.split(", ") if use}


HAZARDS = {
    "DELETE FROM items": "delete-without-where",
    "DELETE FROM items WHERE 1 = 1": "always-true-where",
    "UPDATE items SET line = 1": "update-without-where",
    "DELETE FROM orders WHERE id = 1": "cascade",
    "UPDATE audited SET body = 'x' WHERE id = 1": "fires-trigger",
    "SELECT * FROM orders": "unbounded-read",
    "SELECT * FROM orders LIMIT 10": "",
    "SELECT count(*) FROM orders": "",
    "SELECT * FROM orders, customers": "cartesian-product",
    "SELECT * FROM customers FOR UPDATE": "row-lock",
    "DROP TABLE items": "drop",
    "ALTER TABLE items DROP COLUMN line": "drop, blocking-lock",
    "ALTER TABLE items ALTER COLUMN line TYPE text": "table-rewrite, blocking-lock",
    "ALTER TABLE items SET (fillfactor = 70)": "blocking-lock",
    "TRUNCATE items": "truncate",
    "GRANT SELECT ON items TO x": "privilege-change",
    "CREATE INDEX ON items (line)": "index-not-concurrent",
    "ALTER TABLE items RENAME TO things": "rename",
    "COPY items TO '/tmp/x'": "file-access",
    "COPY items TO PROGRAM 'x'": "program-execution",
    "SELECT pg_read_file('x')": "file-access",
    "SELECT query_to_xml('SELECT 1', true, true, '')": "dynamic-sql",
    "SELECT current_setting('x')": "reads-sessions",
    "SELECT pg_sleep(1)": "side-effects",
    "EXPLAIN SELECT 1": "explain",
}


@pytest.mark.parametrize(("sql", "codes"), HAZARDS.items(), ids=str)
def test_hazards(sql: str, codes: str) -> None:
    assert facts(sql).hazard_codes == {code for code in codes.split(", ") if code}


UNKNOWN = {
    "SELECT * FROM nowhere": "nowhere",
    "SELECT * FROM other.orders": "other.orders",
    "SELECT * FROM db.public.orders": "db.public.orders",
    "SELECT * FROM remote": "public.remote",
    "SELECT * FROM hidden": "public.nowhere",
    "SELECT * FROM pg_catalog.pg_stats": "pg_catalog.pg_stats",
    "SELECT * FROM pg_stats": "pg_stats",
    "UPDATE pg_stats SET id = 1 WHERE id = 1": "pg_stats",
    "ALTER TABLE pg_class ADD COLUMN x integer": "pg_catalog.pg_class",
    "SELECT nothing()": "nothing()",
    "SELECT public.lower('X')": "public.lower()",
    "SELECT leak(1)": "public.leak()",
    "SELECT o.leak FROM orders o": "public.leak()",
    "SELECT (o).leak FROM orders o": "public.leak()",
    "SELECT public.orders.leak FROM orders": "public.leak()",
    "SELECT o.leak FROM orders o WHERE EXISTS (SELECT o.leak FROM peek_at o)": "public.leak()",
    "SELECT o.leak FROM (SELECT 1) o WHERE EXISTS (SELECT o.leak FROM peek_at o)": "public.leak()",
    "WITH o AS (SELECT 1) SELECT o.leak FROM o WHERE EXISTS (SELECT o.leak FROM peek_at o)": "public.leak()",
    "SELECT every_one(id) FROM orders": "public.every_one()",
    "SELECT crosstab('SELECT 1')": "public.crosstab()",
    "SELECT 1 === 2": "operator ===",
    "SELECT 1 OPERATOR(public.===) 2": "operator public.===",
    "SELECT 1 === ANY (SELECT 1)": "operator ===",
    "SELECT id FROM orders ORDER BY id USING ===": "operator ===",
    "SELECT 1::other.mood": "type other.mood",
    "INSERT INTO mails VALUES (1)": "public.mails",
    "UPDATE ruled SET body = 'x' WHERE id = 1": "public.ruled",
    "COPY orders FROM STDIN": "COPY FROM STDIN",
    "EXECUTE p": "EXECUTE p",
    "DO 'x'": "DO",
    "CREATE PUBLICATION p": "CreatePublication",
    "ALTER TABLE orders ATTACH PARTITION items DEFAULT": "ALTER TABLE (AT_AttachPartition)",
    "CREATE TABLE part PARTITION OF orders FOR VALUES IN (leak(1))": "public.leak()",
    "CREATE TABLE fresh (id integer DEFAULT leak(1))": "public.leak()",
}


@pytest.mark.parametrize(("sql", "what"), UNKNOWN.items(), ids=str)
def test_what_is_not_understood_is_named(sql: str, what: str) -> None:
    assert what in {unknown.what for unknown in facts(sql).unknown}


UNDERSTOOD = (
    "SELECT p.leak FROM peek_at p",
    "SELECT similarity('a', 'b')",
    "SELECT s.similarity FROM (SELECT 1 AS similarity) s",
    "SELECT 1::mood, 1::public.mood",
    "SELECT id FROM orders WHERE id BETWEEN 1 AND 2",
    "SELECT count(*), random(), now() FROM orders",
    "SELECT relname FROM pg_class JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace",
    "ALTER TABLE items SET (fillfactor = 70)",
)


@pytest.mark.parametrize("sql", UNDERSTOOD, ids=str)
def test_what_is_ordinary_is_understood(sql: str) -> None:
    assert facts(sql).unknown == ()


ROWS = {
    "INSERT INTO items DEFAULT VALUES": 1,
    "INSERT INTO items VALUES (1, 1, 'a')": 1,
    "INSERT INTO items VALUES (1, 1, 'a'), (1, 2, 'b'), (1, 3, lower('C'))": 3,
    "WITH a AS (INSERT INTO items VALUES (1, 1, 'a')) INSERT INTO items VALUES (1, 2, 'b')": 2,
    "INSERT INTO items SELECT 1, 1, 'a'": None,
    "INSERT INTO items TABLE items": None,
    "INSERT INTO items VALUES (1, generate_series(1, 1000000), 'a')": None,
    "INSERT INTO items VALUES (1, 1 + pg_catalog.generate_series(1, 1000000), 'a')": None,
    "INSERT INTO items VALUES (1, 1, similarity('a', 'b'))": None,
    "MERGE INTO items i USING orders o ON true WHEN NOT MATCHED THEN INSERT VALUES (1, 1, 'a')": None,
    "SELECT 1": 0,
}


@pytest.mark.parametrize(("sql", "rows"), ROWS.items(), ids=str)
def test_rows_inserted(sql: str, rows: int | None) -> None:
    assert facts(sql).rows_inserted == rows


UNREADABLE = {
    "nothing": "",
    "only a comment": "-- x",
    "only semicolons": ";;",
    "two statements": "SELECT 1; SELECT 2",
    "not SQL": "please",
    "open quote": "SELECT 'x",
    "NUL": "SELECT 'a\x00b'",
    "lone surrogate": "SELECT '\ud800'",
    "many brackets": "SELECT " + "(" * 200 + "1" + ")" * 200,
    "long chain of operators": "SELECT " + "+".join(["1"] * 90_000),
    "long chain of casts": "SELECT 1" + "::a" * 60_000,
    "long chain with calls": "SELECT " + "+".join(["f(1,1)"] * 20_000),
    "chain hidden in brackets": "SELECT " + "(1+1)+" * 6_000 + "1",
    "chain that only Python cannot walk": "SELECT " + "+".join(["1"] * 4_000),
    "long chain of NOT": "SELECT " + "NOT " * 4_000 + "true",
    "too long": "SELECT '" + "x" * 200_001 + "'",
}


@pytest.mark.parametrize("sql", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_text_that_is_no_one_statement_is_unreadable(sql: str) -> None:
    with pytest.raises(Unreadable):
        facts(sql)


LONG = {
    "conditions": "SELECT id FROM orders WHERE " + " OR ".join(f"(id = {n} AND status = 'x')" for n in range(1000)),
    "rows": "INSERT INTO items VALUES " + ", ".join(f"({n}, -{n}, 'x' || 'y')" for n in range(5000)),
    "list": "SELECT id FROM orders WHERE id IN (" + ", ".join(map(str, range(10_000))) + ")",
    "text": "SELECT '" + "x" * 100_000 + "'",
    "concatenation": "SELECT " + " || ".join(["status"] * 150) + " FROM orders",
}


@pytest.mark.parametrize("sql", LONG.values(), ids=LONG.keys())
def test_a_long_statement_is_read(sql: str) -> None:
    assert facts(sql).unknown == ()


def test_parameters_are_counted_by_the_highest() -> None:
    assert facts("SELECT $1, $3::int").parameters == 3


def test_the_normal_text_holds_no_constant_and_no_comment() -> None:
    shown = facts(
        "SELECT 'secret', 42 /* pin 1234 */, E'x\\n', $$y$$, 1.5, B'1' FROM orders -- done\n WHERE id = 7;"
    ).normal
    assert shown == "SELECT ?, ?  , ?, ?, ?, ? FROM orders  \n WHERE id = ?"
