"""What a write does with sensitive columns of what it changes: such a column there is raw."""

from __future__ import annotations

import pytest

from governance.masking.errors import MaskingImpossible
from tests.governance.masking.masking import rewritten, sensitive

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
