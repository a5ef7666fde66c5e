"""What analysis and masking need of a catalogue, on a real database: extensions that only compute, computed columns."""

from __future__ import annotations

import psycopg
import pytest

from governance.analysis.analyse import analyse
from governance.catalogue.encode import decode, encode
from governance.catalogue.model import Catalogue
from governance.catalogue.propagate import propagate
from governance.catalogue.read import read_catalogue
from tests.fixtures.databases import MakeTarget

TABLES = """
CREATE TABLE orders (id integer PRIMARY KEY, total integer);
CREATE TABLE accounts (
    id integer PRIMARY KEY, iban text, name text, plain text,
    iban_lower text GENERATED ALWAYS AS (lower(iban)) STORED,
    shown text GENERATED ALWAYS AS (name || ' ' || iban) VIRTUAL,
    called text GENERATED ALWAYS AS (upper(name)) STORED,
    plain_upper text GENERATED ALWAYS AS (upper(plain)) STORED
);
CREATE TABLE savings (twice text GENERATED ALWAYS AS (iban || iban) STORED) INHERITS (accounts);
CREATE FUNCTION same(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR ~~~ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = same);
CREATE FUNCTION opaque(integer, integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
CREATE OPERATOR ~~~~ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = opaque);
CREATE FUNCTION keep(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE AGGREGATE first(integer) (SFUNC = keep, STYPE = integer);
"""


@pytest.fixture(scope="module")
def found(target_database: MakeTarget) -> Catalogue:
    database = target_database(TABLES)
    database.admin.execute("CREATE EXTENSION vector")
    with psycopg.connect(database.dsn, autocommit=True) as session:
        return read_catalogue(session, ["public"])


ORDINARY = (
    "SELECT id FROM orders WHERE id = 1 AND total < 5 AND total <> 3",
    "SELECT id, total + 1, total - 1, total * 2, 'a' || 'b' FROM orders WHERE total BETWEEN 1 AND 2",
    "SELECT CASE total WHEN 1 THEN 'x' END FROM orders a JOIN orders b USING (id, total)",
    "SELECT '[1,2]'::vector <-> '[1,3]'::vector, l2_distance('[1]', '[2]'), vector_dims('[1]'::vector)",
)


@pytest.mark.parametrize("sql", ORDINARY)
def test_an_extension_that_only_computes_does_not_close_its_operators(sql: str, found: Catalogue) -> None:
    assert analyse(sql, found).facts.unknown == ()


def test_an_operator_of_the_database_itself_is_judged_by_its_function(found: Catalogue) -> None:
    assert [operator.function for operator in found.operators["~~~"]] == [("public", "same")]
    assert analyse("SELECT 1 ~~~ 2", found).facts.unknown == ()
    assert analyse("SELECT 1 ~~~~ 2", found).facts.unknown


@pytest.mark.parametrize(
    ("sql", "understood"),
    [("SELECT avg(total), sum(total) FROM orders", True), ("SELECT first(total) FROM orders", False)],
)
def test_an_aggregate_is_judged_by_what_it_is_made_of(sql: str, understood: bool, found: Catalogue) -> None:
    """PostgreSQL lists every aggregate as internal and immutable."""
    assert (analyse(sql, found).facts.unknown == ()) is understood


def test_what_a_generated_column_is_computed_from_is_known(found: Catalogue) -> None:
    columns = {column.name: column.computed_from for column in found.relations["public", "accounts"].columns}
    assert {name: set(sources) for name, sources in columns.items() if sources} == {
        "iban_lower": {"iban"},
        "shown": {"name", "iban"},
        "called": {"name"},
        "plain_upper": {"plain"},
    }


def test_it_survives_being_stored(found: Catalogue) -> None:
    assert decode(encode(found), found.version) == found


def test_a_column_computed_from_a_classified_one_is_classified(found: Catalogue) -> None:
    classes = propagate(found, {("public", "accounts"): {"iban": "bank_account", "name": "person_name"}})
    computed = {"iban_lower": "secret", "shown": "secret", "called": "person_name"}
    assert classes["public", "accounts"] == {"iban": "bank_account", "name": "person_name"} | computed
    assert classes["public", "savings"] == classes["public", "accounts"] | {"twice": "secret"}


def test_a_computed_column_keeps_a_class_of_its_own(found: Catalogue) -> None:
    classes = propagate(found, {("public", "accounts"): {"iban": "bank_account", "iban_lower": "free_text"}})
    assert classes["public", "accounts"]["iban_lower"] == "free_text"
