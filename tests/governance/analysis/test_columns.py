"""Which columns are read and for what, and what outputs are made from."""

from __future__ import annotations

import pytest

from governance.analysis.lineage import outputs_of
from tests.governance.analysis.shop import facts, read

# `clause relation.column`, without the columns that only identify rows.
CLAUSES = {
    "SELECT email FROM customers WHERE city = 'x'": "output customers.email, filter customers.city",
    "SELECT c.email FROM customers AS c": "output customers.email",
    "SELECT public.customers.email FROM customers": "output customers.email",
    "SELECT * FROM orders": "output orders.*",
    "SELECT c FROM customers c": "output customers.*",
    "SELECT count(*) FROM customers": "",
    "SELECT 1 FROM customers c JOIN orders o ON o.customer_id = c.id":
        "join customers.id, join orders.customer_id",
    "SELECT 1 FROM orders a JOIN orders b USING (id)": "join orders.id",
    "SELECT status FROM orders NATURAL JOIN items": "output orders.status",
    "SELECT product FROM items NATURAL JOIN (SELECT id AS order_id FROM orders) o":
        "output items.product, output orders.id, join items.order_id, join orders.id",
    "SELECT 1 FROM customers ORDER BY email": "order customers.email",
    "SELECT city AS email FROM customers ORDER BY email": "output customers.city, order customers.city",
    "SELECT city, id FROM customers ORDER BY 2": "output customers.city, output customers.id, order customers.id",
    "SELECT city, count(*) FROM customers GROUP BY city": "output customers.city, group customers.city",
    "SELECT lower(city) AS c FROM customers GROUP BY c": "output customers.city, group customers.city",
    "SELECT 1 FROM customers GROUP BY GROUPING SETS ((city), (email))": "group customers.city, group customers.email",
    "SELECT 1 FROM customers GROUP BY city HAVING max(email) > 'x'": "group customers.city, filter customers.email",
    "SELECT DISTINCT city FROM customers": "output customers.city, group customers.city",
    "SELECT DISTINCT ON (email) city FROM customers": "output customers.city, order customers.email",
    "SELECT city FROM customers EXCEPT SELECT status FROM orders":
        "output customers.city, output orders.status, group customers.city, group orders.status",
    "SELECT city FROM customers UNION ALL SELECT status FROM orders": "output customers.city, output orders.status",
    "SELECT count(*) OVER (PARTITION BY city ORDER BY email) FROM customers":
        "group customers.city, order customers.email",
    "SELECT count(*) OVER w FROM customers WINDOW w AS (ORDER BY email)": "order customers.email",
    "SELECT count(*) FILTER (WHERE email = 'x') FROM customers": "filter customers.email",
    "SELECT max(city ORDER BY email) FROM customers": "output customers.city, order customers.email",
    "SELECT 1 FROM orders LIMIT (SELECT max(id) FROM customers)": "filter customers.id",
    # What a sub-query gives counts for what the outer query does with it.
    "SELECT 1 FROM (SELECT email AS e FROM customers) x WHERE x.e = 'a'":
        "output customers.email, filter customers.email",
    "WITH w(e) AS (SELECT email FROM customers) SELECT 1 FROM w ORDER BY e":
        "output customers.email, order customers.email",
    "SELECT status FROM orders WHERE id IN (SELECT id FROM customers WHERE email = 'x')":
        "output orders.status, filter orders.id, filter customers.id, filter customers.email",
    "SELECT status FROM orders o WHERE EXISTS (SELECT * FROM customers c WHERE c.id = o.customer_id)":
        "output orders.status, filter customers.id, filter orders.customer_id",
    "SELECT status FROM orders o WHERE EXISTS (SELECT lower(email) FROM customers)":
        "output orders.status, filter customers.email",
    # Names mean what they mean where they stand.
    "SELECT (SELECT status) FROM customers, orders": "output orders.status",
    "SELECT (SELECT city FROM orders LIMIT 1) FROM customers": "output customers.city",
    "WITH customers AS (SELECT status AS email FROM orders) SELECT email FROM customers": "output orders.status",
    "SELECT email FROM customers AS c(a, b)": "output customers.email",
    "SELECT x FROM customers AS c(x)": "output customers.id",
    "SELECT j.b FROM (customers JOIN orders ON true) AS j(a, b)": "output customers.name",
    "SELECT x.city FROM orders, LATERAL (SELECT city FROM customers WHERE id = customer_id) x":
        "output customers.city, filter customers.id, filter orders.customer_id",
    "SELECT (c).email FROM customers c": "output customers.email",
    "SELECT (c.*).email FROM customers c": "output customers.email",
    "SELECT c.name FROM customers c": "output customers.name",
    # What is not known may be anything in sight.
    "SELECT unheard FROM customers, orders": "output customers.*, output orders.*",
    "SELECT f FROM customers, generate_series(1, id) f": "output customers.id",
    "SELECT ctid FROM orders": "output orders.ctid",
    # Writes
    "UPDATE customers SET city = email WHERE id = 1":
        "write customers.city, write customers.email, filter customers.id",
    "UPDATE orders SET (status, total) = (c.city, 1) FROM customers c WHERE c.id = customer_id":
        "write orders.status, write orders.total, write customers.city, filter customers.id, filter orders.customer_id",
    "DELETE FROM orders USING customers c WHERE c.email = 'x' RETURNING status":
        "filter customers.email, output orders.status",
    "INSERT INTO orders (status) SELECT city FROM customers WHERE email = 'x'":
        "write orders.status, write customers.city, filter customers.email",
    "INSERT INTO orders (id, status) VALUES (1, 'x')"
    " ON CONFLICT (id) DO UPDATE SET status = excluded.status || orders.total":
        "write orders.id, write orders.status, write orders.total, filter orders.id",
    "MERGE INTO orders o USING customers c ON c.id = o.customer_id"
    " WHEN MATCHED AND c.email = 'x' THEN UPDATE SET status = c.city":
        "join customers.id, join orders.customer_id, filter customers.email, write orders.status, write customers.city",
    "CREATE TABLE new AS SELECT email FROM customers": "write customers.email",
    "WITH w AS (DELETE FROM orders RETURNING status) SELECT * FROM w WHERE status = 'x'":
        "output orders.status, filter orders.status",
    # A view's columns are its own, and below them are those of what it reads.
    "SELECT 1 FROM mails WHERE mail = 'x'": "filter mails.mail, output customers.email, output customers.id",
}  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), CLAUSES.items(), ids=CLAUSES)
def test_each_column_is_told_with_its_clause(sql: str, expected: str) -> None:
    found = {f"{use.clause} {use.relation}.{use.column}" for use in facts(sql).columns}
    assert found == set(filter(None, expected.split(", ")))


# `name: sources`, with `=` before those of a value that is copied as it is.
OUTPUTS = {
    "SELECT email, lower(email), 1 FROM customers": "email: =email; lower: email; ?column?: ",
    "SELECT email::text, email::varchar(3) FROM customers": "email: =email; email: email",
    "SELECT o.*, c.city FROM customers c, orders o":
        "id: =id; customer_id: =customer_id; status: =status; total: =total; city: =city",
    "SELECT * FROM customers JOIN orders USING (id)":
        "id: =id id; name: =name; email: =email; city: =city; customer_id: =customer_id; status: =status; total: =total",
    "SELECT * FROM (SELECT city AS id FROM customers) a NATURAL JOIN orders":
        "id: =city id; customer_id: =customer_id; status: =status; total: =total",
    "SELECT email FROM customers UNION SELECT status FROM orders": "email: =email status",
    "SELECT email FROM customers UNION SELECT lower(status) FROM orders": "email: email status",
    "SELECT x.e FROM (SELECT email FROM customers) AS x(e)": "e: =email",
    "WITH a AS (SELECT email AS e FROM customers), b AS (SELECT e FROM a) SELECT e AS z FROM b": "z: =email",
    "WITH RECURSIVE t(a, b, c) AS (SELECT id, name, '' FROM customers UNION ALL SELECT a, city, b FROM t, customers)"
    " SELECT * FROM t":
        "a: =id; b: =city name; c: =city name",
    "WITH RECURSIVE b AS (SELECT * FROM a), a AS (SELECT email FROM customers) SELECT * FROM b": "email: =email",
    "WITH RECURSIVE t(a) AS (SELECT id FROM customers UNION SELECT a FROM t)"
    " SEARCH DEPTH FIRST BY a SET s CYCLE a SET c USING p SELECT s, c, p FROM t":
        "s: id; c: id; p: id",
    "VALUES ((SELECT max(email) FROM customers), 2)": "column1: email; column2: ",
    "SELECT c FROM customers c": "c: *",
    "SELECT array(SELECT email FROM customers)": "array: email",
    "SELECT CASE WHEN email = 'x' THEN city END FROM customers": "case: city email",
    "SELECT EXISTS (SELECT 1 FROM customers WHERE email = 'x')": "exists: email",
    "SELECT count(*) FILTER (WHERE email = 'x') FROM customers": "count: email",
    "SELECT rank() OVER w FROM customers WINDOW v AS (PARTITION BY city), w AS (v ORDER BY email)": "rank: city email",
    "SELECT coalesce(email, city), greatest(email), nullif(email, ''), current_date, row(email) FROM customers":
        "coalesce: city email; greatest: email; nullif: email; current_date: ; row: email",
    "DELETE FROM customers c RETURNING c.email, old.name, *":
        "email: =email; name: =name; id: =id; name: =name; email: =email; city: =city",
    "SELECT mail FROM nested": "mail: email",
    "SELECT mail FROM stored": "mail: =mail",
    "SELECT n FROM nested n": "n: email",
    "EXPLAIN SELECT email FROM customers WHERE city = 'x'": "QUERY PLAN: city email",
}  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), OUTPUTS.items(), ids=OUTPUTS)
def test_each_output_is_followed_to_what_is_stored(sql: str, expected: str) -> None:
    assert "; ".join(
        f"{output.name}: {'=' if output.lineage.copied and output.lineage.sources else ''}"
        f"{' '.join(sorted(column for _, _, column in output.lineage.sources))}"
        for output in outputs_of(read(sql))
    ) == expected  # fmt: skip


def test_a_recursion_that_moves_a_value_from_column_to_column_ends() -> None:
    columns = [f"c{number}" for number in range(30)]
    first = ", ".join(["email", *("''" for _ in columns[1:])])
    sql = (
        f"WITH RECURSIVE t({', '.join(columns)}) AS (SELECT {first} FROM customers"
        f" UNION ALL SELECT '', {', '.join(columns[:-1])} FROM t) SELECT c29 FROM t"
    )
    (output,) = outputs_of(read(sql))
    assert ("public", "customers", "email") in output.lineage.sources


def test_a_long_chain_of_unions_is_followed() -> None:
    sql = " UNION ALL ".join(["SELECT status FROM orders"] * 200 + ["SELECT email FROM customers"])
    (output,) = outputs_of(read(sql))
    assert {column for _, _, column in output.lineage.sources} == {"status", "email"}
