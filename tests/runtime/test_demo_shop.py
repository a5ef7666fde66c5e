"""The shop's rows are believable enough that validators take them, and the same on every machine."""

import hashlib
import re
from datetime import date

import pytest

from config.demo.shop import SENSITIVE
from config.demo.shop_rows import Row, Shop


@pytest.fixture(scope="module")
def tables() -> dict[str, list[dict[str, object]]]:
    return {name: named(columns, rows) for name, columns, rows in Shop().tables()}


def named(columns: str, rows: list[Row]) -> list[dict[str, object]]:
    names = columns.split(", ")
    return [dict(zip(names, row, strict=True)) for row in rows]


def luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def iban(account: str) -> bool:
    turned = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def test_there_are_some_fifty_thousand_rows(tables: dict[str, list[dict[str, object]]]) -> None:
    assert 45_000 <= sum(map(len, tables.values())) <= 55_000


def test_two_runs_make_the_same_rows(tables: dict[str, list[dict[str, object]]]) -> None:
    again = {name: named(columns, rows) for name, columns, rows in Shop().tables()}
    assert digest(again) == digest(tables)


def digest(tables: dict[str, list[dict[str, object]]]) -> str:
    return hashlib.sha256(repr(tables).encode()).hexdigest()


def test_card_numbers_and_bank_accounts_have_valid_checksums(tables: dict[str, list[dict[str, object]]]) -> None:
    assert all(luhn(str(card["card_number"])) for card in tables["payment_cards"])
    assert all(iban(str(employee["bank_account"])) for employee in tables["employees"])


def test_no_mail_address_can_belong_to_anybody(tables: dict[str, list[dict[str, object]]]) -> None:
    reserved = re.compile(r"[^@\s]+@(example\.(com|net|org)|shop\.example)")
    for table in ("customers", "employees"):
        assert all(reserved.fullmatch(str(row["email"])) for row in tables[table])


def test_every_order_totals_its_items(tables: dict[str, list[dict[str, object]]]) -> None:
    totals: dict[object, object] = {}
    for item in tables["order_items"]:
        totals[item["order_id"]] = totals.get(item["order_id"], 0) + item["quantity"] * item["unit_price"]  # type: ignore[operator]
    assert all(order["total"] == totals[order["id"]] for order in tables["orders"])


def test_dates_do_not_depend_on_the_clock(tables: dict[str, list[dict[str, object]]]) -> None:
    assert max(order["placed_at"].date() for order in tables["orders"]) <= date(2026, 9, 30)  # type: ignore[attr-defined]


def test_every_classified_column_is_one_that_is_filled(tables: dict[str, list[dict[str, object]]]) -> None:
    for target in SENSITIVE:
        _, table, column = target.split(".")
        assert all(row[column] for row in tables[table])
