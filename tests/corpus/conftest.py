"""Two shops that look alike through masks and hold different secrets, and one agent that attacks both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from gateway.drivers import DRIVERS
from governance import assessment
from tests.corpus.attempts import Shop
from tests.factories import make_cast, make_datasource
from tests.fixtures.databases import RESTORE, MakeTarget, _empty_redis

SHOP = (Path(__file__).parent / "shop.sql").read_text()
TPCH = (Path(__file__).parent / "tpch.sql").read_text()
# What is masked away differs in every way: letters, order, length. What masks keep (domains, last digits, years) is equal.
ALDER = {
    "name": "Alderqz", "mail": "alderqz.", "dial": "+46701234", "month": 3, "day": 14, "cents": 111, "digits": "411111111111",
    "code": "wqx", "iban": "SE3550000000054910",
}  # fmt: skip
BIRCH = {
    "name": "Birchvkx", "mail": "zz.birchvkx", "dial": "+4917598765", "month": 11, "day": 27, "cents": 7272,
    "digits": "555555444433", "code": "jkv", "iban": "DE8937040044053201",
}  # fmt: skip
CLASSES = {
    "public.customers.name": "person_name",
    "public.customers.email": "email",
    "public.customers.phone": "phone",
    "public.customers.born": "date_of_birth",
    "public.customers.income": "salary",
    "public.cards.number": "card_number",
    "public.cards.cvv": "card_security_code",
    "public.people.secret_name": "person_name",
    "public.events.token": "secret",
    "public.accounts.iban": "bank_account",
}


@pytest.fixture(scope="module")
def committed_control_db(_control_database: str, django_db_blocker: Any) -> Iterator[str]:
    """`control_db`, kept for a whole module: the statements of a corpus do not depend on each other's records."""
    with django_db_blocker.unblock():
        yield _control_database
        connection.close()
    with psycopg.connect(_control_database, autocommit=True) as session:
        session.execute(RESTORE)
    _empty_redis()


@pytest.fixture(scope="module")
def shops(committed_control_db: str, target_database: MakeTarget) -> Iterator[tuple[Shop, Shop]]:
    """The same shop twice, on production, with other secrets."""
    assessment.forget()
    databases = [target_database(SHOP.format_map({"marks": "values", **marks})) for marks in (ALDER, BIRCH)]
    cast = make_cast(databases[0].dsn, name="alder", classes=CLASSES)
    twin = replace(cast, datasource=make_datasource(databases[1].dsn, name="birch", classes=CLASSES))
    yield (
        Shop(cast, databases[0], secrets_of(ALDER)),
        Shop(twin, databases[1], secrets_of(BIRCH)),
    )
    for driver in DRIVERS.values():
        driver.close()


@pytest.fixture(scope="module")
def shop(shops: tuple[Shop, Shop]) -> Shop:
    return shops[0]


@pytest.fixture(scope="module")
def tpch(shop: Shop, target_database: MakeTarget) -> Shop:
    """TPC-H on production, with nothing classified."""
    database = target_database(TPCH)
    return Shop(replace(shop.cast, datasource=make_datasource(database.dsn, name="tpch", classes={})), database, ())


def secrets_of(marks: dict[str, Any]) -> tuple[str, ...]:
    """What must never be seen, in any part that tells it apart."""
    return (
        marks["name"].lower(), marks["mail"].strip(".").lower(), marks["dial"].lstrip("+")[:8], marks["digits"],
        marks["code"], marks["iban"].lower(), f"-{marks['month']:02}-{marks['day']:02}", str(10000 + marks["cents"]),
    )  # fmt: skip
