"""Every statement of PostgreSQL's grammar has its place: what it is, and whether it is understood."""

from __future__ import annotations

import pytest
from pglast import ast

from governance.analysis.analyse import analyse_script
from governance.analysis.facts import Facts
from governance.analysis.parse import parse
from governance.analysis.utility import NOT_FOLLOWED, STATEMENTS
from tests.governance.analysis.shop import SHOP, facts, read, uses

# kinds, and the hazards but for those that only stand for a lock; "?" where it is not understood, and so never allowed.
FORMS = {
    "SELECT 1": "read",
    "TABLE orders": "read: unbounded-read",
    "INSERT INTO items VALUES (1, 1, 'a')": "write",
    "UPDATE items SET product = 'a' WHERE order_id = 1 AND line = 1": "write",
    "DELETE FROM items WHERE order_id = 1 AND line = 1": "write",
    "MERGE INTO items i USING customers c ON i.line = c.id WHEN MATCHED THEN DELETE": "write",
    "COPY items TO STDOUT": "read",
    "COPY items FROM STDIN": "write?",
    "EXPLAIN SELECT 1": "read: explain",
    "PREPARE p AS SELECT 1": "read",
    "EXECUTE p": "session?",
    "DEALLOCATE p": "session",
    "DECLARE c CURSOR FOR SELECT 1": "read",
    "FETCH c": "session?",
    "MOVE c": "session?",
    "CLOSE c": "session",
    "BEGIN": "transaction",
    "SAVEPOINT s": "transaction",
    "COMMIT": "transaction?",
    "ROLLBACK": "transaction?",
    "ROLLBACK TO s": "transaction?",
    "PREPARE TRANSACTION 'x'": "transaction?",
    "SET CONSTRAINTS ALL DEFERRED": "transaction",
    "LOCK TABLE items": "transaction: blocking-lock",
    "SET application_name = 'x'": "session",
    "SET ROLE x": "session: session-escape",
    "SHOW server_version": "read",
    "DISCARD ALL": "session: session-escape",
    "LISTEN x": "session: session-escape",
    "UNLISTEN x": "session: session-escape",
    "NOTIFY x": "session: session-escape",
    "VACUUM items": "admin",
    "VACUUM FULL items": "admin: table-rewrite blocking-lock",
    "CLUSTER": "admin: table-rewrite",
    "ANALYZE items": "admin",
    "CLUSTER items USING x": "admin: table-rewrite blocking-lock",
    "REINDEX TABLE items": "admin: blocking-lock",
    "REINDEX (CONNECTIONS) TABLE items": "admin: blocking-lock",
    "REINDEX TABLE CONCURRENTLY items": "admin",
    "REINDEX SCHEMA public": "admin: blocking-lock",
    "CHECKPOINT": "admin",
    "CREATE TABLE fresh (id integer)": "ddl",
    "CREATE TABLE fresh AS SELECT 1": "ddl read",
    "CREATE TABLE fresh AS EXECUTE p": "ddl?",
    "CREATE MATERIALIZED VIEW fresh AS SELECT 1": "ddl read",
    "SELECT 1 INTO fresh": "ddl read",
    "CREATE VIEW fresh AS SELECT 1": "ddl read",
    "CREATE INDEX ON items (line)": "ddl: index-not-concurrent",
    "CREATE INDEX CONCURRENTLY ON items (line)": "ddl",
    "ALTER TABLE items ADD COLUMN x integer": "ddl: blocking-lock",
    "ALTER TABLE items ALTER line DROP EXPRESSION": "ddl?: blocking-lock",
    "ALTER TABLE items INHERIT orders": "ddl?: blocking-lock",
    "DROP TABLE items": "ddl: drop",
    "DROP INDEX CONCURRENTLY x": "ddl: drop",
    "TRUNCATE items": "write: truncate",
    "ALTER TABLE items RENAME TO things": "ddl: rename",
    "ALTER TABLE items SET SCHEMA public": "ddl: rename",
    "ALTER FUNCTION leak RENAME TO x": "ddl?",
    "CREATE SCHEMA s": "ddl",
    "CREATE SCHEMA s CREATE TABLE x (id integer)": "ddl?",
    "CREATE SEQUENCE s": "ddl",
    "ALTER SEQUENCE s RESTART": "ddl",
    "CREATE TYPE t AS ENUM ('a')": "ddl",
    "CREATE TYPE t AS (a integer)": "ddl",
    "CREATE TYPE t AS RANGE (subtype = integer)": "opaque?",
    "CREATE TYPE t": "opaque?",
    "CREATE AGGREGATE a (integer) (sfunc = f, stype = integer)": "opaque?",
    "CREATE OPERATOR === (function = f, leftarg = integer)": "opaque?",
    "ALTER TYPE t ADD VALUE 'b'": "ddl",
    "ALTER TYPE t SET (receive = f)": "opaque?",
    "CREATE DOMAIN d AS integer CHECK (VALUE > 0)": "ddl",
    "CREATE DOMAIN d AS integer CHECK (leak(VALUE) > 0)": "ddl?",
    "ALTER DOMAIN d ADD CHECK (VALUE > 0)": "ddl",
    "ALTER DOMAIN d ADD CHECK (leak(VALUE) > 0)": "ddl?",
    "CREATE STATISTICS s ON order_id, line FROM items": "ddl",
    "ALTER STATISTICS s SET STATISTICS 10": "ddl",
    "ALTER COLLATION c REFRESH VERSION": "ddl",
    "COMMENT ON TABLE items IS 'x'": "ddl",
    "COMMENT ON COLUMN items.line IS 'x'": "ddl",
    "COMMENT ON TABLE nowhere IS 'x'": "ddl?",
    "REFRESH MATERIALIZED VIEW stored": "ddl: blocking-lock",
    "GRANT SELECT ON items TO x": "privilege: privilege-change",
    "GRANT x TO y": "privilege: privilege-change",
    "CREATE ROLE x": "privilege: privilege-change",
    "ALTER ROLE x LOGIN": "privilege: privilege-change",
    "ALTER ROLE x SET work_mem = 1": "privilege: privilege-change",
    "DROP ROLE x": "privilege: privilege-change",
    "ALTER FUNCTION leak OWNER TO x": "privilege: privilege-change",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO x": "privilege: privilege-change",
    "CREATE POLICY p ON items USING (line > 1)": "privilege: privilege-change",
    "CREATE POLICY p ON items USING (leak(line) > 1)": "privilege?: privilege-change",
    "ALTER POLICY p ON items USING (true)": "privilege: privilege-change",
    "DROP OWNED BY x": "privilege: privilege-change",
    "REASSIGN OWNED BY x TO y": "privilege: privilege-change",
    "SECURITY LABEL ON TABLE items IS 'x'": "privilege?",
    "DO 'x'": "opaque?",
    "CALL p()": "opaque?",
    "LOAD 'x'": "opaque?",
    "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'": "opaque?",
    "ALTER FUNCTION leak SECURITY DEFINER": "opaque?",
    "CREATE TRIGGER t BEFORE INSERT ON items EXECUTE FUNCTION f()": "opaque?",
    "CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION f()": "opaque?",
    "ALTER EVENT TRIGGER t DISABLE": "opaque?",
    "CREATE EXTENSION x": "opaque?",
    "ALTER EXTENSION x UPDATE": "opaque?",
    "ALTER EXTENSION x ADD TABLE items": "opaque?",
    "CREATE LANGUAGE x": "opaque?",
    "CREATE TRUSTED LANGUAGE x HANDLER f": "opaque?",
    "CREATE TRANSFORM FOR integer LANGUAGE x (FROM SQL WITH FUNCTION f(internal))": "opaque?",
    "CREATE ACCESS METHOD a TYPE INDEX HANDLER f": "opaque?",
    "CREATE RULE r AS ON INSERT TO items DO NOTHING": "opaque?",
    "CREATE CAST (integer AS text) WITHOUT FUNCTION": "opaque?",
    "CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM f": "opaque?",
    "CREATE OPERATOR CLASS c FOR TYPE integer USING btree AS STORAGE integer": "opaque?",
    "CREATE OPERATOR FAMILY f USING btree": "opaque?",
    "ALTER OPERATOR FAMILY f USING btree DROP FUNCTION 1 (integer)": "opaque?",
    "ALTER OPERATOR === (integer, integer) SET (RESTRICT = NONE)": "opaque?",
    "ALTER TEXT SEARCH DICTIONARY d (x = y)": "opaque?",
    "ALTER TEXT SEARCH CONFIGURATION c DROP MAPPING FOR x": "opaque?",
    "ALTER FUNCTION leak DEPENDS ON EXTENSION x": "opaque?",
    "CREATE FOREIGN DATA WRAPPER w": "admin?",
    "ALTER FOREIGN DATA WRAPPER w NO HANDLER": "admin?",
    "CREATE SERVER s FOREIGN DATA WRAPPER w": "admin?",
    "ALTER SERVER s VERSION '2'": "admin?",
    "CREATE USER MAPPING FOR x SERVER s": "admin?",
    "ALTER USER MAPPING FOR x SERVER s OPTIONS (a 'b')": "admin?",
    "DROP USER MAPPING FOR x SERVER s": "admin?",
    "CREATE FOREIGN TABLE f (id integer) SERVER s": "admin?",
    "IMPORT FOREIGN SCHEMA x FROM SERVER s INTO public": "admin?",
    "CREATE PUBLICATION p": "admin?",
    "ALTER PUBLICATION p ADD TABLE items": "admin?",
    "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p": "admin?",
    "ALTER SUBSCRIPTION s DISABLE": "admin?",
    "DROP SUBSCRIPTION s": "admin?",
    "ALTER SYSTEM SET work_mem = 1": "admin?",
    "CREATE DATABASE d": "admin?",
    "DROP DATABASE d": "admin?",
    "ALTER DATABASE d CONNECTION LIMIT 1": "admin?",
    "ALTER DATABASE d SET work_mem = 1": "admin?",
    "ALTER DATABASE d REFRESH COLLATION VERSION": "admin?",
    "CREATE TABLESPACE t LOCATION '/x'": "admin?",
    "DROP TABLESPACE t": "admin?",
    "ALTER TABLESPACE t SET (random_page_cost = 1)": "admin?",
    "ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b": "admin?",
}  # fmt: skip
# Parts of statements, of functions' bodies, or of what the parser makes later.
NEVER_ALONE = {
    ast.RawStmt, ast.SetOperationStmt, ast.ReplicaIdentityStmt, ast.PLAssignStmt, ast.ReturnStmt,
}  # fmt: skip


def shown(found: Facts) -> str:
    kinds = " ".join(sorted(kind.value for kind in found.kinds)) + ("?" if found.unknown else "")
    codes = sorted(found.hazard_codes)
    return f"{kinds}: {' '.join(codes)}" if codes else kinds


def ordered(expected: str) -> str:
    kinds, _, codes = expected.partition(": ")
    return f"{kinds}: {' '.join(sorted(codes.split()))}" if codes else kinds


@pytest.mark.parametrize(("sql", "expected"), FORMS.items(), ids=str)
def test_each_form_is_of_its_kind_and_understood_or_not(sql: str, expected: str) -> None:
    assert shown(facts(sql)) == ordered(expected)


def test_no_statement_of_the_grammar_is_left_to_chance() -> None:
    all_ = {kind for name, kind in vars(ast).items() if name.endswith("Stmt")} - NEVER_ALONE
    tested = {type(parse(sql).statement) for sql in FORMS}
    assert all_ - tested == set()
    assert all_ - STATEMENTS.keys() - NOT_FOLLOWED.keys() == set()


USES = {
    "COPY items (line) TO STDOUT (FORMAT csv, HEADER)": "read items",
    "COPY (SELECT product FROM items) TO STDOUT": "read items",
    "EXPLAIN DELETE FROM items": "read items",
    "EXPLAIN (ANALYZE false) DELETE FROM items": "read items",
    "EXPLAIN ANALYZE DELETE FROM items": "delete items",
    "EXPLAIN (ANALYZE 1, FORMAT json) DELETE FROM items": "delete items",
    "EXPLAIN CREATE TABLE fresh AS SELECT * FROM items": "read items, read fresh",
    "EXPLAIN ANALYZE CREATE TABLE fresh AS SELECT * FROM items": "read items, define fresh",
    "EXPLAIN DECLARE c CURSOR FOR SELECT * FROM items": "read items",
    "PREPARE p (integer) AS DELETE FROM items WHERE line = $1": "delete items, read items",
    "DECLARE c SCROLL CURSOR FOR SELECT * FROM items": "read items",
    "LOCK TABLE items, orders IN SHARE MODE": "lock items, lock orders",
    "ANALYZE items (line), orders": "lock items, lock orders",
    "REINDEX TABLE items": "lock items",
    "CLUSTER items": "define items",
    "COMMENT ON COLUMN public.items.line IS 'x'": "define items",
    "CREATE POLICY p ON items USING (EXISTS (SELECT FROM orders))": "define items, read orders",
    "CREATE STATISTICS s ON (line + 1), product FROM items": "define items",
    "CREATE TEMP TABLE fresh (LIKE items)": "define fresh, define items",
    "SELECT * FROM items TABLESAMPLE bernoulli (10)": "read items",
    "SELECT * FROM U&\"!0069tems\" UESCAPE '!'": "read items",
    'SELECT * FROM U&"\\0069tems"': "read items",
    'SELECT * FROM ONLY "items", items * AS x': "read items",
    'SELECT * FROM ONLY (items) AS "select"("from", "where")': "read items",
    "SELECT * FROM ItEmS": "read items",
}


@pytest.mark.parametrize(("sql", "expected"), USES.items(), ids=str)
def test_relations_of_forms_that_hold_others(sql: str, expected: str) -> None:
    assert uses(sql) == set(expected.split(", "))


@pytest.mark.parametrize(
    "sql", ['SELECT * FROM "ITEMS"', 'SELECT * FROM U&"\\0049tems"', "SELECT * FROM items TABLESAMPLE mine (1)"]
)
def test_a_name_that_is_not_quite_there_is_not_found(sql: str) -> None:
    assert facts(sql).unknown


@pytest.mark.parametrize(
    "sql",
    [
        "COPY customers TO STDOUT",
        "COPY (SELECT * FROM customers) TO STDOUT",
        "EXPLAIN ANALYZE SELECT * FROM customers",
        "PREPARE p AS SELECT * FROM customers WHERE id = $1",
        "DECLARE c CURSOR FOR SELECT * FROM customers",
        "CREATE TABLE fresh AS SELECT * FROM customers",
        "SELECT * INTO fresh FROM customers",
        "CREATE MATERIALIZED VIEW fresh AS TABLE customers",
        "TABLE customers",
    ],
)
def test_what_a_form_reads_stands_at_a_place_where_masks_can_be_put(sql: str) -> None:
    (occurrence,) = read(sql).occurrences
    assert occurrence.relation.name == "customers"
    assert sql[occurrence.node.location :].startswith("customers")


ONLY_TEXT = {
    "COPY items TO STDOUT (FORMAT binary)": "COPY option format binary",
    "COPY items TO STDOUT (ENCODING 'latin1')": "COPY option encoding latin1",
    "COPY items TO STDOUT (FREEZE)": "COPY option freeze",
    "EXPLAIN (SPELLING) SELECT 1": "EXPLAIN option spelling",
    "EXPLAIN EXECUTE p": "EXPLAIN Execute",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1": "DECLARE c WITH HOLD",
    "DECLARE c BINARY CURSOR FOR SELECT 1": "DECLARE c BINARY",
    "UPDATE items SET line = 1 WHERE CURRENT OF c": "WHERE CURRENT OF",
    "PREPARE p AS SELECT 1 INTO fresh": "PREPARE of SELECT INTO",
}


@pytest.mark.parametrize(("sql", "what"), ONLY_TEXT.items(), ids=str)
def test_an_option_that_cannot_be_kept_is_named(sql: str, what: str) -> None:
    assert what in {unknown.what for unknown in facts(sql).unknown}


def test_the_parameters_of_a_prepared_statement_are_its_own() -> None:
    assert analyse_script("PREPARE p AS SELECT $3::integer; EXECUTE p(1, 2, 3)", SHOP).facts.parameters == 0


def test_what_is_explained_without_running_it_is_not_dangerous_for_what_it_would_do() -> None:
    found = facts("EXPLAIN DELETE FROM orders")
    assert found.hazard_codes == {"explain"}
    assert not found.written
    assert found.by_key
