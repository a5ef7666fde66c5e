"""What else a write does: triggers, foreign keys, defaults, checks, domains, casts."""

from __future__ import annotations

import pytest

from tests.fixtures.databases import MakeTarget
from tests.governance.analysis.reading import Reading, catalogue_of

SCHEMA = """
CREATE TABLE log (id integer GENERATED ALWAYS AS IDENTITY, what text, at timestamptz DEFAULT now());
CREATE TABLE counts (name text PRIMARY KEY, n integer);
CREATE TABLE far (id integer);

CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.at := now(); NEW."weird name" = upper(NEW.name); RETURN NEW; END $$;
CREATE FUNCTION record() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE found_row counts%ROWTYPE; n integer := 0;
BEGIN
  IF TG_OP = 'DELETE' THEN INSERT INTO log (what) VALUES (OLD.name); RETURN OLD; END IF;
  FOR found_row IN SELECT * FROM counts LOOP n := n + found_row.n; END LOOP;
  INSERT INTO log (what) VALUES (row_to_json(NEW)::text);
  UPDATE counts SET n = counts.n + 1 WHERE name = NEW.name;
  RETURN NEW;
EXCEPTION WHEN others THEN RAISE EXCEPTION 'no: %', SQLERRM;
END $$;
CREATE FUNCTION on_counts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO far VALUES (1); RETURN NULL; END $$;
CREATE FUNCTION dynamic() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM ' || TG_ARGV[0]; RETURN NEW; END $$;
CREATE FUNCTION indirect() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM helper(1); RETURN NEW; END $$;
CREATE FUNCTION helper(integer) RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO far VALUES (2); END $$;
CREATE FUNCTION sweeping() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM far; RETURN NEW; END $$;
CREATE FUNCTION notifying() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_notify('a', NEW.id::text); RETURN NEW; END $$;
CREATE FUNCTION round_trip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE circle SET id = 2; RETURN NEW; END $$;
CREATE FUNCTION picky(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN $1 > ''; END $$;

CREATE TABLE people (id integer PRIMARY KEY, name text, "weird name" text, at timestamptz);
CREATE TRIGGER touch BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE audited (id integer PRIMARY KEY, name text);
CREATE TRIGGER record AFTER INSERT OR DELETE OR UPDATE OF name ON audited FOR EACH ROW EXECUTE FUNCTION record();
CREATE TRIGGER on_counts AFTER UPDATE ON counts FOR EACH STATEMENT EXECUTE FUNCTION on_counts();
CREATE TABLE dynamics (id integer PRIMARY KEY);
CREATE TRIGGER dynamic AFTER INSERT ON dynamics FOR EACH ROW EXECUTE FUNCTION dynamic('far');
CREATE TABLE indirects (id integer);
CREATE TRIGGER indirect AFTER INSERT ON indirects FOR EACH ROW EXECUTE FUNCTION indirect();
CREATE TABLE sweepings (id integer);
CREATE TRIGGER sweeping AFTER INSERT ON sweepings FOR EACH ROW EXECUTE FUNCTION sweeping();
CREATE TABLE notifyings (id integer);
CREATE TRIGGER notifying AFTER INSERT ON notifyings FOR EACH ROW EXECUTE FUNCTION notifying();
CREATE TABLE circle (id integer PRIMARY KEY);
CREATE TRIGGER round_trip AFTER UPDATE ON circle FOR EACH ROW EXECUTE FUNCTION round_trip();
CREATE TABLE picked (id integer, name text);
CREATE TRIGGER picky AFTER INSERT ON picked FOR EACH ROW WHEN (NEW.id > 1 AND picky(NEW.name)) EXECUTE FUNCTION touch();
CREATE TRIGGER plain_when AFTER UPDATE ON picked FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
  EXECUTE FUNCTION touch();
CREATE TABLE searched (id integer, body text, found tsvector);
CREATE TRIGGER search BEFORE INSERT ON searched FOR EACH ROW
  EXECUTE FUNCTION tsvector_update_trigger(found, 'pg_catalog.english', body);

CREATE TABLE events (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TRIGGER of_a_partition AFTER INSERT OR DELETE ON events_2020 FOR EACH ROW EXECUTE FUNCTION on_counts();
CREATE TABLE animals (id integer PRIMARY KEY);
CREATE TABLE cats (id integer PRIMARY KEY) INHERITS (animals);
CREATE TABLE kittens (id integer, cat integer REFERENCES cats ON DELETE CASCADE);
CREATE TABLE parents (id integer PRIMARY KEY, other integer UNIQUE);
CREATE TABLE children (
  id integer, parent integer DEFAULT 0 REFERENCES parents ON DELETE SET DEFAULT,
  other integer REFERENCES parents (other) ON UPDATE CASCADE
);
CREATE TRIGGER record AFTER UPDATE ON children FOR EACH ROW EXECUTE FUNCTION on_counts();

CREATE FUNCTION newest() RETURNS integer LANGUAGE sql AS 'SELECT max(id) FROM log';
CREATE FUNCTION stated() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN 1 + 2; END $$;
CREATE FUNCTION unstated() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE n integer; BEGIN EXECUTE 'SELECT 1' INTO n; RETURN n; END $$;
CREATE FUNCTION valid(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN EXECUTE 'SELECT 1'; RETURN true; END $$;
CREATE TABLE with_sql (id integer DEFAULT newest(), name text);
CREATE TABLE with_stated (id integer DEFAULT stated(), name text);
CREATE TABLE with_unstated (id integer DEFAULT unstated(), name text);
CREATE TABLE with_serial (id serial PRIMARY KEY, key uuid DEFAULT gen_random_uuid(), name text CHECK (length(name) < 9));
CREATE TABLE with_check (id integer, name text CHECK (valid(name)));
CREATE TABLE with_index (id integer, name text);
CREATE INDEX ON with_index ((valid(name)));
CREATE TABLE with_generated (id integer, name text, ok boolean GENERATED ALWAYS AS (valid(name)) STORED);
CREATE DOMAIN code AS text CHECK (valid(VALUE));
CREATE DOMAIN short_code AS code CHECK (VALUE <> '');
CREATE DOMAIN simple AS text CHECK (length(VALUE) < 5);
CREATE TABLE with_domain (id integer, code short_code);
CREATE TABLE with_simple (id integer, code simple);

CREATE TYPE pair AS (a integer, b integer);
CREATE FUNCTION pair_of(text) RETURNS pair LANGUAGE plpgsql AS $$ BEGIN RETURN (1, 2); END $$;
CREATE FUNCTION sum_of(pair) RETURNS integer LANGUAGE sql AS 'SELECT count(*)::integer FROM log';
CREATE CAST (text AS pair) WITH FUNCTION pair_of(text);
CREATE CAST (pair AS integer) WITH FUNCTION sum_of(pair) AS IMPLICIT;
CREATE TABLE pairs (id integer, pair pair);
CREATE VIEW simple_view AS SELECT id FROM people;
CREATE TABLE ruled (id integer);
CREATE RULE quiet AS ON DELETE TO ruled DO INSTEAD NOTHING;
"""


@pytest.fixture(scope="module")
def reading(target_database: MakeTarget) -> Reading:
    return Reading(catalogue_of(target_database(SCHEMA)))


HAZARDS = {
    "UPDATE people SET name = 'x' WHERE id = 1": "fires-trigger",
    "INSERT INTO people VALUES (1)": "",
    "DELETE FROM people WHERE id = 1": "",
    "INSERT INTO audited VALUES (1)": "fires-trigger",
    "UPDATE audited SET id = 2 WHERE id = 1": "",
    "UPDATE audited SET name = 'x' WHERE id = 1": "fires-trigger",
    "INSERT INTO dynamics VALUES (1)": "fires-trigger, opaque-trigger",
    "INSERT INTO indirects VALUES (1)": "fires-trigger",
    "INSERT INTO sweepings VALUES (1)": "fires-trigger, delete-without-where",
    "INSERT INTO notifyings VALUES (1)": "fires-trigger, side-effects",
    "UPDATE circle SET id = 1 WHERE id = 3": "fires-trigger, update-without-where",
    "INSERT INTO picked VALUES (1)": "fires-trigger, opaque-trigger",
    "UPDATE picked SET name = 'x' WHERE id = 1": "fires-trigger",
    "INSERT INTO searched VALUES (1)": "fires-trigger",
    "INSERT INTO events VALUES (1, '2020-01-01')": "fires-trigger",
    "UPDATE events SET at = '2020-02-02' WHERE id = 1 AND at = '2020-01-01'": "fires-trigger",
    "INSERT INTO audited VALUES (1) ON CONFLICT (id) DO UPDATE SET name = 'x'": "fires-trigger",
}


@pytest.mark.parametrize(("sql", "codes"), HAZARDS.items(), ids=str)
def test_triggers_that_a_write_fires_are_hazards_and_nothing_unread(reading: Reading, sql: str, codes: str) -> None:
    assert reading.facts(sql).hazard_codes == {code for code in codes.split(", ") if code}
    assert reading.unknown(sql) == set()


def test_what_a_trigger_reads_is_told_with_it(reading: Reading) -> None:
    messages = [hazard.message for hazard in reading.facts("INSERT INTO audited VALUES (1)").hazards]
    assert any("public.record(), which the trigger record" in one and "reads public.counts:" in one for one in messages)
    quiet = reading.facts("UPDATE people SET name = 'x' WHERE id = 1").hazards
    assert not any(" reads " in hazard.message for hazard in quiet)


USES = {
    "UPDATE people SET name = 'x' WHERE id = 1": "update people, read people",
    "INSERT INTO audited VALUES (1)": "insert audited, insert log, update counts, insert far",
    "DELETE FROM audited WHERE id = 1": "delete audited, read audited, insert log, update counts, insert far",
    "INSERT INTO indirects VALUES (1)": "insert indirects, insert far",
    "UPDATE circle SET id = 1 WHERE id = 3": "update circle, read circle",
    "INSERT INTO events VALUES (1, '2020-01-01')": "insert events, insert far",
    "DELETE FROM events WHERE id = 1 AND at = '2020-01-01'": "delete events, read events, insert far",
    "TRUNCATE parents": "truncate parents",
    "TRUNCATE parents CASCADE": "truncate parents, truncate children",
    "TRUNCATE animals": "truncate animals, truncate cats",
    "DELETE FROM animals WHERE id = 1": "delete animals, read animals, delete kittens",
    "DELETE FROM parents WHERE id = 1": "delete parents, read parents, update children, insert far",
    "UPDATE parents SET other = 1 WHERE id = 1": "update parents, read parents, update children, insert far",
    "UPDATE parents SET id = 1 WHERE id = 2": "update parents, read parents",
    "MERGE INTO parents p USING far f ON p.id = f.id WHEN MATCHED THEN DELETE":
        "insert parents, update parents, delete parents, read far, update children, insert far",
}  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), USES.items(), ids=str)
def test_what_a_write_brings_about_is_written_too(reading: Reading, sql: str, expected: str) -> None:
    assert reading.uses(sql) == set(expected.split(", "))


def test_a_write_by_key_stays_one_when_a_trigger_writes_more(reading: Reading) -> None:
    assert reading.facts("UPDATE audited SET name = 'x' WHERE id = 1").by_key


def test_functions_of_triggers_are_named(reading: Reading) -> None:
    assert reading.calls("INSERT INTO indirects VALUES (1)") == {"indirect", "helper"}


def test_a_trigger_is_the_same_whichever_write_came_first(reading: Reading) -> None:
    """What is kept of one reading must not lack what another was busy with."""
    fresh = Reading(reading.catalogue.__class__(**{
        name: getattr(reading.catalogue, name) for name in reading.catalogue.__slots__ if not name.startswith("_")
    }))  # fmt: skip
    for sql in reversed(list(USES)):
        assert fresh.uses(sql) == reading.uses(sql)


COMPUTED = {
    "INSERT INTO with_serial (name) VALUES ('x')": "",
    "INSERT INTO with_sql (name) VALUES ('x')": "",
    "INSERT INTO with_stated (name) VALUES ('x')": "",
    "INSERT INTO with_unstated (name) VALUES ('x')": "public.unstated()",
    "INSERT INTO with_unstated (id, name) VALUES (1, 'x')": "",
    "INSERT INTO with_unstated (id, name) VALUES (DEFAULT, 'x')": "public.unstated()",
    "UPDATE with_unstated SET name = 'x' WHERE id = 1": "",
    "UPDATE with_unstated SET id = DEFAULT WHERE id = 1": "public.unstated()",
    "INSERT INTO with_check VALUES (1, 'x')": "public.valid()",
    "UPDATE with_check SET name = 'x' WHERE id = 1": "public.valid()",
    "DELETE FROM with_check WHERE id = 1": "",
    "INSERT INTO with_index VALUES (1, 'x')": "public.valid()",
    "INSERT INTO with_generated VALUES (1, 'x')": "public.valid()",
    "SELECT ok FROM with_generated": "",
    "INSERT INTO with_domain VALUES (1, 'x')": "public.valid()",
    "SELECT code FROM with_domain": "",
    "SELECT 'x'::code": "public.valid()",
    "SELECT 'x'::public.short_code": "public.valid()",
    "SELECT CAST($1 AS code[])": "public.valid()",
    "INSERT INTO with_simple VALUES (1, 'x')": "",
    "SELECT 'x'::simple": "",
}


@pytest.mark.parametrize(("sql", "what"), COMPUTED.items(), ids=str)
def test_what_is_computed_for_a_row_is_understood_or_the_write_is_not(reading: Reading, sql: str, what: str) -> None:
    assert reading.unknown(sql) == ({what} if what else set())


def test_what_a_default_reads_is_read(reading: Reading) -> None:
    assert reading.uses("INSERT INTO with_sql (name) VALUES ('x')") == {"insert with_sql", "read log"}


CASTS = {
    "SELECT id FROM people WHERE id = 1": ("", ""),
    "SELECT 'x'::text": ("", ""),
    "SELECT 'x'::pair": ("public.pair_of()", "read log"),
    "SELECT id FROM pairs WHERE pair + 1 = 2": ("", "read log, read pairs"),
}


@pytest.mark.parametrize(("sql", "expected"), CASTS.items(), ids=str)
def test_casts_of_users_count_where_their_types_are_in_play(
    reading: Reading, sql: str, expected: tuple[str, str]
) -> None:
    what, uses = expected
    assert reading.unknown(sql) == ({what} if what else set())
    assert {use for use in uses.split(", ") if use} <= reading.uses(sql)


@pytest.mark.parametrize("sql", ["DELETE FROM simple_view WHERE id = 1", "DELETE FROM ruled WHERE id = 1"])
def test_writes_through_views_and_rules_are_not_followed(reading: Reading, sql: str) -> None:
    assert reading.unknown(sql)
