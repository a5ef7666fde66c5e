"""What people with rights copy is classified before it is there: nobody without them ever sees it raw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from audit.models import Entry
from gateway.drivers import DRIVERS
from gateway.pipeline import submit
from governance import assessment
from governance.catalogue import store
from governance.errors import Denied, DriverFailed
from governance.models import Classification
from governance.policy import store as policy_store
from identity.models import Agent, User
from tests.factories import Cast, make_cast
from tests.fixtures.databases import TargetDatabase

# Everybody may do everything here but see what is classified: that is for group dba.
POLICIES = """
@id("all") permit (principal, action in [Action::"read", Action::"write", Action::"define"], resource);
@id("dba-sees") permit (principal in Group::"dba", action == Action::"unmask", resource);
@id("activate") permit (principal, action == Action::"activate", resource);
"""


@pytest.fixture
def cast(control_db: str, shop: TargetDatabase) -> Iterator[Cast]:
    assessment.forget()
    cast = make_cast(shop.dsn, environment="dev")
    policy_store.activate(POLICIES, author="tests")
    yield cast
    for driver in DRIVERS.values():
        driver.close()


def classes(relation: str) -> dict[str, str]:
    return dict(Classification.objects.filter(relation=relation).values_list("column", "data_class"))


def rows(cast: Cast, sql: str, who: User | Agent) -> list[Any]:
    outcome = submit(cast.submission(sql, who))
    assert outcome.content is not None
    return list(outcome.content["rows"])


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE taken AS SELECT id, email, upper(name) AS called FROM customers",
        "SELECT id, email, upper(name) AS called INTO taken FROM customers",
        "CREATE TABLE first AS SELECT * FROM customers;"
        " CREATE TABLE taken AS SELECT id, email, upper(name) AS called FROM first",
        "CREATE TEMP TABLE first AS SELECT * FROM customers;"
        " CREATE TABLE taken AS SELECT id, email, upper(name) AS called FROM first",
        "CREATE TABLE first (id int, mail text, called text); INSERT INTO first SELECT id, email, name FROM customers;"
        " UPDATE first SET called = upper(called); ALTER TABLE first RENAME mail TO email; ALTER TABLE first RENAME TO taken",
    ],
)
def test_a_new_copy_is_masked_for_those_without_rights(cast: Cast, shop: TargetDatabase, sql: str) -> None:
    submit(cast.submission(sql, cast.rita))
    assert classes("taken").items() >= {"email": "email", "called": "person_name"}.items()
    store.synchronise(cast.datasource, actor="tests")
    seen = "SELECT email, called FROM taken ORDER BY id LIMIT 1"
    assert shop.fetch(seen) == [("person1@example.com", "PERSON 1")]
    assert rows(cast, seen, cast.rita) == [["person1@example.com", "PERSON 1"]]
    assert rows(cast, seen, cast.bot) == [["***@example.com", "[redacted]"]]


def test_a_materialised_view_is_classified_like_what_it_stores(cast: Cast) -> None:
    submit(
        cast.submission("CREATE MATERIALIZED VIEW taken AS SELECT email, lower(email) AS low FROM customers", cast.rita)
    )
    assert classes("taken") == {"email": "email", "low": "secret"}


@pytest.mark.parametrize(
    ("definition", "seen"),
    [
        ("SELECT id, email FROM customers WHERE id = 1", [["1", "***@example.com"]]),
        (
            "SELECT id, upper(c.e) AS email FROM (SELECT id, email AS e FROM customers WHERE id = 1) c",
            [["1", "[redacted]"]],
        ),
    ],
)
def test_a_materialised_view_reads_masked(cast: Cast, definition: str, seen: list[Any]) -> None:
    submit(cast.submission(f"CREATE MATERIALIZED VIEW taken AS {definition}", cast.rita))
    assert rows(cast, "SELECT id::text, email FROM taken", cast.bot) == seen


@pytest.mark.parametrize(
    "definition",
    [
        "SELECT id FROM customers WHERE email LIKE 'p%'",
        "SELECT count(*) AS n FROM customers GROUP BY email",
        "SELECT DISTINCT email FROM customers",
        "SELECT email FROM customers UNION SELECT status FROM orders",
        "SELECT id, row_number() OVER (ORDER BY email) AS place FROM customers",
        "SELECT o.id FROM orders o JOIN customers c ON c.email = o.status",
    ],
)
def test_a_materialised_view_whose_rows_depend_on_masked_values_is_not_read(cast: Cast, definition: str) -> None:
    submit(cast.submission(f"CREATE MATERIALIZED VIEW taken AS {definition}", cast.rita))
    with pytest.raises(Denied, match="depends on values that are masked"):
        rows(cast, "SELECT * FROM taken", cast.bot)


def test_a_filled_column_is_masked_from_then_on(cast: Cast) -> None:
    read = "SELECT status FROM orders WHERE id = 1"
    assert rows(cast, read, cast.bot) == [["done"]]
    fill = "UPDATE orders SET status = c.email FROM customers c WHERE c.id = 1 AND orders.id = 1"
    submit(cast.submission(fill, cast.rita))
    assert rows(cast, read, cast.bot) == [["***@example.com"]]


def test_it_is_in_the_ledger_before_the_copy_is(cast: Cast) -> None:
    fill = "INSERT INTO orders (id, customer_id, total, status) SELECT 99, 1, 0, name FROM customers WHERE id = 1"
    submit(cast.submission(fill, cast.rita))
    kinds = list(Entry.objects.order_by("-index").values_list("kind", flat=True)[:3])
    assert kinds == ["statement.outcome", "classification.changed", "statement.intent"]


def test_a_masked_copy_needs_no_class(cast: Cast, shop: TargetDatabase) -> None:
    submit(cast.submission("CREATE TABLE taken AS SELECT email FROM customers WHERE id = 1", cast.bot))
    assert shop.fetch("SELECT email FROM taken") == [("***@example.com",)]
    assert classes("taken") == {}


def test_a_copy_to_where_the_class_is_changes_nothing(cast: Cast) -> None:
    statement = "UPDATE customers SET email = upper(email) WHERE id = 1"
    before = Entry.objects.filter(kind="classification.changed").count()
    submit(cast.submission(statement, cast.rita))
    assert Entry.objects.filter(kind="classification.changed").count() == before


def test_what_is_renamed_keeps_its_classes(cast: Cast, shop: TargetDatabase) -> None:
    shop.admin.execute(f"ALTER TABLE cards OWNER TO {shop.role}")
    for sql in ("ALTER TABLE cards RENAME cvv TO code", "ALTER TABLE cards RENAME TO carts"):
        submit(cast.submission(sql, cast.rita))
        store.synchronise(cast.datasource, actor="tests")
    assert classes("carts") == {"number": "card_number", "code": "card_security_code"}
    assert rows(cast, "SELECT number, code FROM carts ORDER BY id LIMIT 1", cast.bot) == [["************0001", None]]


def test_a_column_that_is_rewritten_from_classified_ones_gets_their_class(cast: Cast, shop: TargetDatabase) -> None:
    shop.admin.execute(f"ALTER TABLE cards ADD spare text; ALTER TABLE cards OWNER TO {shop.role}")
    store.synchronise(cast.datasource, actor="tests")
    submit(cast.submission("ALTER TABLE cards ALTER spare TYPE varchar(30) USING lower(number)"))
    assert classes("cards")["spare"] == "card_number"


def test_an_error_of_a_definition_quotes_no_raw_value(cast: Cast, shop: TargetDatabase) -> None:
    shop.admin.execute(f"ALTER TABLE cards OWNER TO {shop.role}")
    with pytest.raises(DriverFailed) as caught:
        submit(cast.submission("ALTER TABLE cards ALTER number TYPE date USING number::date"))
    assert "4111" not in caught.value.message
