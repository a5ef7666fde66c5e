"""Columns as they are met: what must be proposed, and what must not."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from faker import Faker

from governance.masking.types import Family

TODAY = date(2026, 6, 1)
SIZE = 200
Make = Callable[[Faker, random.Random], Any]


def values_of(make: Make, size: int = SIZE) -> list[str]:
    """The same on every machine."""
    fake = Faker(["en_GB", "sv_SE", "de_DE"])
    fake.seed_instance(7)
    chance = random.Random(7)
    return [str(make(fake, chance)) for _ in range(size)]


def _luhn(digits: str) -> str:
    total = sum(sum(divmod(int(d) * (2 - at % 2), 10)) for at, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def _card(_: Faker, chance: random.Random) -> str:
    return _luhn("4" + "".join(chance.choices("0123456789", k=14)))


def _national(country: str, method: str = "ssn") -> Make:
    local = Faker(country)
    local.seed_instance(3)
    return lambda _fake, _chance: getattr(local, method)()


def _digits(length: int) -> Make:
    return lambda _, chance: str(chance.randrange(10 ** (length - 1), 10**length))


def _epoch(_: Faker, chance: random.Random) -> int:
    return 1_700_000_000 + chance.randrange(10_000_000)


def _moment(_: Faker, chance: random.Random) -> str:
    return str(datetime(2026, 5, 1, tzinfo=UTC) - timedelta(seconds=chance.randrange(10**7)))


def _born(_: Faker, chance: random.Random) -> str:
    return str(date(1940, 1, 1) + timedelta(days=chance.randrange(24_000)))


def _recent(_: Faker, chance: random.Random) -> str:
    return str(date(2026, 5, 1) - timedelta(days=chance.randrange(500)))


def _hex(length: int) -> Make:
    return lambda _, chance: chance.randbytes(length // 2).hex()


def _imei(_: Faker, chance: random.Random) -> str:
    return _luhn("35" + "".join(chance.choices("0123456789", k=12)))


def _ean(_: Faker, chance: random.Random) -> str:
    digits = "7" + "".join(chance.choices("0123456789", k=11))
    return digits + str(-sum(int(d) * (1 + 2 * (at % 2)) for at, d in enumerate(digits)) % 10)


def _ticket(fake: Faker, chance: random.Random) -> str:
    told = f"write to {fake.email()}" if chance.random() < 0.3 else "thank you very much for the help"
    return f"My parcel has not come yet and I wait since Monday, {told}."


def _plain_text(_: Faker, chance: random.Random) -> str:
    words = "oak steel kettle lamp table with handle for the garden and kitchen very light made by hand".split()
    return " ".join(chance.choices(words, k=12)) + "."


def _hash(_: Faker, chance: random.Random) -> str:
    return f"pbkdf2_sha256$600000${chance.randbytes(8).hex()}${chance.randbytes(22).hex()}="


def _mixed(fake: Faker, chance: random.Random) -> str:
    return fake.email() if chance.random() < 0.2 else f"see desk {chance.randrange(500)}"


# relation, column, family, values, the class
MUST: list[tuple[str, str, Family, Make, str]] = [
    ("customers", "email", Family.TEXT, lambda f, c: f.email(), "email"),
    ("kunder", "e_post", Family.TEXT, lambda f, c: f.email(), "email"),
    ("t", "x1", Family.TEXT, lambda f, c: f.email(), "email"),
    ("orders", "contactEMail", Family.TEXT, lambda f, c: f.email(), "email"),
    ("kunden", "telefon", Family.TEXT, lambda f, c: f"+4670{c.randrange(10**6, 10**7)}", "phone"),
    ("people", "mobile", Family.TEXT, _national("en_GB", "cellphone_number"), "phone"),
    ("t", "c7", Family.TEXT, lambda f, c: f"+4670{c.randrange(10**6, 10**7)}", "phone"),
    ("customers", "full_name", Family.TEXT, lambda f, c: f.name(), "person_name"),
    ("customers", "name", Family.TEXT, lambda f, c: f"{f.first_name()} {f.last_name()}", "person_name"),
    ("kunder", "förnamn", Family.TEXT, lambda f, c: f.first_name(), "person_name"),
    ("customers", "street_address", Family.TEXT, lambda f, c: f.street_address(), "postal_address"),
    ("customers", "postcode", Family.TEXT, lambda f, c: Faker("en_GB").postcode(), "postal_address"),
    ("customers", "date_of_birth", Family.DATE, _born, "date_of_birth"),
    ("kunder", "födelsedatum", Family.TEXT, _born, "date_of_birth"),
    ("personer", "personnummer", Family.TEXT, _national("sv_SE"), "national_id"),
    ("t", "c1", Family.TEXT, _national("sv_SE"), "national_id"),
    ("t", "c2", Family.TEXT, _national("it_IT"), "national_id"),
    ("t", "c3", Family.TEXT, _national("pl_PL"), "national_id"),
    ("t", "c4", Family.TEXT, _national("fi_FI"), "national_id"),
    ("employees", "ssn", Family.TEXT, _national("en_US"), "national_id"),
    ("customers", "national_id", Family.TEXT, _national("en_GB"), "national_id"),
    ("payments", "card_no", Family.TEXT, _card, "card_number"),
    ("t", "c5", Family.TEXT, _card, "card_number"),
    ("t", "c6", Family.INTEGER, _card, "card_number"),
    ("cards", "number", Family.TEXT, _card, "card_number"),
    ("cards", "cvv", Family.TEXT, _digits(3), "card_security_code"),
    ("employees", "bank_account", Family.TEXT, lambda f, c: f.iban(), "bank_account"),
    ("t", "c8", Family.TEXT, lambda f, c: f.iban(), "bank_account"),
    ("employees", "salary", Family.NUMBER, lambda f, c: c.randrange(24_000, 98_000), "salary"),
    ("anställda", "månadslön", Family.INTEGER, lambda f, c: c.randrange(24_000, 98_000), "salary"),
    ("users", "password", Family.TEXT, lambda f, c: f.word() + str(c.randrange(99)), "secret"),
    ("t", "h", Family.TEXT, _hash, "secret"),
    ("api_credentials", "token", Family.TEXT, lambda f, c: f"shp_{c.randbytes(12).hex()}", "secret"),
    ("t", "k", Family.TEXT, lambda f, c: f"ghp_{c.randbytes(18).hex()}", "secret"),
    ("sessions", "session_token", Family.UUID, lambda f, c: f.uuid4(), "secret"),
    ("support_tickets", "body", Family.TEXT, _ticket, "free_text"),
    ("t", "c9", Family.TEXT, _ticket, "free_text"),
    ("rooms", "contact", Family.TEXT, _mixed, "free_text"),
]

# relation, column, family, values
MUST_NOT: list[tuple[str, str, Family, Make]] = [
    ("orders", "id", Family.INTEGER, _digits(6)),
    ("orders", "order_number", Family.TEXT, _digits(10)),
    ("orders", "order_no", Family.INTEGER, _digits(16)),
    ("orders", "invoice", Family.TEXT, _digits(11)),
    ("t", "n9", Family.TEXT, _digits(9)),
    ("t", "n12", Family.TEXT, _digits(12)),
    ("t", "n16", Family.TEXT, _digits(16)),
    ("zip_codes", "zip", Family.TEXT, _digits(5)),
    ("products", "name", Family.TEXT, lambda f, c: f"Oak {f.word()}"),
    ("products", "description", Family.TEXT, _plain_text),
    ("products", "sku", Family.TEXT, lambda f, c: f"KIT-{c.randrange(10**4):04d}"),
    ("products", "ean", Family.TEXT, _ean),
    ("devices", "imei", Family.TEXT, _imei),
    ("devices", "ip_address", Family.TEXT, lambda f, c: f.ipv4()),
    ("devices", "mac_address", Family.TEXT, lambda f, c: f.mac_address()),
    ("files", "checksum", Family.TEXT, _hex(64)),
    ("commits", "sha", Family.TEXT, _hex(40)),
    ("t", "uuid", Family.TEXT, lambda f, c: f.uuid4()),
    ("events", "created_at", Family.TIMESTAMPTZ, _moment),
    ("events", "epoch", Family.INTEGER, _epoch),
    ("events", "at", Family.TEXT, _moment),
    ("events", "day", Family.DATE, _recent),
    ("customers", "email_verified", Family.TEXT, lambda f, c: c.choice(["yes", "no"])),
    ("customers", "email_count", Family.INTEGER, lambda f, c: c.randrange(9)),
    ("customers", "phone_type", Family.TEXT, lambda f, c: c.choice(["home", "work"])),
    ("customers", "password_changed_at", Family.TIMESTAMPTZ, _moment),
    ("customers", "address_id", Family.INTEGER, _digits(5)),
    ("customers", "mobile", Family.TEXT, lambda f, c: c.choice(["true", "false"])),
    ("customers", "plan", Family.TEXT, lambda f, c: c.choice(["basic", "plus"])),
    ("customers", "city", Family.TEXT, lambda f, c: f.city()),
    ("llm_calls", "token_count", Family.INTEGER, _digits(4)),
    ("llm_calls", "token", Family.TEXT, lambda f, c: c.choice(["a", "b"])),
    ("cards", "brand", Family.TEXT, lambda f, c: c.choice(["Visa", "Amex"])),
    ("orders", "total", Family.NUMBER, lambda f, c: c.randrange(1, 999)),
    ("orders", "status", Family.TEXT, lambda f, c: c.choice(["new", "paid"])),
    ("places", "latitude", Family.NUMBER, lambda f, c: c.random() * 90),
    ("pages", "url", Family.TEXT, lambda f, c: f"https://example.com/{f.word()}/{c.randrange(999)}"),
    ("pages", "version", Family.TEXT, lambda f, c: f"{c.randrange(9)}.{c.randrange(9)}.{c.randrange(99)}"),
    ("pages", "body", Family.TEXT, _plain_text),
    ("books", "isbn", Family.TEXT, lambda f, c: f.isbn13()),
]
