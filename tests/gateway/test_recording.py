"""What the open part of a ledger entry holds: enough to find it by, never a value, never more than fits."""

from __future__ import annotations

import contextlib

import pytest

from audit.models import Entry
from gateway.pipeline import submit
from gateway.recording import fitting
from governance.catalogue import store
from governance.errors import GatewayError
from governance.models import Classification
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase

SECRET = "s3cr3t"
STATEMENTS = {
    "a string": f"SELECT '{SECRET}'",
    "a dollar-quoted string": f"SELECT $tag${SECRET}$tag$",
    "an escaped string": f"SELECT E'{SECRET}\\n'",
    "a Unicode string": f"SELECT U&'{SECRET}'",
    "a string in parts": f"SELECT 'a'\n'{SECRET}'",
    "a comment": f"SELECT 1 /* {SECRET} /* nested */ */ -- {SECRET}",
    "an IN list": f"SELECT id FROM customers WHERE city IN ('a', '{SECRET}')",
    "a typed constant": f"SELECT text '{SECRET}'",
    "a write": f"INSERT INTO orders VALUES (900, 1, 1, '{SECRET}')",
    "a parked write": f"UPDATE orders SET status = '{SECRET}'",
    "a denied statement": f"COPY orders TO PROGRAM '{SECRET}'",
    "a statement that is not understood": f"DO $$ {SECRET} $$",
    "a syntax error": f"SELECT '{SECRET}' FROM FROM '{SECRET}'",
    "a password": f"ALTER ROLE nobody PASSWORD '{SECRET}'",
    "an error that quotes it": f"SELECT '{SECRET}'::integer",
}


@pytest.mark.parametrize("sql", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_no_value_of_a_statement_is_in_the_open_part(cast: Cast, sql: str) -> None:
    with contextlib.suppress(GatewayError):
        submit(cast.submission(sql))
    headers = [bytes(entry.header) for entry in Entry.objects.filter(kind__startswith="statement")]
    assert headers
    assert not any(SECRET.encode() in header for header in headers)


def test_no_parameter_is_in_the_open_part(cast: Cast) -> None:
    submit(cast.submission("SELECT $1::text", params=(SECRET,)))
    assert not any(SECRET.encode() in bytes(entry.header) for entry in Entry.objects.all())


def test_a_list_is_cut_where_it_would_not_fit() -> None:
    assert fitting(["x" * 97] * 10, 300) == ["x" * 97] * 3
    assert fitting(["a", "b"]) == ["a", "b"]


def test_a_statement_over_very_many_wide_columns_is_recorded_and_runs(cast: Cast, shop: TargetDatabase) -> None:
    """Names of the greatest length, in letters of several bytes: together more than an entry holds."""
    names = [("å" * 30) + str(number) for number in range(60)]
    columns = ", ".join(f'"{name}" text' for name in names)
    tables = [f'"{"ö" * 30}{number}"' for number in range(10)]
    for table in tables:
        shop.admin.execute(f"CREATE TABLE {table} ({columns}); ALTER TABLE {table} OWNER TO {shop.role}")
    store.synchronise(cast.datasource, actor="test")
    Classification.objects.bulk_create(
        Classification(
            datasource=cast.datasource, schema="public", relation=table.strip('"'), column=name, data_class="email"
        )
        for table in tables
        for name in names
    )
    sql = " UNION ALL ".join(f"SELECT count(*) FROM {table}" for table in tables) + " -- " + "\x01" * 4000
    assert submit(cast.submission(sql)).query.row_count == 10
