"""The default policy set on statements as they are sent, analysed against a real catalogue."""

from __future__ import annotations

import psycopg
import pytest

from governance.analysis.analyse import analyse
from governance.catalogue.model import Catalogue
from governance.catalogue.read import read_catalogue
from governance.policy.engine import decide
from tests.fixtures.databases import MakeTarget
from tests.governance.asking import DEFAULT, ask

SCHEMA = """
CREATE TABLE customers (id int PRIMARY KEY, email text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, total numeric);
CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE);
CREATE VIEW buyers AS SELECT c.email, o.id FROM customers c JOIN orders o ON o.customer_id = c.id;
CREATE FUNCTION mystery() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION plain() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""


@pytest.fixture(scope="module")
def catalogue(target_database: MakeTarget) -> Catalogue:
    with psycopg.connect(target_database(SCHEMA).dsn, autocommit=True) as session:
        return read_catalogue(session, ["public"])


@pytest.mark.parametrize(
    ("sql", "verdict", "policy"),
    [
        ("SELECT 1", "allow", "read"),
        ("SELECT now(), count(*) FROM orders", "allow", "read"),
        ("SELECT * FROM buyers LIMIT 5", "allow", "read"),
        ("TABLE orders", "allow", "read"),
        ("UPDATE orders SET total = 1 WHERE id = $1", "allow", "write"),
        ("DELETE FROM items WHERE id = 7", "allow", "write"),
        ("INSERT INTO orders (id) VALUES (1), (2)", "allow", "write"),
        ("DELETE FROM items", "review", "mass-write"),
        ("UPDATE orders SET total = 0 WHERE total > 5", "review", "mass-write"),
        ("DELETE FROM items WHERE id = 1 OR true", "review", "mass-write"),
        ("WITH gone AS (DELETE FROM items RETURNING *) SELECT count(*) FROM gone", "review", "mass-write"),
        ("INSERT INTO orders SELECT * FROM orders", "review", "mass-write"),
        ("DELETE FROM orders WHERE id = 1", "review", "cascading-write"),
        ("CREATE TABLE fresh (id int)", "review", "definition-change"),
        ("ALTER TABLE orders ADD note text", "review", "definition-change"),
        ("CREATE INDEX ON orders (total)", "review", "definition-change"),
        ("GRANT SELECT ON orders TO public", "review", "privilege-change"),
        ("DROP TABLE orders", "deny", "drop"),
        ("TRUNCATE orders", "deny", "truncate"),
        ("SELECT pg_read_file('/etc/passwd')", "deny", "file-access"),
        ("COPY orders TO PROGRAM 'cat'", "deny", "program-execution"),
        ("DO $$ BEGIN END $$", "deny", "opaque-code"),
        ("SELECT mystery()", "deny", "unread-statement"),
        ("SELECT plain()", "allow", "read"),
        ("SELECT * FROM nowhere", "deny", "unread-statement"),
        ("BEGIN", "deny", "transaction-control"),
        ("SET ROLE postgres", "deny", "session-control"),
        ("SET application_name = 'report'", "allow", "harmless-settings"),
        ("SHOW search_path", "allow", "read"),
        ("SHOW ALL", "deny", "session-control"),
        ("LISTEN news", "deny", "session-control"),
        ("VACUUM orders", "deny", "maintenance"),
        ("SELECT * FROM orders FOR UPDATE", "deny", "lock"),
    ],
)
def test_default_set_decides_the_statement(catalogue: Catalogue, sql: str, verdict: str, policy: str) -> None:
    decision = decide(DEFAULT, ask(analyse(sql, catalogue).facts))
    assert decision.verdict == verdict, decision
    assert policy in decision.policies
