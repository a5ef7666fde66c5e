"""Functions of the database in any position: what they do is part of what the statement does, or it is not understood."""

from __future__ import annotations

import pytest

from governance.analysis.analyse import analyse
from governance.catalogue.model import RelationName
from tests.fixtures.databases import MakeTarget
from tests.governance.analysis.reading import Reading, catalogue_of

SCHEMA = """
CREATE TABLE customers (id integer PRIMARY KEY, email text);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer REFERENCES customers, total integer);

CREATE SCHEMA apart;
CREATE TABLE apart.orders (id integer PRIMARY KEY, total integer);
CREATE VIEW totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1;

CREATE FUNCTION plain(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE FUNCTION email_of(customer integer) RETURNS text LANGUAGE sql STABLE
  AS 'SELECT email FROM customers WHERE id = customer';
CREATE FUNCTION standard(integer) RETURNS text LANGUAGE sql STABLE RETURN (SELECT email FROM customers WHERE id = $1);
CREATE FUNCTION atomic(integer) RETURNS SETOF integer LANGUAGE sql VOLATILE
  BEGIN ATOMIC UPDATE orders SET total = 0 WHERE id = $1; SELECT id FROM customers; END;
CREATE FUNCTION writing(integer) RETURNS void LANGUAGE sql AS 'UPDATE orders SET total = 0 WHERE id = $1; DELETE FROM orders';
CREATE FUNCTION nesting(integer) RETURNS text LANGUAGE sql AS 'SELECT email_of($1)';
CREATE FUNCTION by_view() RETURNS bigint LANGUAGE sql AS 'SELECT sum(total) FROM totals';
CREATE FUNCTION elsewhere() RETURNS bigint LANGUAGE sql SET search_path = apart, pg_temp AS 'SELECT count(*) FROM orders';
CREATE FUNCTION as_another() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM customers';
CREATE FUNCTION quick() RETURNS bigint LANGUAGE sql SET work_mem = '1MB' AS 'SELECT 1';
CREATE FUNCTION other_rules() RETURNS bigint LANGUAGE sql SET standard_conforming_strings = off AS 'SELECT 1';
CREATE FUNCTION whose() RETURNS bigint LANGUAGE sql SET search_path = "$user" AS 'SELECT 1';
CREATE FUNCTION reading_a_file() RETURNS text LANGUAGE sql AS $$ SELECT pg_read_file('x') $$;
CREATE FUNCTION opaque(integer) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION calling_opaque() RETURNS integer LANGUAGE sql AS 'SELECT opaque(1)';
CREATE FUNCTION again(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n';
CREATE OR REPLACE FUNCTION again(n integer) RETURNS integer LANGUAGE sql
  AS 'SELECT CASE WHEN n > 0 THEN again(n - 1) ELSE 0 END';
CREATE FUNCTION ping(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n';
CREATE FUNCTION pong(n integer) RETURNS integer LANGUAGE sql AS 'SELECT ping(n)';
CREATE OR REPLACE FUNCTION ping(n integer) RETURNS integer LANGUAGE sql AS 'SELECT pong(n)';
CREATE FUNCTION twofold(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION twofold(text) RETURNS integer LANGUAGE sql AS 'SELECT count(*)::integer FROM orders';
CREATE FUNCTION label(customers) RETURNS text LANGUAGE sql AS 'SELECT $1.email';
CREATE FUNCTION same_mail(text, text) RETURNS boolean LANGUAGE sql
  AS 'SELECT EXISTS (SELECT FROM customers WHERE email IN ($1, $2))';
CREATE FUNCTION opaque_mail(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE OPERATOR ~~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = same_mail);
CREATE OPERATOR !~~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = opaque_mail);
CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq);
CREATE VIEW mails AS SELECT id, email_of(id) AS email FROM orders;
CREATE SEQUENCE numbers;
CREATE VIEW counting AS SELECT nextval('numbers') AS n;
"""


@pytest.fixture(scope="module")
def reading(target_database: MakeTarget) -> Reading:
    target = target_database()
    target.admin.execute(SCHEMA)
    return Reading(catalogue_of(target))


USES = {
    "SELECT plain(1)": "",
    "SELECT email_of(1)": "read customers",
    "SELECT standard(1)": "read customers",
    "SELECT * FROM email_of(1)": "read customers",
    "SELECT id FROM orders WHERE email_of(id) = 'x'": "read orders, read customers",
    "SELECT id FROM orders ORDER BY email_of(id)": "read orders, read customers",
    "SELECT * FROM atomic(1)": "update orders, read orders, read customers",
    "SELECT writing(1)": "update orders, read orders, delete orders",
    "SELECT nesting(1)": "read customers",
    "SELECT by_view()": "read totals, read orders",
    "SELECT elsewhere()": "read orders",
    "SELECT twofold(1)": "read orders",
    "SELECT 'a' ~~~ 'b'": "read customers",
    "SELECT 'a' OPERATOR(public.~~~) 'b'": "read customers",
    "SELECT 'a' ~~~ ANY (ARRAY['b'])": "read customers",
    "SELECT email FROM mails": "read mails, read orders, read customers",
    "INSERT INTO customers SELECT 1, email_of(2)": "insert customers, read customers",
    "SELECT c.label FROM customers c": "read customers",
}


@pytest.mark.parametrize(("sql", "expected"), USES.items(), ids=str)
def test_what_a_function_in_sql_uses_is_used(reading: Reading, sql: str, expected: str) -> None:
    assert reading.uses(sql) == {use for use in expected.split(", ") if use}
    assert reading.unknown(sql) == set()


def test_a_body_is_resolved_with_its_own_search_path(reading: Reading) -> None:
    assert [use.schema for use in reading.facts("SELECT elsewhere()").relations] == ["apart"]


KINDS = {
    "SELECT email_of(1)": "read",
    "SELECT writing(1)": "read write",
    "SELECT * FROM atomic(1)": "read write",
    "SELECT n FROM counting": "read write",
}


@pytest.mark.parametrize(("sql", "kinds"), KINDS.items(), ids=str)
def test_a_body_that_writes_makes_the_statement_a_write(reading: Reading, sql: str, kinds: str) -> None:
    assert reading.kinds(sql) == set(kinds.split())


def test_a_body_that_writes_is_not_bounded_by_a_key(reading: Reading) -> None:
    """It may be called for every row."""
    facts = reading.facts("SELECT atomic(id) FROM orders")
    assert (facts.by_key, facts.rows_inserted) == (False, None)


UNKNOWN = {
    "SELECT opaque(1)": "public.opaque()",
    "SELECT calling_opaque()": "public.opaque()",
    "SELECT reading_a_file()": "pg_catalog.pg_read_file()",
    "SELECT other_rules()": "public.other_rules()",
    "SELECT whose()": "public.whose()",
    "SELECT again(1)": "public.again()",
    "SELECT ping(1)": "public.ping()",
    "SELECT 'a' !~~~ 'b'": "operator !~~~",
    "SELECT 'a' OPERATOR(public.====) 'b'": "operator public.====",
    "SELECT nowhere(1)": "nowhere()",
}


@pytest.mark.parametrize(("sql", "what"), UNKNOWN.items(), ids=str)
def test_what_cannot_be_read_in_full_is_not_understood(reading: Reading, sql: str, what: str) -> None:
    assert what in reading.unknown(sql)


def test_functions_that_call_each_other_stay_closed_whichever_comes_first(reading: Reading) -> None:
    for sql in ("SELECT pong(1)", "SELECT ping(1)", "SELECT pong(1)"):
        assert reading.unknown(sql)


@pytest.mark.parametrize(
    "sql", ["SELECT quick()", "SELECT 1 === 2", "SELECT id FROM orders WHERE id = 1 AND total <> 2"]
)
def test_what_only_computes_is_understood(reading: Reading, sql: str) -> None:
    assert reading.unknown(sql) == set()


def test_hazards_of_a_body_are_the_statements(reading: Reading) -> None:
    assert "delete-without-where" in reading.facts("SELECT writing(1)").hazard_codes
    assert "file-access" in reading.facts("SELECT reading_a_file()").hazard_codes
    assert "security-definer" in reading.facts("SELECT as_another()").hazard_codes


def test_a_function_comes_with_what_the_catalogue_says_of_it(reading: Reading) -> None:
    (use,) = (use for use in reading.facts("SELECT as_another()").functions if use.schema == "public")
    assert (use.volatility, use.language, use.security_definer) == ("v", "sql", True)


def test_bodies_are_there_for_masking(reading: Reading) -> None:
    name: RelationName = ("public", "atomic")
    bodies = analyse("SELECT atomic(1)", reading.catalogue).bodies
    assert [type(body.parsed.statement).__name__ for body in bodies[name]] == ["UpdateStmt", "SelectStmt"]


def test_a_body_inside_a_body_or_a_view_is_there_for_masking(reading: Reading) -> None:
    for sql in ("SELECT nesting(1)", "SELECT email FROM mails"):
        analysis = analyse(sql, reading.catalogue)
        inner = [*analysis.bodies.values(), *(b for view in analysis.views.values() for b in view.bodies.values())]
        assert any(use.name == "customers" for bodies in inner for body in bodies for use in body.facts.relations)


SETTINGS = {
    "SELECT current_setting('server_version')": True,
    "SELECT pg_catalog.current_setting('TimeZone', true)": True,
    "SELECT current_setting('countersign.key')": False,
    "SELECT current_setting(email) FROM customers": False,
    "SELECT current_setting($1)": False,
    "SELECT set_config('extra_float_digits', '3', false)": True,
    "SELECT set_config('extra_float_digits', '3', false), id FROM customers": True,
    "SELECT set_config('search_path', '', false), id FROM customers": False,
    "SELECT set_config('search_path', 'apart', false) FROM customers": False,
    "SELECT set_config('role', 'postgres', false)": False,
    "SELECT set_config('application_name', email, false) FROM customers": False,
}


@pytest.mark.parametrize(("sql", "understood"), SETTINGS.items(), ids=str)
def test_settings_are_read_and_set_by_name_where_that_is_harmless(reading: Reading, sql: str, understood: bool) -> None:
    facts = reading.facts(sql)
    assert (not facts.unknown and "session-escape" not in facts.hazard_codes) is understood


def test_setting_is_a_matter_of_the_session(reading: Reading) -> None:
    assert "session" in reading.kinds("SELECT set_config('extra_float_digits', '3', false)")
    assert reading.kinds("SELECT current_setting('server_version')") == {"read"}


def test_a_body_is_read_once_for_a_catalogue(reading: Reading) -> None:
    first, second = (analyse(f"SELECT email_of({n})", reading.catalogue).bodies for n in (1, 2))
    assert first["public", "email_of"][0] is second["public", "email_of"][0]
