"""Which columns get raw values of classified columns, statement by statement."""

from __future__ import annotations

from contextlib import suppress

import pytest

from governance.catalogue.propagate import Classes
from governance.masking.copies import copied_classes
from governance.masking.errors import MaskingImpossible
from governance.masking.plan import NOTHING, plan_masks
from tests.governance.analysis.shop import read
from tests.governance.masking.masking import CLASSES, MASKED

# `relation.column=class` for each class that the copy brings along.
COPIES = {
    "CREATE TABLE new AS SELECT id, email, lower(email) AS low, name FROM customers":
        "new.email=email new.low=secret new.name=person_name",
    "CREATE TABLE new (a, b) AS SELECT email FROM customers": "new.a=email",
    "CREATE TABLE other.new AS TABLE customers": "new.email=email new.name=person_name",
    "SELECT email AS e INTO new FROM customers": "new.e=email",
    "CREATE MATERIALIZED VIEW new AS SELECT mail FROM mails": "new.mail=secret",
    "CREATE TABLE new AS SELECT c FROM customers c": "new.c=secret",
    "CREATE TABLE new AS SELECT row_to_json(c) AS j, city FROM customers c": "new.j=secret",
    "CREATE TABLE new AS SELECT e FROM (SELECT email FROM customers UNION SELECT status FROM orders) x(e)": "new.e=email",
    "CREATE TABLE new AS SELECT email AS e FROM customers UNION SELECT name FROM customers": "new.e=secret",
    "CREATE TABLE new AS WITH w AS (SELECT name AS n FROM customers) SELECT upper(n) AS u FROM w": "new.u=person_name",
    "INSERT INTO orders (id, status) SELECT id, email FROM customers": "orders.status=email",
    "INSERT INTO orders SELECT id, 1, name FROM customers": "orders.status=person_name",
    "INSERT INTO orders (status) VALUES ((SELECT max(email) FROM customers))": "orders.status=secret",
    "INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET status = (SELECT email FROM customers LIMIT 1)":
        "orders.status=email",
    "INSERT INTO orders (id, status) SELECT 1, email FROM customers"
    " ON CONFLICT (id) DO UPDATE SET customer_id = length(excluded.status)":
        "orders.customer_id=secret orders.status=email",
    "UPDATE orders SET status = c.email FROM customers c WHERE c.id = customer_id": "orders.status=email",
    "UPDATE customers SET city = email": "customers.city=email",
    "UPDATE orders SET (status, total) = (SELECT name, 1 FROM customers LIMIT 1)":
        "orders.status=person_name orders.total=person_name",
    "MERGE INTO orders o USING customers c ON c.id = o.customer_id WHEN MATCHED THEN UPDATE SET status = c.email"
    " WHEN NOT MATCHED THEN INSERT (id, status) VALUES (c.id, c.name)": "orders.status=secret",
    "WITH w AS (INSERT INTO orders (status) SELECT email FROM customers RETURNING status) SELECT * FROM w":
        "orders.status=email",
    "WITH gone AS (DELETE FROM customers RETURNING *) INSERT INTO orders (status) SELECT email FROM gone":
        "orders.status=email",
    # Nothing is copied, or the class is there already.
    "CREATE TABLE new AS SELECT id, city FROM customers WHERE email = 'x' ORDER BY name": "",
    "CREATE TEMP TABLE new AS SELECT email FROM customers": "new.email=email",
    "CREATE VIEW new AS SELECT email FROM customers": "",
    "UPDATE customers SET email = lower(email)": "",
    "INSERT INTO customers (email) SELECT email FROM customers": "",
    "INSERT INTO orders (status) VALUES ('x')": "",
    "SELECT email FROM customers": "",
}  # fmt: skip


def copied(sql: str, classes: Classes = CLASSES, *, masked: bool = False) -> str:
    analysis = read(sql)
    plan = plan_masks(analysis, MASKED) if masked else NOTHING
    return " ".join(
        f"{name}.{place}={data_class}"
        for (_, name), places in sorted(copied_classes(analysis, classes, plan).items())
        for place, data_class in sorted(places.items())
    )


@pytest.mark.parametrize(("sql", "expected"), COPIES.items(), ids=COPIES)
def test_a_copy_brings_the_classes_along(sql: str, expected: str) -> None:
    assert copied(sql) == expected


@pytest.mark.parametrize("sql", [sql for sql, expected in COPIES.items() if expected and "customers SET" not in sql])
def test_masked_values_bring_no_classes(sql: str) -> None:
    with suppress(MaskingImpossible):  # then nothing is copied at all
        assert copied(sql, masked=True) == ""


def test_a_class_that_is_there_gives_way_to_a_stricter_one_only() -> None:
    sql = "INSERT INTO orders (status) SELECT email FROM customers"
    for there, expected in {"email": "", "secret": "", "person_name": "orders.status=secret"}.items():
        assert copied(sql, {**CLASSES, ("public", "orders"): {"status": there}}) == expected


def test_a_place_inside_json_is_copied_as_such_and_computed_as_a_secret() -> None:
    classes = {("public", "customers"): {"city:$.a": "email"}}
    assert copied("CREATE TABLE new AS SELECT city AS c FROM customers", classes) == "new.c:$.a=email"
    assert copied("CREATE TABLE new AS SELECT city || '' AS c FROM customers", classes) == "new.c=secret"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE new AS SELECT * FROM customers, similarity(email, '')",
        "CREATE TABLE new AS EXECUTE p",
    ],
)
def test_columns_that_cannot_be_named_are_not_filled(sql: str) -> None:
    with pytest.raises(MaskingImpossible, match="cannot be told"):
        copied(sql)
