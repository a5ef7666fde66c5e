# ruff: noqa: E501  tables of SQL read better one a line
"""One world twice: equal through the masks, different in every value that they hide.

What a mask keeps is the same in both (a domain, a year, the last digits, whether a bucketed value is NULL); what it hides
differs in letters, order, length, magnitude, number of distinct values, and NULL-ness where the mask hides that too. Nothing
is ever analysed by the planner's statistics, and every relation fits one page: rows that a statement does not order come in
the order of the plan, which may depend on statistics and sizes of raw values (docs/masking.md, "Not covered").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from psycopg import sql

from governance.policy import store as policy_store
from tests.corpus.attempts import Shop
from tests.factories import make_cast, make_datasource
from tests.fixtures.databases import MakeTarget

ROWS = 8


@dataclass(frozen=True)
class Secrets:
    """The hidden part of every value. `marks` are fragments of them that no answer may hold."""

    marks: tuple[str, ...]
    names: tuple[str | None, ...]
    mail: tuple[str, ...]
    dial: str
    month_day: tuple[int, int]
    over: tuple[int, ...]
    digits: str
    codes: tuple[str | None, ...]
    bank: str
    word: str
    numbers: tuple[int, ...]
    flags: tuple[bool | None, ...]
    levels: tuple[str | None, ...]
    # How many rows a row filter hides, and a number of a telephone (of one shape: `scrub` shows the shape).
    hidden: int
    calls: str


ALDER = Secrets(
    marks=("alderqzx", "4670123", "4111111", "se35500", "77171"),
    names=tuple(f"Alderqzx {letter}" for letter in "abcdefgh"),
    mail=tuple(f"alderqzx{n}" for n in range(ROWS)),
    dial="+46701234",
    month_day=(3, 14),
    over=(7717, 17, 717, 7171, 1, 71, 7717, 7),
    digits="411111111111",
    codes=("717", "177", "771", "171", "711", "117", "777", "111"),
    bank="SE3550000000054910",
    word="alderqzx",
    numbers=(77171, 0, -77171, 1, 2, 3, 4, 5),
    flags=(True, False, True, False, True, False, True, False),
    levels=("low", "low", "high", "high", "low", "high", "low", "low"),
    hidden=2,
    calls="+46701234567",
)
BIRCH = Secrets(
    marks=("birchvkj", "4917598", "5555554", "de89370", "93931"),
    names=("zz Birchvkj, a much longer name", None, "zz Birchvkj", None, "zz Birchvkj", None, None, "zz Birchvkj"),
    mail=tuple(f"zz.birchvkj.a.longer.name{7 - n}" for n in range(ROWS)),
    dial="+491759876543",
    month_day=(11, 27),
    over=(9393, 9393, 9393, 3, 9393, 9393, 33, 9393),
    digits="555555444433",
    codes=(None, None, "939", "939", "939", None, "939", "939"),
    bank="DE8937040044053201",
    word="zz birchvkj with more words in it",
    numbers=(9, 9, 9, 9, 9, 9, 939311111, -9),
    flags=(None, None, None, False, False, None, None, None),
    levels=("high", None, "top", "top", "top", None, None, "low"),
    hidden=7,
    calls="+49175987654",
)
CLASSES = {
    "people.name": "person_name", "people.email": "email", "people.phone": "phone", "people.address": "postal_address",
    "people.born": "date_of_birth", "people.born_at": "date_of_birth", "people.salary": "salary", "people.bonus": "salary",
    "people.rate": "salary", "people.card": "card_number", "people.cvv": "card_security_code", "people.iban": "bank_account",
    "people.token": "secret", "people.photo": "secret", "people.active": "secret", "people.tags": "secret",
    "people.scores": "secret", "people.profile": "secret", "people.extra": "secret", "people.level": "secret",
    "people.postcode": "postal_address", "people.bio": "postal_address", "people.span": "secret", "people.ip": "secret",
    "people.range": "secret", "teams.budget": "salary", "visits.note": "secret", "visits.cost": "salary",
    "accounts.secret": "secret", "ledger.raw": "secret", "people.badge": "national_id", "people.story": "free_text",
    "people.contact:$.mail": "email", "people.contact:$.phones[*].no": "secret", "offices.note": "secret",
}  # fmt: skip
SCHEMA = """
CREATE TYPE rank AS ENUM ('low', 'high', 'top');
CREATE DOMAIN postcode AS varchar(12) CHECK (value <> 'never');
CREATE TABLE people (
    id integer PRIMARY KEY, name text, email text UNIQUE, phone varchar(20), address text, born date, born_at timestamp,
    salary integer, bonus numeric(12,2), rate double precision, card varchar(19), cvv char(3), iban text, token uuid,
    photo bytea, active boolean, tags text[], scores integer[], profile jsonb, extra json, level rank, postcode postcode,
    bio text, span interval, ip inet, range int4range, city text, plan text, team_id integer, joined timestamptz,
    badge text, story text, contact jsonb
);
CREATE TABLE teams (id integer PRIMARY KEY, title text, lead integer, budget numeric(12,2));
CREATE TABLE visits (id integer, person_id integer, kind text, note text, cost numeric(12,2)) PARTITION BY LIST (kind);
CREATE TABLE visits_a PARTITION OF visits FOR VALUES IN ('a');
CREATE TABLE visits_rest PARTITION OF visits DEFAULT;
CREATE TABLE accounts (id integer PRIMARY KEY, secret text, label text);
CREATE TABLE premium (fee integer) INHERITS (accounts);
CREATE TABLE ledger (
    id integer PRIMARY KEY, raw text, shout text GENERATED ALWAYS AS (upper(raw)) STORED,
    tail text GENERATED ALWAYS AS (right(raw, 4)) VIRTUAL, amount integer
);
CREATE TABLE items (id integer PRIMARY KEY, label text, n integer, price numeric(10,2), doc jsonb, parts text[]);
CREATE TABLE notes (id integer PRIMARY KEY, body text, person_id integer);
CREATE TABLE copies (id integer, label text, n integer);
CREATE TABLE offices (id integer PRIMARY KEY, region text, title text, note text);
CREATE VIEW seats AS SELECT region, count(*) AS offices, max(title) AS last FROM offices GROUP BY region;
CREATE VIEW mails AS SELECT p.id, lower(p.email) AS mail, p.city FROM people p;
CREATE VIEW addresses AS SELECT m.id, m.mail AS address, length(m.mail) AS size, m.city FROM mails m;
CREATE VIEW everybody AS SELECT * FROM people;
CREATE VIEW named AS SELECT id, name AS title FROM people UNION ALL SELECT id, title FROM teams;
CREATE VIEW per_team AS SELECT team_id, count(*) AS members, max(salary) AS top, min(born) AS eldest FROM people GROUP BY team_id;
CREATE VIEW open_items AS SELECT id, label, n FROM items WHERE n > 2;
CREATE MATERIALIZED VIEW kept_mails AS SELECT id, email, city FROM people WITH NO DATA;
CREATE MATERIALIZED VIEW kept_items AS SELECT label, n FROM items WITH NO DATA;
"""
# People come first: others point at them. In this order they are filled; in it they are emptied too.
TABLES = ("people", "teams", "visits", "accounts", "premium", "ledger", "items", "notes", "copies", "offices")
STORED = ("kept_mails", "kept_items")


def _people(s: Secrets) -> list[tuple[Any, ...]]:
    month, day = s.month_day
    rows = []
    for n in range(ROWS):
        year, domain = 1960 + 5 * n, ("example.com", "mail.test", "example.org")[n % 3]
        known = n != 6  # one row whose kept parts are NULL in both worlds
        rows.append(
            (
                n + 1, s.names[n],
                (f"{s.mail[n]}@{domain}" if n != 5 else f"{s.word}{n}") if known else None,
                f"{s.dial}{n}{n}" if known else None, f"{s.word} street {s.over[n]}",
                f"{year}-{month:02}-{day:02}" if known else None,
                f"{year}-{month:02}-{day:02} 0{n}:{day}:00" if known else None,
                10000 * (n % 4) + s.over[n] if known else None, 10000 * n + s.over[n] + 0.25 if known else None,
                20000.5 * (n % 3) + s.over[n] % 5000 if known else None,
                f"{s.digits}{1000 + n}" if known else None, s.codes[n], f"{s.bank}{2000 + n}" if known else None,
                f"{abs(s.numbers[n]):012d}-0000-0000-0000-{s.over[n]:012d}".replace("-", "", 1)[:8]
                + f"-0000-0000-0000-{s.over[n]:012d}",
                s.word.encode() * (n % 3), s.flags[n], [s.word, str(s.over[n])][: 1 + s.over[n] % 2], [s.numbers[n]],
                f'{{"mail": "{s.mail[n]}@x.test", "n": {s.over[n]}, "list": [{s.numbers[n]}]}}',
                f'{{"word": "{s.word}"}}', s.levels[n], s.word[:5] + str(n), f"{s.word} {s.names[n]}",
                f"{s.over[n]} seconds", f"10.{s.over[n] % 250}.0.{n}", f"[{min(s.numbers)},{max(s.numbers) + n})",
                ("Oslo", "Rome", "Lima")[n % 3], ("free", "paid")[n % 2], 1 + n % 3, f"2026-01-{n + 1:02} 12:00:00+00",
                # A pseudonym tells equal values apart from unequal ones, so these are alike; what `scrub` leaves is, too.
                f"badge {n % 3}", f"Note {n}: mail {s.mail[n]}@example.com or call {s.calls}, then wait",
                f'{{"mail": "{s.mail[n]}@example.com", "kept": {n}, "phones": [{{"no": "{s.dial}"}}, {{"no": "{s.over[n]}"}}]}}',
            )
        )  # fmt: skip
    return rows


def _rows(s: Secrets, hidden: int) -> dict[str, list[tuple[Any, ...]]]:
    """By table; a table's rows have all columns that are not generated, in order."""
    return {
        "people": _people(s),
        "teams": [(n, f"Team {n}", n * 2, 10000 * n + s.over[n]) for n in (1, 2, 3)],
        "visits": [
            (n, 1 + n % ROWS, "ab"[n % 2], f"{s.word} visit {s.over[n % ROWS]}", 10000 * (n % 2) + s.over[n % ROWS])
            for n in range(1, 13)
        ],
        "accounts": [(n, f"{s.word}{s.over[n]}", f"Label {n}") for n in (1, 2, 3)],
        "premium": [(n, f"{s.word}{s.over[n]}", f"Label {n}", n * 10) for n in (4, 5)],
        "ledger": [(n, f"{s.word}{s.over[n]}", n * 5) for n in (1, 2, 3, 4)],
        "items": [
            (n, f"item {n % 4}", n, n * 2.5, f'{{"a": {n}, "b": ["x", "y{n}"], "c": {{"d": "z{n}"}}}}', ["p", f"q{n}"])
            for n in range(1, 11)
        ],
        "notes": [(n, f"note {n}", n) for n in range(1, 6)],
        "copies": [],
        "offices": [(n, "EU", f"Office {n}", f"{s.word}{n}") for n in (1, 2, 3)]
        + [(10 + n, "US", f"{s.word} {n}", f"{s.word}{n}") for n in range(hidden)],
    }


@dataclass(frozen=True)
class World:
    """A governed database and the agent that asks it."""

    shop: Shop
    secrets: Secrets
    # Whether a row filter is in force, so that there may be rows that nobody sees.
    filtered: bool

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """All that hypothesis shows of a world beside a statement."""
        printer.text(str(self.shop.cast.datasource.name))

    def fill(self) -> None:
        """As on the first day, whatever statements did to it."""
        admin = self.shop.database.admin
        with admin.transaction(), admin.cursor() as cursor:
            cursor.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, TABLES))))
            for table, rows in _rows(self.secrets, self.secrets.hidden if self.filtered else 0).items():
                if rows:
                    places = sql.SQL(", ").join([sql.Placeholder()] * len(rows[0]))
                    columns = sql.SQL("(id, raw, amount)") if table == "ledger" else sql.SQL("")
                    cursor.executemany(
                        sql.SQL("INSERT INTO {} {} VALUES ({})").format(sql.Identifier(table), columns, places), rows
                    )
            for view in STORED:
                cursor.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(view)))


# Parks nothing but what raw values would steer, shows plans over masks, and asks for masks that no class has by itself.
OPENED = """
@id("pseudonyms") @mask("pseudonym")
permit (principal, action == Action::"unmask", resource in DataClass::"national_id");
@id("scrubbed") @mask("scrub")
permit (principal, action == Action::"unmask", resource in DataClass::"free_text");
@id("europe-of-twin-one") @row_filter("region = 'EU'")
permit (principal, action == Action::"read", resource == Table::"twin-one.public.offices");
@id("europe-of-twin-two") @row_filter("region = 'EU'")
permit (principal, action == Action::"read", resource == Table::"twin-two.public.offices");
"""
LIFTED = ("mass-write", "cascading-write", "definition-change", "explain-masked", "lock")


def opened_policies() -> str:
    """The default policies without the brakes, so that more forms run and their masks have to hold by themselves."""
    text = policy_store.default_text()
    for name in LIFTED:
        text, found = re.subn(rf'(?ms)^@id\("{name}"\)\n.*?;\n', "", text)
        if found != 1:
            raise LookupError(f"the default policies have no {name}")
    return text + OPENED


def make_worlds(target_database: MakeTarget, *, filtered: bool = False) -> tuple[World, World]:
    """On production, where the agent may see none of the classified columns."""
    classes = {f"public.{column}": data_class for column, data_class in CLASSES.items()}
    worlds = []
    cast = None
    for name, secrets in (("twin-one", ALDER), ("twin-two", BIRCH)):
        database = target_database(SCHEMA + _quiet())
        if cast is None:
            cast = make_cast(database.dsn, name=name, classes=classes)
        else:
            cast = replace(cast, datasource=make_datasource(database.dsn, name=name, classes=classes))
        world = World(Shop(cast, database, secrets.marks), secrets, filtered)
        world.fill()
        worlds.append(world)
    if filtered:
        policy_store.activate(opened_policies(), author="test")
    return worlds[0], worlds[1]


def _quiet() -> str:
    """No statistics behind the tests' back."""
    plain = [table for table in TABLES if table != "visits"] + ["visits_a", "visits_rest", *STORED]
    kinds = dict.fromkeys(STORED, "MATERIALIZED VIEW")
    return "".join(f"ALTER {kinds.get(name, 'TABLE')} {name} SET (autovacuum_enabled = false);\n" for name in plain)
