"""The form of a statement that shows rows, on the servers that return both sides and on those that do not."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from approvals.impact.content import SampleRow
from gateway.measuring import asking, sampling
from gateway.pipeline import submit
from governance.assessment import Asking, assess
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase

OLD, NEW = 140_000, 180_000
SAME = [
    "DELETE FROM orders WHERE status = 'open'",
    "UPDATE orders SET total = total + 1, status = 'x' WHERE status = 'open'",
    "UPDATE orders AS o SET total = c.id FROM customers c WHERE c.id = o.customer_id RETURNING o.id, c.id",
    "INSERT INTO orders SELECT id + 100, customer_id, 1, status FROM orders",
    "WITH few AS (SELECT id FROM orders WHERE status = 'open') DELETE FROM orders WHERE id IN (SELECT id FROM few);",
    "UPDATE customers SET city = 'x', plan = NULL WHERE plan = 'none'",
    "INSERT INTO orders SELECT id, 1, 1, 'x' FROM orders ON CONFLICT (id) DO UPDATE SET status = excluded.status",
]
NEVER = [
    "WITH gone AS (DELETE FROM orders RETURNING id) DELETE FROM cards WHERE id IN (SELECT id FROM gone)",
    "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
    "ALTER TABLE orders ADD COLUMN note text",
]


def _asked(cast: Cast, sql: str) -> asking.Asked:
    query = submit(cast.submission(sql)).query
    return asking.ask(query, assess(cast.datasource, sql, Asking(cast.principal(cast.bot), "rest")))


def _rows(shop: TargetDatabase, showing: sampling.Showing, version: int) -> tuple[list[SampleRow], int]:
    with psycopg.connect(shop.admin_dsn) as session:
        answer: list[tuple[Any, ...]] = session.execute(showing.sql_for(version).encode()).fetchall()
        session.rollback()
    rows = sorted(sampling.rows_of(showing, answer), key=lambda row: [cell.column + str(cell) for cell in row.cells])
    return rows, sampling.count_of(answer)


@pytest.mark.parametrize("sql", SAME)
def test_older_servers_show_the_same_rows(cast: Cast, shop: TargetDatabase, nobody_works: None, sql: str) -> None:
    (showing,) = _asked(cast, sql).showings
    assert showing is not None
    (new_rows, new_count), (old_rows, old_count) = _rows(shop, showing, NEW), _rows(shop, showing, OLD)
    assert new_count == old_count
    if new_count <= sampling.MOST_ROWS:
        assert new_rows == old_rows


@pytest.mark.parametrize("sql", NEVER)
def test_what_has_no_such_form_is_not_shown(cast: Cast, nobody_works: None, sql: str) -> None:
    assert _asked(cast, sql).showings == (None,)


def test_older_servers_do_not_show_a_row_whose_key_changes(cast: Cast, nobody_works: None) -> None:
    (showing,) = _asked(cast, "UPDATE orders SET id = id + 1000").showings
    assert showing is not None
    assert showing.sql_for(NEW)
    assert not showing.sql_for(OLD)


def test_a_long_value_is_cut(cast: Cast, shop: TargetDatabase, nobody_works: None) -> None:
    (showing,) = _asked(cast, f"UPDATE orders SET status = '{'x' * 500}' WHERE status = 'open'").showings
    assert showing is not None
    rows, _ = _rows(shop, showing, NEW)
    status = next(cell for cell in rows[0].cells if cell.column == "status")
    assert status.after == "x" * 200 + "…"
