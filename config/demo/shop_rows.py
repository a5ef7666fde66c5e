"""The rows of the shop, the same on every machine: one seed, one reference day, no clock."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from faker import Faker

SEED = 20_260_930
# "Today" in the shop.
TODAY = datetime(2026, 9, 30, 18, 0, tzinfo=UTC)

CUSTOMERS = 8_000
CARDS = 6_000
CREDENTIALS = 600
PRODUCTS = 400
ORDERS = 12_500
EMPLOYEES = 240
TICKETS = 2_800

Row = tuple[object, ...]

CATEGORIES = {
    "kitchen": ["Kettle", "Pan", "Knife", "Teapot", "Scale"],
    "garden": ["Hose", "Spade", "Planter", "Lantern", "Bench"],
    "office": ["Lamp", "Desk", "Chair", "Notebook", "Stapler"],
    "outdoor": ["Tent", "Rucksack", "Flask", "Compass", "Jacket"],
    "toys": ["Puzzle", "Kite", "Train", "Blocks", "Globe"],
}
MATERIALS = ["oak", "steel", "copper", "linen", "glass", "bamboo", "slate", "wool"]
DEPARTMENTS = {
    "Engineering": (46_000, 98_000),
    "Support": (26_000, 41_000),
    "Warehouse": (24_000, 36_000),
    "Finance": (38_000, 82_000),
    "Marketing": (32_000, 64_000),
}
TICKETS_TOLD = [
    ("Parcel not here", "My parcel should have come last week. Please call me on {phone} or write to {email}."),
    ("Wrong address", "I moved house. The new address is {address}. My account is the one with {email}."),
    ("Charged twice", "Order {order} was charged twice. You can reach me under {phone} in the evening."),
    ("Cannot sign in", "The reset mail never arrives at {email}. Is there another way?"),
    ("Broken on arrival", "The lid was cracked when I opened the box. I would like a replacement for order {order}."),
    ("Change of name", "Since my wedding my name is {name}. Please change it; my mail stays {email}."),
    ("Invoice needed", "Could you send the invoice of order {order} to accounts-{order}@example.org, please?"),
    ("Thank you", "The courier was very kind. No answer needed, I only wanted to say so."),
]


class Shop:
    """Makes all rows on construction, in an order that the foreign keys allow; `tables` hands them out."""

    def __init__(self) -> None:
        self.fake = Faker("en_GB")
        self.fake.seed_instance(SEED)
        self.random = random.Random(SEED)  # noqa: S311  invented data, not secrets
        self.customers = [self._customer(number) for number in range(1, CUSTOMERS + 1)]
        self.products = [self._product(number) for number in range(1, PRODUCTS + 1)]
        self.orders: list[Row] = []
        self.items: list[Row] = []
        for number in range(1, ORDERS + 1):
            self._order(number)

    def tables(self) -> Iterator[tuple[str, str, list[Row]]]:
        """Table, its columns, its rows."""
        contact = "full_name, email, phone, street_address, city, postcode"
        yield (
            "customers",
            f"id, {contact}, date_of_birth, national_id, plan, marketing_consent, created_at",
            self.customers,
        )
        yield (
            "payment_cards",
            "id, customer_id, brand, card_number, card_security_code, expires_on, is_default",
            [self._card(number) for number in range(1, CARDS + 1)],
        )
        yield (
            "api_credentials",
            "id, customer_id, label, token, secret, created_at, last_used_at, revoked",
            [self._credential(number) for number in range(1, CREDENTIALS + 1)],
        )
        yield "products", "id, sku, name, category, price, stock", self.products
        yield "orders", "id, customer_id, status, total, placed_at, shipped_at", self.orders
        yield "order_items", "order_id, line, product_id, quantity, unit_price", self.items
        yield (
            "employees",
            "id, full_name, email, job_title, department, manager_id, salary, bank_account, hired_on",
            [self._employee(number) for number in range(1, EMPLOYEES + 1)],
        )
        yield (
            "support_tickets",
            "id, customer_id, subject, body, status, priority, opened_at",
            [self._ticket(number) for number in range(1, TICKETS + 1)],
        )

    def _moment(self, days: int) -> datetime:
        """Some second of the last `days` days."""
        return TODAY - timedelta(seconds=self.random.randrange(days * 86_400))

    def _customer(self, number: int) -> Row:
        first, last = self.fake.first_name(), self.fake.last_name()
        # Domains that are reserved for examples: nobody's mail can be hit by accident.
        mail = f"{first}.{last}{number}@{self.random.choice(('example.com', 'example.org', 'example.net'))}".lower()
        born = date(1940, 1, 1) + timedelta(days=self.random.randrange(24_000))
        return (
            number,
            f"{first} {last}",
            mail.replace(" ", "").replace("'", ""),
            self.fake.phone_number(),
            self.fake.street_address().replace("\n", ", "),
            self.fake.city(),
            self.fake.postcode(),
            born,
            self.fake.ssn(),
            self.random.choices(("basic", "plus", "business"), (70, 22, 8))[0],
            self.random.random() < 0.4,
            self._moment(1_400),
        )

    def _card(self, number: int) -> Row:
        brand, label = self.random.choice((("visa16", "Visa"), ("mastercard", "Mastercard"), ("amex", "Amex")))
        expires = date(2026 + self.random.randrange(1, 6), self.random.randrange(1, 13), 1)
        customer = self.random.randrange(1, CUSTOMERS + 1) if number > CUSTOMERS // 2 else number
        return (
            number,
            customer,
            label,
            self.fake.credit_card_number(card_type=brand),
            self.fake.credit_card_security_code(card_type=brand),
            expires,
            number <= CUSTOMERS // 2,
        )

    def _credential(self, number: int) -> Row:
        created = self._moment(700)
        used = created + (TODAY - created) * self.random.random() if self.random.random() < 0.8 else None
        token, secret = self.random.randbytes(12).hex(), self.random.randbytes(24).hex()
        label = self.random.choice(("warehouse sync", "accounting", "web shop", "reporting", "mobile app"))
        customer = self.random.randrange(1, CUSTOMERS + 1)
        return number, customer, label, f"shp_{token}", secret, created, used, self.random.random() < 0.1

    def _product(self, number: int) -> Row:
        category = self.random.choice(list(CATEGORIES))
        name = f"{self.random.choice(MATERIALS).title()} {self.random.choice(CATEGORIES[category]).lower()}"
        price = Decimal(self.random.randrange(299, 24_999)) / 100
        return number, f"{category[:3].upper()}-{number:04d}", name, category, price, self.random.randrange(0, 500)

    def _order(self, number: int) -> None:
        placed = self._moment(540)
        age = (TODAY - placed).days
        status = "cancelled" if self.random.random() < 0.06 else _status_at(age)
        shipped = placed + timedelta(hours=self.random.randrange(6, 72)) if status in ("shipped", "delivered") else None
        total = Decimal(0)
        for line in range(1, self.random.choices((1, 2, 3), (55, 32, 13))[0] + 1):
            product = self.random.choice(self.products)
            quantity, price = self.random.choices((1, 2, 3, 5), (70, 18, 8, 4))[0], Decimal(str(product[4]))
            self.items.append((number, line, product[0], quantity, price))
            total += quantity * price
        self.orders.append((number, self.random.randrange(1, CUSTOMERS + 1), status, total, placed, shipped))

    def _employee(self, number: int) -> Row:
        department = self.random.choice(list(DEPARTMENTS))
        low, high = DEPARTMENTS[department]
        name = f"{self.fake.first_name()} {self.fake.last_name()}"
        mail = f"{name.lower().replace(' ', '.').replace(chr(39), '')}{number}@shop.example"
        # The first five lead; everybody else reports to one of them.
        title, manager = ("Head of department", None) if number <= 5 else (self.fake.job(), self.random.randrange(1, 6))
        salary = Decimal(self.random.randrange(low, high, 250)) + (25_000 if number <= 5 else 0)
        hired = TODAY.date() - timedelta(days=self.random.randrange(30, 4_000))
        return number, name, mail, title, department, manager, salary, self.fake.iban(), hired

    def _ticket(self, number: int) -> Row:
        customer = self.random.choice(self.customers)
        subject, body = self.random.choice(TICKETS_TOLD)
        told = body.format(
            name=customer[1],
            email=customer[2],
            phone=customer[3],
            address=customer[4],
            order=self.random.randrange(1, ORDERS),
        )
        opened = self._moment(365)
        status = "closed" if (TODAY - opened).days > 30 else self.random.choice(("open", "waiting", "closed"))
        return number, customer[0], subject, told, status, self.random.randrange(1, 6), opened


def _status_at(age: int) -> str:
    return "new" if age < 1 else "paid" if age < 3 else "shipped" if age < 8 else "delivered"
