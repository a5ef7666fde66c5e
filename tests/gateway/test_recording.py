"""What the open part of a ledger entry holds: enough to find it by, never a value, never more than fits."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from audit import ledger
from audit.models import Entry
from gateway.pipeline import check, submit
from gateway.recording import fitting
from governance.catalogue import store
from governance.errors import GatewayError, ServiceUnavailable
from governance.models import Classification
from governance.policy import store as store_policy
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


# --- Which classes of data ------------------------------------------------------------------------------------------


def newest(kind: str) -> dict[str, Any]:
    entry = Entry.objects.filter(kind=kind).order_by("-index").first()
    assert entry is not None
    return entry.fields


@pytest.mark.parametrize(
    ("sql", "classes"),
    [
        ("SELECT email FROM customers", ["email"]),
        ("SELECT count(*) FROM customers WHERE phone = 'x'", ["phone"]),
        ("SELECT c FROM customers c", ["date_of_birth", "email", "person_name", "phone"]),
        ("SELECT mail FROM customer_mail", ["email"]),
        ("INSERT INTO customers (id, name, email) VALUES (77, 'a', 'b')", ["email", "person_name"]),
        ("DELETE FROM cards WHERE id = 1", ["card_number", "card_security_code"]),
    ],
)
def test_the_classes_that_a_statement_touches_are_recorded_masked_or_not(
    cast: Cast, sql: str, classes: list[str]
) -> None:
    submit(cast.submission(sql))
    for kind in ("statement.intent", "statement.outcome"):
        assert newest(kind)["classes"] == classes
        assert "unmasked" not in newest(kind)


def test_a_statement_without_classified_columns_has_no_classes(cast: Cast) -> None:
    submit(cast.submission("SELECT id, total FROM orders"))
    assert "classes" not in newest("statement.intent")


def test_the_classes_that_a_principal_sees_unmasked_are_recorded(cast: Cast) -> None:
    permit = '@id("sees") permit (principal, action == Action::"unmask", resource in DataClass::"email");'
    store_policy.activate(f"{store_policy.default_text()}\n{permit}\n", author="test")
    submit(cast.submission("SELECT email, phone FROM customers"))
    assert newest("statement.outcome")["classes"] == ["email", "phone"]
    assert newest("statement.outcome")["unmasked"] == ["email"]


def test_who_writes_a_value_has_not_been_shown_one(cast: Cast) -> None:
    permit = '@id("sees") permit (principal, action == Action::"unmask", resource in DataClass::"email");'
    store_policy.activate(f"{store_policy.default_text()}\n{permit}\n", author="test")
    submit(cast.submission("INSERT INTO customers (id, name, email) VALUES (78, 'a', 'b')"))
    assert newest("statement.intent")["classes"] == ["email", "person_name"]
    assert "unmasked" not in newest("statement.intent")


def test_what_was_denied_names_its_classes_and_shows_none(cast: Cast) -> None:
    with pytest.raises(GatewayError):
        submit(cast.submission("DROP TABLE cards"))
    assert newest("statement.denied")["classes"] == ["card_number", "card_security_code"]
    assert "unmasked" not in newest("statement.denied")


def test_the_limits_and_filters_of_a_run_are_recorded(cast: Cast) -> None:
    permit = (
        '@id("bound") @limit_rows("5") @row_filter("id < 10")\n'
        'permit (principal == Agent::"analyst-bot", action == Action::"read", resource == Table::"shop.public.orders");'
    )
    store_policy.activate(f"{store_policy.default_text()}\n{permit}\n", author="test")
    submit(cast.submission("SELECT id FROM orders"))
    told = newest("statement.intent")["obligations"]
    assert told["max_rows"] == 5
    assert [one.split(" by ")[0] for one in told["row_filters"]] == ["public.orders"]


# --- Checks ---------------------------------------------------------------------------------------------------------


def test_a_check_is_recorded_with_its_verdict_and_runs_nothing(cast: Cast) -> None:
    check(cast.submission("DELETE FROM orders", purpose="trying"))
    entry = newest("statement.checked")
    assert (entry["verdict"], entry["principal"], entry["purpose"]) == ("review", "agent:analyst-bot", "trying")
    assert not Entry.objects.filter(kind__in=["statement.intent", "statement.parked"]).exists()


def test_a_check_of_what_cannot_be_read_is_recorded_too(cast: Cast) -> None:
    with pytest.raises(GatewayError) as refused:
        check(cast.submission("SELEC 1"))
    assert (newest("statement.checked")["code"], newest("statement.checked")["verdict"]) == (
        refused.value.code,
        "deny",
    )


def test_nothing_is_told_of_a_check_that_cannot_be_recorded(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ledger.LedgerUnavailable("down")

    monkeypatch.setattr(ledger, "append", fail)
    with pytest.raises(ServiceUnavailable, match="the check"):
        check(cast.submission("SELECT 1"))


def test_what_is_parked_has_shown_nothing_yet(cast: Cast) -> None:
    permit = '@id("sees") permit (principal, action == Action::"unmask", resource in DataClass::"email");'
    store_policy.activate(f"{store_policy.default_text()}\n{permit}\n", author="test")
    submit(cast.submission("UPDATE customers SET plan = 'free' RETURNING email"))
    assert newest("statement.parked")["classes"] == ["email"]
    assert "unmasked" not in newest("statement.parked")
