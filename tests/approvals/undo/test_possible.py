"""What can be taken back exactly, and why the rest cannot; against a real catalogue."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.undo import Server, possible
from approvals.undo.values import Verb
from governance.analysis.analyse import analyse_script
from governance.catalogue.model import Catalogue
from tests.fixtures.databases import MakeTarget
from tests.governance.analysis.reading import catalogue_of

NOW, EARLIER = Server(180_000), Server(150_000)
SCHEMA = """
CREATE TABLE plain (id integer PRIMARY KEY, code text UNIQUE, note text, made text GENERATED ALWAYS AS (code || '!') STORED);
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
CREATE TABLE keyless (id integer, note text);
CREATE TABLE maybe (id integer UNIQUE, note text);
CREATE TABLE people (id integer PRIMARY KEY, note text);
CREATE TABLE pets (id integer PRIMARY KEY, owner integer REFERENCES people ON DELETE CASCADE);
CREATE TABLE old_people (born date) INHERITS (people);
CREATE TABLE log (id integer PRIMARY KEY, said text);
CREATE TABLE split (id integer PRIMARY KEY, note text) PARTITION BY RANGE (id);
CREATE TABLE split_low PARTITION OF split FOR VALUES FROM (0) TO (100);
CREATE TABLE secured (id integer PRIMARY KEY, note text);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE VIEW seen AS SELECT id, note FROM plain;
CREATE TABLE touched (id integer PRIMARY KEY, note text, at timestamptz);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON touched FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE told (id integer PRIMARY KEY, note text);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (1, 'x'); RETURN NULL; END $$;
CREATE TRIGGER tell AFTER DELETE ON told FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TABLE checked (id integer PRIMARY KEY, note text);
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN IF NEW.note = '' THEN RAISE 'no'; END IF; RETURN NULL; END $$;
CREATE TRIGGER look AFTER INSERT OR UPDATE ON checked FOR EACH ROW EXECUTE FUNCTION look();
CREATE FUNCTION noisy(integer) RETURNS text LANGUAGE sql AS 'INSERT INTO log VALUES ($1, ''called'') RETURNING said';
"""


@pytest.fixture(scope="module")
def catalogue(target_database: MakeTarget) -> Catalogue:
    return catalogue_of(target_database(SCHEMA))


def judge(catalogue: Catalogue, sql: str, server: Server = NOW) -> Any:
    return possible(analyse_script(sql, catalogue), server)


@pytest.mark.parametrize(
    ("sql", "verb"),
    [
        ("UPDATE plain SET note = 'x'", Verb.UPDATE),
        ("UPDATE ONLY plain AS p SET note = l.said FROM log l WHERE l.id = p.id RETURNING p.*", Verb.UPDATE),
        ("WITH few AS (SELECT 1 AS id) DELETE FROM plain USING few WHERE few.id = plain.id", Verb.DELETE),
        ("DELETE FROM plain WHERE note < random()::text", Verb.DELETE),
        ("INSERT INTO numbered (note) SELECT said FROM log", Verb.INSERT),
        ("INSERT INTO plain VALUES (1) ON CONFLICT DO NOTHING", Verb.INSERT),
        ("INSERT INTO plain VALUES (1) ON CONFLICT (id) DO UPDATE SET note = excluded.note", Verb.MERGE),
        ("MERGE INTO plain p USING log l ON p.id = l.id WHEN MATCHED THEN DELETE", Verb.MERGE),
        ("UPDATE plain SET code = 'other' WHERE id = 1", Verb.UPDATE),
        ("UPDATE plain SET id = 7 WHERE id = $1", Verb.UPDATE),
        ("UPDATE split SET id = id WHERE id = 3", Verb.UPDATE),
        ("DELETE FROM split_low", Verb.DELETE),
        ("UPDATE checked SET note = 'x'", Verb.UPDATE),
        ("DELETE FROM touched", Verb.DELETE),
        ("DELETE FROM pets", Verb.DELETE),
    ],
)
def test_changes_of_one_relation_with_a_key_can_be_taken_back(catalogue: Catalogue, sql: str, verb: Verb) -> None:
    found = judge(catalogue, sql)
    assert found.yes, found.why_not
    assert found.undoable.verb is verb


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT 1", "changes no rows"),
        ("UPDATE plain SET note = 'x'; UPDATE plain SET note = 'y'", "several statements"),
        ("TRUNCATE plain", "more than insert, update or delete"),
        ("DROP TABLE plain", "more than insert, update or delete"),
        ("UPDATE keyless SET note = 'x'", "no key"),
        ("UPDATE maybe SET note = 'x'", "no key"),
        ("UPDATE ONLY people SET note = 'x'", "no key"),
        ("DELETE FROM people", "foreign key"),
        ("INSERT INTO people VALUES (1, 'x')", "inherits"),
        ("UPDATE touched SET note = 'x'", "may change what is written back"),
        ("DELETE FROM told", "also changes public.log"),
        ("INSERT INTO told VALUES (1, 'x')", "does more than look"),
        ("UPDATE secured SET note = 'x'", "Row-level security"),
        ("UPDATE seen SET note = 'x'", "not understood"),
        (
            "WITH gone AS (DELETE FROM log RETURNING id) DELETE FROM plain USING gone WHERE gone.id = plain.id",
            "more than one",
        ),
        ("UPDATE plain SET note = noisy(id)", "also changes public.log"),
        ("UPDATE plain SET code = code || 'x'", "told apart, in more than one row"),
        ("UPDATE plain SET id = id + 1 WHERE id IN (1, 2)", "told apart, in more than one row"),
        ("UPDATE numbered SET id = DEFAULT WHERE id = 1", "identity"),
        ("UPDATE plain old SET note = 'x' RETURNING old.id, old.*", "OLD or NEW"),
        ("UPDATE plain SET note = pg_notify('a', 'b')::text", "not understood"),
    ],
)
def test_what_cannot_be_taken_back_says_why(catalogue: Catalogue, sql: str, why: str) -> None:
    found = judge(catalogue, sql)
    assert not found.yes
    assert why in found.why_not


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("MERGE INTO plain p USING log l ON p.id = l.id WHEN MATCHED THEN DELETE", "from PostgreSQL 18 on"),
        ("UPDATE plain SET id = 7 WHERE id = 1", "from PostgreSQL 18 on"),
        ("UPDATE plain SET note = 'x' WHERE random() < 0.5", "another value each time"),
    ],
)
def test_an_older_server_can_take_back_less(catalogue: Catalogue, sql: str, why: str) -> None:
    found = judge(catalogue, sql, EARLIER)
    assert not found.yes
    assert why in found.why_not
    assert judge(catalogue, sql).yes


def test_a_role_that_could_not_put_rows_back_is_told(catalogue: Catalogue) -> None:
    found = judge(catalogue, "DELETE FROM plain", Server(180_000, ("INSERT",)))
    assert "lacks INSERT on public.plain" in found.why_not


def test_what_is_computed_is_not_kept(catalogue: Catalogue) -> None:
    found = judge(catalogue, "DELETE FROM plain")
    assert [column.name for column in found.undoable.columns] == ["id", "code", "note"]
