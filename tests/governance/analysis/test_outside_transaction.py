"""What PostgreSQL runs only outside transactions is marked so, and stands alone in its text."""

from __future__ import annotations

import pytest

from governance.analysis.analyse import analyse_script
from governance.analysis.facts import Facts
from governance.catalogue.model import Catalogue, Column, Relation, RelationKind

COLUMNS = (Column("id", "integer", "integer"), Column("made", "date", "date"))
CATALOGUE = Catalogue(
    1,
    ("public",),
    {
        ("public", "orders"): Relation("public", "orders", RelationKind.TABLE, COLUMNS),
        ("public", "events"): Relation("public", "events", RelationKind.PARTITIONED, COLUMNS),
    },
)


def facts(sql: str) -> Facts:
    return analyse_script(sql, CATALOGUE).facts


OUTSIDE = (
    "CREATE INDEX CONCURRENTLY by_day ON orders (made)",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS by_id ON orders (id)",
    "DROP INDEX CONCURRENTLY by_day",
    "REINDEX INDEX CONCURRENTLY by_day",
    "REINDEX (CONNECTIONS, CONCURRENTLY) TABLE orders",
    "REINDEX TABLE events",
    "REINDEX SCHEMA public",
    "REINDEX DATABASE",
    "REINDEX SYSTEM",
    "VACUUM",
    "VACUUM orders",
    "VACUUM (FULL, ANALYZE) orders",
    "CLUSTER",
    "CLUSTER events USING by_day",
    "ALTER TABLE events DETACH PARTITION orders CONCURRENTLY",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "CREATE DATABASE other",
    "DROP DATABASE other",
    "CREATE TABLESPACE other LOCATION '/somewhere'",
    "DROP TABLESPACE other",
)
INSIDE = (
    "CREATE INDEX ON orders (made)",
    "DROP INDEX by_day",
    "REINDEX TABLE orders",
    "REINDEX (CONCURRENTLY off) TABLE orders",
    "REINDEX INDEX by_day",
    "ANALYZE orders",
    "CLUSTER orders USING by_day",
    "ALTER TYPE mood ADD VALUE 'calm'",
    "ALTER TABLE events DETACH PARTITION orders",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY orders",
    "DELETE FROM orders",
)


@pytest.mark.parametrize("sql", OUTSIDE)
def test_it_is_marked(sql: str) -> None:
    assert facts(sql).outside_transaction


@pytest.mark.parametrize("sql", INSIDE)
def test_what_runs_inside_one_is_not_marked(sql: str) -> None:
    assert not facts(sql).outside_transaction


@pytest.mark.parametrize("sql", OUTSIDE[:8])
def test_p1_it_must_be_alone_in_its_text(sql: str) -> None:
    for text in (f"{sql}; SELECT 1", f"SELECT 1; {sql}", f"BEGIN; {sql}; COMMIT", f"{sql}; {sql}"):
        assert "what runs outside transactions" in {unknown.what for unknown in facts(text).unknown}, text


def test_it_is_otherwise_understood() -> None:
    assert facts("CREATE INDEX CONCURRENTLY by_day ON orders (made)").unknown == ()
    assert facts("VACUUM orders").unknown == ()


@pytest.mark.parametrize("sql", ["ALTER SYSTEM SET archive_command = 'x'", "CREATE DATABASE other"])
def test_p1_what_reaches_beyond_the_database_stays_unread(sql: str) -> None:
    assert facts(sql).unknown
