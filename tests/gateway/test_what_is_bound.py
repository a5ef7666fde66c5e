"""An approval is bound to everything in the schema that decides what the statement does (P4), also at second hand."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from approvals import services as approvals
from approvals.states import State
from gateway import execution
from gateway.pipeline import submit
from governance.catalogue import store as catalogue_store
from tests.factories import ACTOR, Cast
from tests.fixtures.databases import TargetDatabase

pytestmark = pytest.mark.usefixtures("nobody_works")
DELETE = "DELETE FROM orders WHERE status = 'open'"
UPDATE = "UPDATE orders SET total = 1 WHERE status = 'open'"
LOGGING = """
CREATE TABLE log (line text);
CREATE FUNCTION line() RETURNS text LANGUAGE sql AS 'SELECT ''a''';
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN INSERT INTO log VALUES (TG_ARGV[0] || line()); RETURN OLD; END';
CREATE TRIGGER noting BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION note('a');
"""
SECURED = "ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON orders USING (status = 'open');"


class Case(NamedTuple):
    before: str
    sql: str
    change: str
    said: str


CASES = {
    "a view below a view": Case(
        "CREATE VIEW below AS SELECT * FROM orders WHERE status = 'open'; CREATE VIEW above AS SELECT id FROM below;",
        "DELETE FROM orders WHERE id IN (SELECT id FROM above)",
        "CREATE OR REPLACE VIEW below AS SELECT * FROM orders",
        "public.below: its definition as a view changed.",
    ),
    "an argument of a trigger": Case(
        LOGGING, DELETE,
        "CREATE OR REPLACE TRIGGER noting BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION note('b')",
        "public.orders: its row policies, triggers",
    ),
    "a trigger that is switched off": Case(LOGGING, DELETE, "ALTER TABLE orders DISABLE TRIGGER noting", "the trigger noting"),
    "a function that a trigger's function calls": Case(
        LOGGING, DELETE, "CREATE OR REPLACE FUNCTION line() RETURNS text LANGUAGE sql AS 'SELECT ''b'''",
        "The function public.line() changed.",
    ),
    "what a function does with NULL": Case(
        "CREATE FUNCTION is_due(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 IS NULL OR $1 = ''open'''",
        "DELETE FROM orders WHERE is_due(status)", "ALTER FUNCTION is_due(text) STRICT", "The function public.is_due(text)",
    ),
    "a row policy": Case(
        SECURED, DELETE, "ALTER POLICY mine ON orders USING (true)", "public.orders: its row policies, triggers",
    ),
    "row security that is forced": Case(
        SECURED, DELETE, "ALTER TABLE orders FORCE ROW LEVEL SECURITY", "public.orders: its row policies, triggers",
    ),
    "a domain's condition": Case(
        "CREATE DOMAIN state AS text CHECK (VALUE <> ''); ALTER TABLE orders ALTER status TYPE state;",
        UPDATE, "ALTER DOMAIN state ADD CHECK (length(VALUE) < 9)", "The type public.state changed.",
    ),
    "the order of an enum": Case(
        "CREATE TYPE step AS ENUM ('open', 'done'); ALTER TABLE orders ALTER status TYPE step USING status::step;",
        "DELETE FROM orders WHERE status > 'open'", "ALTER TYPE step ADD VALUE 'paid'", "The type public.step changed.",
    ),
    "a collation": Case(
        "", "DELETE FROM orders WHERE status < 'open'", 'ALTER TABLE orders ALTER status TYPE text COLLATE "C"',
        "public.orders: its row policies, triggers",
    ),
    "a generated column": Case(
        "ALTER TABLE orders ADD twice integer GENERATED ALWAYS AS (id * 2) STORED;", UPDATE,
        "ALTER TABLE orders DROP twice; ALTER TABLE orders ADD twice integer GENERATED ALWAYS AS (id * 3) STORED",
        "the column twice has another default, expression",
    ),
    "a partition": Case(
        "CREATE TABLE events (id integer, kind text) PARTITION BY LIST (kind);"
        "CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');",
        "DELETE FROM events WHERE kind <> 'z'",
        "CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b')",
        "It now also touches public.events_b.",
    ),
    "a child": Case("", DELETE, "CREATE TABLE more_orders () INHERITS (orders)", "It now also touches public.more_orders."),
    "a cascade behind a cascade": Case(
        "CREATE TABLE lines (id integer PRIMARY KEY, of integer REFERENCES orders ON DELETE CASCADE);"
        "CREATE TABLE notes (line integer REFERENCES lines);",
        DELETE, "ALTER TABLE notes ADD FOREIGN KEY (line) REFERENCES lines ON DELETE CASCADE",
        "It now also touches public.notes.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_p4_it_does_not_run_once_something_that_decides_what_it_does_has_changed(
    cast: Cast, shop: TargetDatabase, case: Case
) -> None:
    if case.before:
        shop.admin.execute(case.before)
        catalogue_store.synchronise(cast.datasource, actor=ACTOR)
    parked = submit(cast.submission(case.sql)).query.request
    assert parked is not None
    request = approvals.review(parked.pk, cast.principal(cast.rita), "approve", "")
    shop.admin.execute(case.change)
    assert execution.execute_request(request.pk) == State.DRIFTED
    request.refresh_from_db()
    assert case.said in " ".join(one["detail"] for one in request.drift)
