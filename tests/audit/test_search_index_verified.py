"""What entries are found by is derived, and nobody can hide an entry there or put one in: verification compares it (P6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from audit import ledger
from audit.following import catch_up
from audit.verification.inspection import verify_ledger
from audit.verification.rows import Found, Row, check_found

SIZE = 12
SQL = "SELECT a FROM t WHERE b = $1"

Tamper = Callable[[str], Any]


@pytest.fixture
def tamper(control_db: str) -> Iterator[Tamper]:
    for number in range(SIZE):
        record(number)
    catch_up()
    with psycopg.connect(control_db, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        yield session.execute


def record(number: int) -> None:
    ledger.append(
        "statement.denied",
        principal=f"agent:bot-{number}",
        risk=70,
        relations=["public.a", "public.b"],
        classes=["email"],
        sql_normal=SQL,
    )


def fault() -> str:
    return str(verify_ledger().fault)


def test_what_was_not_taken_yet_is_no_fault(tamper: Tamper):
    record(SIZE)
    assert verify_ledger().intact


def test_a_log_that_search_never_took_is_no_fault(control_db: str):
    record(0)
    assert verify_ledger().intact


def test_a_header_with_letters_of_all_kinds_is_no_fault(control_db: str):
    ledger.append(
        "statement.denied", principal="agent:zoë", relations=['public."Ünïcode 🦉"'], sql_normal="SELECT '\\'"
    )
    catch_up()
    assert verify_ledger().intact


def test_a_text_that_shares_its_hash_with_an_earlier_one_is_no_fault():
    """The earlier one is kept. Whoever writes statements can look for such a pair."""
    row = Row(1, {}, b"", 0, b"", found=Found({}, frozenset(), 17, "SELECT first"), is_taken=True)
    hashes = {"SELECT first": 17, "SELECT second": 17, "SELECT third": 18}
    assert check_found(row, {"sql_normal": "SELECT second"}, hashes) is None
    assert check_found(row, {"sql_normal": "SELECT third"}, hashes) is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM audit_searchentry WHERE index = 4", "entry 4: it cannot be found by search"),
        ("UPDATE audit_searchentry SET risk = 1 WHERE index = 4", "entry 4: the column risk says 1 in search"),
        ("UPDATE audit_searchentry SET principal = NULL WHERE index = 4", "entry 4: the column principal says None in search"),
        ("UPDATE audit_searchentry SET actor = 'user:rita' WHERE index = 4", "entry 4: the column actor says 'user:rita'"),
        ("UPDATE audit_searchentry SET kind = 'agent.added' WHERE index = 4", "entry 4: the column kind says 'agent.added'"),
        ("UPDATE audit_searchentry SET \"time\" = now() WHERE index = 4", "entry 4: the column time says"),
        ("UPDATE audit_searchentry SET owner = repeat('x', 1000000) WHERE index = 4", "entry 4: the column owner"),
        ("DELETE FROM audit_searchterm WHERE index = 4 AND term = hashtextextended('relation:public.b', 0)",
         "entry 4: the relations, classes or policies"),
        ("DELETE FROM audit_searchterm WHERE index = 4", "entry 4: the relations, classes or policies"),
        ("INSERT INTO audit_searchterm VALUES (hashtextextended('class:salary', 0), 4)",
         "entry 4: the relations, classes or policies"),
        ("INSERT INTO audit_searchterm SELECT n, 4 FROM generate_series(1, 5000) n", "entry 4: the relations"),
        ("UPDATE audit_searchtext SET text = 'SELECT 1'", "entry 0: the text that it is found by"),
        ("DELETE FROM audit_searchtext", "entry 0: the text that it is found by"),
        ("UPDATE audit_searchentry SET text = NULL WHERE index = 4", "entry 4: the text that it is found by"),
        ("UPDATE audit_searchentry SET text = 17 WHERE index = 4", "entry 4: the text that it is found by"),
        ("UPDATE audit_follower SET next = 6", "entry 6: search lists it, but has not come so far"),
        ("UPDATE audit_follower SET next = 500", "entry 12: is missing: search has taken 500 entries"),
        ("INSERT INTO audit_searchentry (index, \"time\", kind) VALUES (500, now(), 'x')", "entry 500: search lists it"),
        ("INSERT INTO audit_searchterm VALUES (5, 500)", "entry 500: search lists it"),
        ("INSERT INTO audit_searchentry (index, \"time\", kind) VALUES (-1, now(), 'x')", "entry -1: search lists it"),
    ],
)  # fmt: skip
def test_p6_an_edited_search_index_is_found(tamper: Tamper, change: str, said: str):
    tamper(change)
    assert fault().startswith(said)
