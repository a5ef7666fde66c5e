"""The cast, and what it acts on. Alice owns agents, rita and dora review, mallory is a stranger, olaf audits."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from gateway.submission import RunContext, Submission
from governance.classification import classify
from governance.datasources import add_datasource
from governance.models import DataSource
from governance.policy import store as policy_store
from identity.agents import add_agent
from identity.credentials import issue
from identity.models import Agent, User
from identity.people import groups_named
from identity.principals import Principal, principal_of_agent, principal_of_user
from identity.signals import announced

ACTOR = "test"
PASSWORD = "a long enough pass phrase"
_numbers = itertools.count(1)

SHOP = """
CREATE TABLE customers (
    id integer PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, phone varchar(20), city text, born date,
    plan text NOT NULL DEFAULT 'free'
);
CREATE TABLE cards (id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customers, number varchar(19), cvv char(3));
CREATE TABLE orders (
    id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customers, total numeric(10,2) NOT NULL,
    status text NOT NULL
);
CREATE VIEW customer_mail AS SELECT c.id, lower(c.email) AS mail, c.city FROM customers c;
CREATE FUNCTION raw_email(integer) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM customers WHERE id = $1';
INSERT INTO customers
    SELECT n, 'Person ' || n, 'person' || n || '@example.com', '+4670123' || n, 'City ' || n % 3, date '1980-05-17' + n,
        CASE n % 2 WHEN 0 THEN 'free' ELSE 'paid' END
    FROM generate_series(1, 20) n;
INSERT INTO cards SELECT n, n, '411111111111' || to_char(n, 'FM0000'), to_char(n, 'FM000') FROM generate_series(1, 20) n;
INSERT INTO orders SELECT n, 1 + n % 20, n * 1.5, CASE WHEN n % 4 = 0 THEN 'open' ELSE 'done' END FROM generate_series(1, 60) n;
"""
CLASSES = {
    "public.customers.name": "person_name",
    "public.customers.email": "email",
    "public.customers.phone": "phone",
    "public.customers.born": "date_of_birth",
    "public.cards.number": "card_number",
    "public.cards.cvv": "card_security_code",
}


def make_user(name: str, *groups: str, is_administrator: bool = False) -> User:
    """Straight into the table: hashing a password for everybody would take most of the suite's time. No entry tells of it."""
    with announced():
        user = User.objects.filter(username=name).first() or User.objects.create(
            username=name, is_superuser=is_administrator, password="!"
        )
        user.groups.set(groups_named(groups))
    return user


def make_agent(name: str, owner: User, *groups: str) -> Agent:
    return add_agent(name, owner, groups or ("agents",), actor=ACTOR)


def make_datasource(
    dsn: str, *, name: str = "shop", environment: str = "prod", classes: dict[str, str] | None = None
) -> DataSource:
    datasource = add_datasource(name, engine="postgres", dsn=dsn, environment=environment, actor=ACTOR)
    for column, data_class in (CLASSES if classes is None else classes).items():
        classify(datasource, column, data_class, actor=ACTOR)
    return datasource


@dataclass
class Cast:
    """Everybody, with tokens made when they are asked for."""

    alice: User
    rita: User
    dora: User
    mallory: User
    olaf: User
    bot: Agent
    datasource: DataSource
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, who: User | Agent) -> str:
        key = f"{type(who).__name__}:{who}"
        if key not in self.tokens:
            self.tokens[key] = issue(who, issued_by=ACTOR).token
        return self.tokens[key]

    def principal(self, who: User | Agent) -> Principal:
        return principal_of_user(who) if isinstance(who, User) else principal_of_agent(who)

    def submission(self, sql: str, who: User | Agent | None = None, door: str = "rest", **more: Any) -> Submission:
        principal = self.principal(who or self.bot)
        return Submission(
            principal, door, self.datasource.name, sql, run=RunContext(id=f"run-{next(_numbers)}"), **more
        )


def make_cast(dsn: str, **datasource: Any) -> Cast:
    policy_store.ensure_default(actor=ACTOR)
    alice = make_user("alice")
    return Cast(
        alice=alice,
        rita=make_user("rita", "dba"),
        dora=make_user("dora", "dba"),
        mallory=make_user("mallory"),
        olaf=make_user("olaf", "auditors"),
        bot=make_agent("analyst-bot", alice),
        datasource=make_datasource(dsn, **datasource),
    )
