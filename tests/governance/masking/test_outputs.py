"""Which columns of a result are told to be masked."""

from __future__ import annotations

import pytest

from governance.analysis.analyse import analyse_script
from governance.masking.outputs import asked_in
from tests.governance.analysis.shop import SHOP
from tests.governance.masking.masking import flags

FLAGS = {
    "SELECT id, email FROM customers": ("id email", (False, True)),
    "SELECT email AS city, city AS email FROM customers": ("city email", (True, False)),
    "SELECT lower(c.email) || 'x', count(*) FROM customers c GROUP BY 1": ("?column? count", (True, False)),
    "SELECT * FROM customers": ("id name email city", (False, True, True, False)),
    "SELECT c.*, 1 FROM customers c": ("id name email city ?column?", (False, True, True, False, False)),
    "SELECT c FROM customers c": ("c", (True,)),
    "SELECT c.city, row_to_json(c) FROM customers c": ("city row_to_json", (False, True)),
    "SELECT x.a FROM (SELECT email AS a FROM customers) x": ("a", (True,)),
    "SELECT x FROM (SELECT email FROM customers) x": ("x", (True,)),
    "WITH w(a, b) AS (SELECT id, email FROM customers) SELECT b FROM w": ("b", (True,)),
    "WITH w AS (SELECT email FROM customers) SELECT v.a FROM w AS v(a)": ("a", (True,)),
    "SELECT b FROM customers AS c(a, b)": ("b", (True,)),
    "SELECT f FROM customers c, generate_series(1, c.email) f": ("f", (True,)),
    "SELECT status FROM orders UNION SELECT email FROM customers": ("status", (True,)),
    "SELECT id, status FROM orders UNION SELECT id, email FROM customers": ("id status", (False, True)),
    "SELECT * FROM orders UNION ALL SELECT * FROM customers": ("id customer_id status total", (False, True, True, False)),
    "SELECT * FROM orders o JOIN customers c USING (id)":
        ("id customer_id status total name email city", (False, False, False, False, True, True, False)),
    "SELECT city FROM customers WHERE email = 'x'": ("city", (False,)),
    "SELECT city, x.* FROM customers, generate_series(1, id) x": ("city x", (False, False)),
    "SELECT city, x.*, id FROM customers, similarity(email, city) x": ("city a b id", (False, True, True, False)),
    "SELECT status FROM orders WHERE false": ("status status", (False, False)),
    "SELECT email FROM customers WHERE true": ("status status", (True, True)),
    "INSERT INTO orders (status) SELECT email FROM customers RETURNING status": ("status", (False,)),
    "WITH RECURSIVE t AS (SELECT id, name AS n FROM customers UNION ALL SELECT id, status FROM orders) SELECT n, id FROM t":
        ("n id", (True, False)),
    "SELECT mail FROM mails": ("mail", (True,)),
    "SELECT 1 AS id, mail AS x FROM nested": ("id x", (False, True)),
    "SELECT id, status FROM orders": ("id status", (False, False)),
    "VALUES ((SELECT email FROM customers))": ("column1", (True,)),
}  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), FLAGS.items(), ids=str)
def test_a_column_that_comes_from_masked_values_is_flagged(sql: str, expected: tuple[str, tuple[bool, ...]]) -> None:
    names, masked = expected
    assert flags(sql, *names.split()) == masked


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1; SELECT email FROM customers", 1),
        ("DECLARE c CURSOR FOR SELECT email FROM customers; SELECT 1; FETCH ALL FROM c", 0),
        ("PREPARE p AS SELECT 1; PREPARE q AS SELECT email FROM customers; EXECUTE p", 0),
    ],
)
def test_what_a_fetch_shows_was_asked_for_before(sql: str, expected: int) -> None:
    statements = analyse_script(sql, SHOP).statements
    assert asked_in(statements, len(statements) - 1) == expected
