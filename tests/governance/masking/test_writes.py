"""What a write does with sensitive columns of what it changes: such a column there is raw."""

from __future__ import annotations

import pytest

from governance.masking.errors import MaskingImpossible
from governance.masking.writes import sensitive_hazards
from tests.governance.analysis.shop import read
from tests.governance.masking.masking import CLASSES, rewritten, sensitive

SENSITIVE = (
    "UPDATE customers SET city = email WHERE id = 1",
    "UPDATE customers SET city = customers.email WHERE id = 1",
    "UPDATE customers SET city = public.customers.email WHERE id = 1",
    "UPDATE customers c SET city = c::text WHERE id = 1",
    "UPDATE customers c SET city = (c).email WHERE id = 1",
    "UPDATE customers SET city = name(customers) WHERE id = 1",
    "UPDATE customers SET (city) = (SELECT email) WHERE id = 1",
    "UPDATE customers c SET city = (SELECT x.e FROM (SELECT c.email) AS x(e)) WHERE id = 1",
    "UPDATE customers c SET city = (SELECT x::text FROM (SELECT c.*) AS x) WHERE id = 1",
    "UPDATE customers SET city = 'x' WHERE id = 1 AND email LIKE 'a%'",
    "UPDATE customers SET city = 'x' FROM orders AS name WHERE customers.name = name.status",
    "UPDATE customers SET email = lower(email) WHERE id = 1",
    "DELETE FROM customers WHERE email = 'x'",
    "DELETE FROM customers USING orders o WHERE o.status = customers.name",
    "MERGE INTO customers c USING orders o ON c.email = o.status WHEN MATCHED THEN DELETE",
    "INSERT INTO customers (id, email) VALUES (1, 'x') ON CONFLICT (email) DO NOTHING",
    "INSERT INTO customers (id, email) VALUES (1, 'x') ON CONFLICT DO NOTHING",
    "INSERT INTO customers (id, email) VALUES (1, 'x') ON CONFLICT ON CONSTRAINT k DO NOTHING",
    "INSERT INTO customers VALUES (1) ON CONFLICT DO NOTHING",
    "INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET city = customers.email",
    "INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET city = 'x' WHERE customers.email = 'x'",
    "WITH w AS (DELETE FROM customers WHERE email = 'x') SELECT 1",
    "EXPLAIN DELETE FROM customers WHERE email = 'x'",
    "UPDATE customers SET city = 'x' FROM orders o WHERE o.id = customers.id AND email = o.status",
    "UPDATE customers c SET city = 'x' WHERE EXISTS (SELECT 1 FROM orders WHERE status = name)",
    "MERGE INTO customers c USING orders o ON c.id = o.id WHEN MATCHED THEN UPDATE SET city = email",
    "PREPARE p AS UPDATE customers SET city = email WHERE id = 1",
)
HARMLESS = (
    "UPDATE customers SET city = 'x' WHERE id = 1",
    "UPDATE customers SET email = 'x' WHERE id = 1",
    "UPDATE customers SET city = c.email FROM customers c WHERE customers.id = 1",
    "UPDATE customers SET city = 'x' WHERE id = 1 AND EXISTS (SELECT * FROM orders)",
    "UPDATE orders SET status = c.email FROM customers c WHERE orders.id = 1",
    "DELETE FROM customers WHERE id IN (SELECT c.id FROM customers c WHERE c.email = 'x')",
    "INSERT INTO customers (id, email) VALUES (1, 'x')",
    "INSERT INTO customers (id, email) VALUES (1, (SELECT email FROM customers WHERE id = 2))",
    "INSERT INTO customers (id, city) VALUES (1, 'x') ON CONFLICT DO NOTHING",
    "INSERT INTO customers (id, email) VALUES (1, 'x') ON CONFLICT (id) DO NOTHING",
    "INSERT INTO customers (id, city) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET city = excluded.city",
    "SELECT email FROM customers",
    "INSERT INTO customers (id, email) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET email = excluded.email",
    "UPDATE customers SET city = 'x' WHERE EXISTS (SELECT 1 FROM customers c WHERE c.email = 'x')",
    "UPDATE customers SET city = 'x' WHERE id IN (SELECT email::integer FROM (SELECT status AS email FROM orders) o)",
    "UPDATE customers SET city = 'x' WHERE id IN (WITH c AS (SELECT id AS email FROM orders) SELECT email FROM c)",
    "MERGE INTO customers c USING orders o ON c.id = o.id WHEN NOT MATCHED THEN INSERT (email) VALUES (o.status)",
)


@pytest.mark.parametrize("sql", SENSITIVE)
def test_a_write_that_a_sensitive_column_steers_is_told(sql: str) -> None:
    assert sensitive(sql)


@pytest.mark.parametrize("sql", HARMLESS)
def test_a_write_that_none_steers_is_not(sql: str) -> None:
    assert not sensitive(sql)


SHOWN = (
    "customers", "(customers).email", "old", "name(customers)", "(SELECT email)", "WITH (NEW AS n) n", "to_json(customers.*)",
    "row(new.*)", "(SELECT x FROM (SELECT customers.*) x)",
)  # fmt: skip


@pytest.mark.parametrize("returning", SHOWN)
@pytest.mark.parametrize(
    "elsewhere", ["true", "EXISTS (SELECT FROM orders AS old, items AS new, items AS o, items AS n)"]
)
def test_returning_what_cannot_be_masked_is_refused(returning: str, elsewhere: str) -> None:
    with pytest.raises(MaskingImpossible, match="RETURNING"):
        rewritten(f"UPDATE customers SET city = 'x' WHERE id = 1 AND {elsewhere} RETURNING {returning}")


MASKED_RETURNS = {
    "email": '(NULL::text) AS "email"',
    "lower(email)": "lower((NULL::text))",
    "old.email": '(NULL::text) AS "email"',
    "new.name AS x": "('[redacted]'::text) AS x",
    "WITH (OLD AS o) o.email": 'WITH (OLD AS o) (NULL::text) AS "email"',
    "id, email AS city": "id, (NULL::text) AS city",
    "(SELECT customers.email)": "(SELECT (NULL::text))",
    "public.customers.name": "('[redacted]'::text) AS \"name\"",
    "id + 1, city": "id + 1, city",
    "(SELECT count(*) FROM (SELECT * FROM orders) o)": "(SELECT count(*) FROM (SELECT * FROM orders) o)",
}


@pytest.mark.parametrize(("returning", "masked"), MASKED_RETURNS.items(), ids=str)
def test_returning_shows_masks(returning: str, masked: str) -> None:
    start = "UPDATE customers SET city = 'x' WHERE id = 1 RETURNING"
    assert rewritten(f"{start} {returning}") == f"{start} {masked}"


def test_a_star_of_several_relations_in_returning_is_refused() -> None:
    with pytest.raises(MaskingImpossible, match="RETURNING"):
        rewritten("UPDATE customers SET city = 'x' FROM orders o WHERE customers.id = 1 RETURNING *")


FILTERS = {
    "SELECT id FROM customers WHERE email = 'x'": ("email", 31),
    "SELECT id, email FROM customers ORDER BY email": ("email", 41),
    "SELECT count(*) FROM customers GROUP BY lower(name)": ("name", 46),
    "SELECT 1 FROM orders o JOIN customers c ON c.email = o.status": ("email", 43),
    "SELECT 1 FROM (SELECT email AS e FROM customers) x WHERE e = 'x'": ("email", 57),
    "SELECT count(*) FROM customers c GROUP BY c": ("*", 42),
    "SELECT id FROM mails WHERE mail = 'x'": ("email", 27),
}


@pytest.mark.parametrize(("sql", "expected"), FILTERS.items(), ids=FILTERS)
def test_a_read_that_a_sensitive_column_steers_is_told_with_its_place(sql: str, expected: tuple[str, int]) -> None:
    column, place = expected
    (hazard,) = sensitive_hazards(read(sql), CLASSES)
    assert (hazard.code, hazard.place) == ("sensitive-in-filter", place)
    assert f"public.customers.{column} " in hazard.message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT email FROM customers WHERE city = 'x'",
        "SELECT o.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE EXISTS (SELECT email FROM customers)",
        "WITH customers AS (SELECT status AS email FROM orders) SELECT 1 FROM customers WHERE email = 'x'",
        "SELECT city AS email FROM customers ORDER BY email",
    ],
)
def test_a_read_that_none_steers_is_not_told(sql: str) -> None:
    assert sensitive_hazards(read(sql), CLASSES) == ()
