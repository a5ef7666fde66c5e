"""Names in texts of several statements, against PostgreSQL itself: what is found is what the database finds."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from governance.analysis.analyse import analyse_script
from governance.catalogue.model import Catalogue
from governance.catalogue.read import read_catalogue
from tests.fixtures.databases import MakeTarget, TargetDatabase

TABLES = """
CREATE SCHEMA sales;
CREATE TABLE public.orders (id integer, note text);
CREATE TABLE sales.orders (id integer, total integer);
CREATE TABLE public.customers (id integer, email text);
CREATE VIEW public.mails AS SELECT email FROM public.customers;
"""
# What the driver sets before a statement; temporary relations come last.
PATH = "SELECT set_config('search_path', 'public, pg_temp', true)"
BEFORE = (
    "SELECT 1",
    "CREATE TEMP TABLE t AS SELECT * FROM customers",
    "CREATE TEMP TABLE orders (x integer)",
    "CREATE TEMP TABLE pg_class (x integer)",
    "CREATE TABLE t (LIKE customers)",
    "CREATE TABLE IF NOT EXISTS orders (x integer)",
    "CREATE TABLE t (id integer); ALTER TABLE t RENAME TO fresh",
    "CREATE TABLE t (id integer); ALTER TABLE t SET SCHEMA sales",
    "ALTER TABLE orders RENAME TO t",
    "DROP TABLE orders",
    "DROP TABLE orders; CREATE TEMP TABLE orders (id integer)",
    "DROP VIEW mails; CREATE TABLE mails (id integer)",
    "CREATE SCHEMA fresh; CREATE TABLE fresh.t (id integer)",
    "SET search_path = sales, public",
    "SET search_path = sales, public, pg_temp; CREATE TEMP TABLE orders (id integer); CREATE TABLE t (id integer)",
    "SET search_path = pg_temp, sales; CREATE TEMP TABLE orders (id integer)",
    "SET search_path = pg_temp, public; CREATE TABLE t (id integer)",
    "SET search_path = pg_catalog, sales",
    "SET search_path = ''",
    "SELECT set_config('search_path', 'sales', false)",
    "SET search_path = sales; DROP TABLE orders",
    "CREATE TEMP TABLE t (id integer); CREATE VIEW v AS TABLE t",
    "CREATE VIEW v (a) AS SELECT id FROM orders",
    "CREATE TEMP VIEW v AS SELECT * FROM sales.orders",
    "SELECT id INTO TEMP t FROM orders UNION SELECT id FROM customers",
    "CREATE SEQUENCE v",
)
NAMES = (
    "orders",
    "t",
    "fresh",
    "v",
    "mails",
    "customers",
    "public.orders",
    "sales.orders",
    "sales.t",
    "pg_temp.orders",
    "pg_class",
)


@pytest.fixture(scope="module")
def shop(target_database: MakeTarget) -> TargetDatabase:
    return target_database(TABLES, owned=False)


@pytest.fixture(scope="module")
def found(shop: TargetDatabase) -> Catalogue:
    with psycopg.connect(shop.admin_dsn, autocommit=True) as session:
        return read_catalogue(session, ["public"])


@pytest.fixture
def session(shop: TargetDatabase) -> Iterator[psycopg.Connection]:
    """Rolled back, and without what a script would leave in it."""
    with psycopg.connect(shop.admin_dsn) as connection:
        connection.execute(PATH)
        yield connection
        connection.rollback()


def in_the_database(session: psycopg.Connection, name: str) -> tuple[str, str] | None:
    row = session.execute(
        "SELECT regexp_replace(nspname, '^pg_temp_.*', 'pg_temp'), relname FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace WHERE c.oid = to_regclass(%s)",
        [name],
    ).fetchone()
    return (row[0], row[1]) if row else None


def in_the_analysis(before: str, name: str, found: Catalogue) -> tuple[str, str] | None:
    last = analyse_script(f"{before}; TABLE {name}", found).statements[-1]
    if last.facts.unknown:
        return None
    relations = [use for use in last.facts.relations if use.name == name.rpartition(".")[2]]
    return (relations[0].schema, relations[0].name)


@pytest.mark.parametrize("before", BEFORE)
def test_a_name_that_is_found_is_the_one_that_the_database_takes(
    before: str, session: psycopg.Connection, found: Catalogue
) -> None:
    for statement in analyse_script(before, found).statements:
        session.execute(statement.parsed.sql.encode())
    for name in NAMES:
        ours = in_the_analysis(before, name, found)
        assert ours is None or ours == in_the_database(session, name), name


@pytest.mark.parametrize(
    ("before", "name"),
    [(BEFORE[0], "orders"), (BEFORE[1], "t"), (BEFORE[2], "orders"), (BEFORE[13], "orders"), (BEFORE[22], "v")],
)
def test_what_ordinary_texts_make_is_found(before: str, name: str, found: Catalogue) -> None:
    assert in_the_analysis(before, name, found) is not None


def test_a_view_of_the_text_gives_the_same_rows_where_its_definition_is_put_in_its_place(
    session: psycopg.Connection, found: Catalogue
) -> None:
    session.execute("INSERT INTO customers VALUES (1, 'a'), (2, 'b')")
    view = "CREATE VIEW v (who, email) AS SELECT id, c.email FROM ONLY customers c -- all of them\n"
    session.execute(view)
    (occurrence,) = analyse_script(f"{view}; TABLE v", found).statements[-1].occurrences
    inlined = session.execute(f"SELECT * FROM ({occurrence.relation.definition}) AS v ORDER BY who".encode())
    assert [column.name for column in inlined.description or ()] == ["who", "email"]
    assert inlined.fetchall() == session.execute("SELECT * FROM v ORDER BY who").fetchall()
