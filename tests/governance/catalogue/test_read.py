"""What is read from a real PostgreSQL, with everything in it that analysis depends on."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from governance.catalogue.encode import compare, decode, digest, encode
from governance.catalogue.model import Catalogue, Operator, Relation, RelationKind, Volatility
from governance.catalogue.read import read_catalogue
from tests.fixtures.databases import MakeTarget

SCHEMA = """
CREATE DOMAIN code AS varchar(20) CHECK (VALUE <> '');
CREATE DOMAIN short_code AS code;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE customers (
  id int PRIMARY KEY, email text UNIQUE, code short_code NOT NULL, mood mood,
  twice int GENERATED ALWAYS AS (id * 2) STORED, gone int
);
ALTER TABLE customers DROP COLUMN gone;
CREATE UNIQUE INDEX partial ON customers (code) WHERE id > 5;
CREATE UNIQUE INDEX expression ON customers (lower(email));
CREATE UNIQUE INDEX covering ON customers (mood) INCLUDE (code);
CREATE TABLE orders (
  id bigint PRIMARY KEY,
  customer_id int REFERENCES customers ON DELETE CASCADE ON UPDATE SET NULL,
  late int, UNIQUE (late) DEFERRABLE
);
CREATE VIEW buyers AS SELECT c.email, o.id FROM customers c JOIN orders o ON o.customer_id = c.id;
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, count(*) FROM orders GROUP BY 1;
CREATE TABLE events (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE animals (id int PRIMARY KEY);
CREATE TABLE cats () INHERITS (animals);
CREATE FUNCTION public.lower(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION secret() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN 1; END';
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER seen BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TRIGGER off BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touched();
ALTER TABLE orders DISABLE TRIGGER off;
CREATE RULE quiet AS ON DELETE TO animals DO INSTEAD NOTHING;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE TABLE "Odd.Name" ("a.b" jsonb, "c""d" int[]);
CREATE SEQUENCE numbers;
"""


@pytest.fixture(scope="module")
def session(target_database: MakeTarget) -> Iterator[psycopg.Connection]:
    target = target_database(SCHEMA)
    with psycopg.connect(target.dsn, autocommit=True) as session:
        yield session


@pytest.fixture(scope="module")
def catalogue(session: psycopg.Connection) -> Catalogue:
    return read_catalogue(session, ["public"])


def relation(catalogue: Catalogue, name: str) -> Relation:
    return catalogue.relations["public", name]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("customers", RelationKind.TABLE),
        ("events", RelationKind.PARTITIONED),
        ("buyers", RelationKind.VIEW),
        ("totals", RelationKind.MATERIALIZED_VIEW),
        ("numbers", RelationKind.SEQUENCE),
    ],
)
def test_each_sort_of_relation_is_read(catalogue: Catalogue, name: str, kind: RelationKind) -> None:
    assert relation(catalogue, name).kind is kind


def test_no_relation_of_postgresqls_own_is_read(catalogue: Catalogue) -> None:
    assert {schema for schema, _ in catalogue.relations} == {"public"}
    assert catalogue.schemas == {"public"}


def test_columns_keep_their_order_and_leave_out_the_dropped(catalogue: Catalogue) -> None:
    names = [column.name for column in relation(catalogue, "customers").columns]
    assert names == ["id", "email", "code", "mood", "twice"]


def test_a_domain_over_a_domain_is_unwrapped_with_its_modifier(catalogue: Catalogue) -> None:
    column = relation(catalogue, "customers").column("code")
    assert column
    assert (column.type, column.base_type) == ("public.short_code", "character varying(20)")
    assert column.not_null


def test_user_types_are_schema_qualified(catalogue: Catalogue) -> None:
    column = relation(catalogue, "customers").column("mood")
    assert column
    assert column.type == column.base_type == "public.mood"
    assert ("public", "mood") in catalogue.types


def test_generated_columns_are_marked(catalogue: Catalogue) -> None:
    assert [c.name for c in relation(catalogue, "customers").columns if c.generated] == ["twice"]


def test_keys_are_what_surely_bounds_a_row(catalogue: Catalogue) -> None:
    """Not a partial index, not one over an expression, not a deferrable one; an INCLUDEd column is no part of a key."""
    assert relation(catalogue, "customers").keys == (frozenset({"id"}), frozenset({"email"}), frozenset({"mood"}))
    assert relation(catalogue, "orders").keys == (frozenset({"id"}),)


def test_the_key_of_a_partitioned_table_bounds_its_rows(catalogue: Catalogue) -> None:
    assert relation(catalogue, "events").keys == (frozenset({"id", "at"}),)


def test_the_key_of_an_inheritance_parent_bounds_nothing(catalogue: Catalogue) -> None:
    assert relation(catalogue, "animals").keys == ()


def test_a_key_under_another_collation_bounds_nothing(target_database: MakeTarget) -> None:
    target = target_database(
        """CREATE TABLE t (name text COLLATE "POSIX"); CREATE UNIQUE INDEX ON t (name COLLATE "C")"""
    )
    with psycopg.connect(target.dsn, autocommit=True) as session:
        assert relation(read_catalogue(session, ["public"]), "t").keys == ()


def test_view_definitions_name_schemas_whatever_the_search_path(catalogue: Catalogue) -> None:
    definition = relation(catalogue, "buyers").definition or ""
    assert "public.customers" in definition
    assert "public.orders" in definition


def test_parents_are_read_for_partitions_and_children(catalogue: Catalogue) -> None:
    assert relation(catalogue, "events_2020").parents == (("public", "events"),)
    assert relation(catalogue, "cats").parents == (("public", "animals"),)


def test_foreign_keys_say_what_they_carry_on(catalogue: Catalogue) -> None:
    (key,) = relation(catalogue, "orders").foreign_keys
    assert (key.columns, key.target, key.target_columns) == (("customer_id",), ("public", "customers"), ("id",))
    assert (key.on_delete, key.on_update) == ("c", "n")


def test_only_enabled_user_triggers_count(catalogue: Catalogue) -> None:
    assert [trigger.name for trigger in relation(catalogue, "orders").triggers] == ["seen"]
    assert relation(catalogue, "customers").triggers == ()


def test_rules_and_row_security_are_marked(catalogue: Catalogue) -> None:
    assert relation(catalogue, "animals").has_rules
    assert not relation(catalogue, "buyers").has_rules
    assert relation(catalogue, "customers").row_security


def test_all_overloads_of_a_name_are_there(catalogue: Catalogue) -> None:
    assert {function.schema for function in catalogue.functions["lower"]} == {"pg_catalog", "public"}


def test_functions_say_how_they_run(catalogue: Catalogue) -> None:
    (secret,) = catalogue.functions["secret"]
    assert secret.security_definer
    assert (secret.language, secret.volatility, secret.kind) == ("plpgsql", Volatility.VOLATILE, "f")
    assert {function.kind for function in catalogue.functions["count"]} == {"a"}


def test_user_operators_are_named(catalogue: Catalogue) -> None:
    assert catalogue.operators == {"===": (Operator("public", "===", "integer", "integer", ("pg_catalog", "int4eq")),)}


def test_odd_names_are_kept_as_they_are(catalogue: Catalogue) -> None:
    assert [column.name for column in relation(catalogue, "Odd.Name").columns] == ["a.b", 'c"d']


def test_reading_leaves_no_transaction_and_no_setting_behind(session: psycopg.Connection) -> None:
    before = session.execute("SHOW search_path").fetchone()
    read_catalogue(session, ["public"])
    assert session.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert session.execute("SHOW search_path").fetchone() == before


def test_a_catalogue_survives_its_encoding(catalogue: Catalogue) -> None:
    import orjson

    assert decode(orjson.loads(orjson.dumps(encode(catalogue))), catalogue.version) == catalogue


def test_the_digest_tells_structure_and_overlooks_small_growth(
    session: psycopg.Connection, catalogue: Catalogue
) -> None:
    assert digest(read_catalogue(session, ["public"])) == digest(catalogue)
    session.execute("INSERT INTO orders VALUES (1), (2), (3); ANALYZE orders")
    grown = read_catalogue(session, ["public"])
    session.execute("INSERT INTO orders VALUES (4)")
    session.execute("DELETE FROM orders WHERE id = 1; ANALYZE orders")
    assert digest(read_catalogue(session, ["public"])) == digest(grown)


def test_a_changed_column_is_a_difference(session: psycopg.Connection, catalogue: Catalogue) -> None:
    session.execute("CREATE TABLE fresh (id int); ALTER TABLE cats ADD colour text")
    found = read_catalogue(session, ["public"])
    difference = compare(catalogue, found)
    assert (difference.added, difference.removed, difference.changed) == (("public.fresh",), (), ("public.cats",))
    assert digest(found) != digest(catalogue)
