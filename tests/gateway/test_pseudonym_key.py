"""Pseudonyms through the whole pipeline, and their key: in the database for one transaction, and seen by nobody."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from gateway.drivers import postgres
from gateway.pipeline import submit
from governance import assessment
from governance.errors import GatewayError
from governance.policy import store as policy_store
from governance.pseudonyms import settings_for
from tests.factories import Cast, make_datasource
from tests.fixtures.databases import TargetDatabase
from tests.governance.masking.trying import a_mask

DEFAULT = Path(policy_store.__file__).with_name("default.cedar").read_text()
PSEUDONYMS = """
@id("pseudonyms")
@mask("pseudonym")
permit (principal is Agent, action == Action::"unmask", resource in DataClass::"email");
"""
FORM = re.compile(r"user-[0-9a-f]{20}@pseudonym\.invalid")


@pytest.fixture(autouse=True)
def pseudonyms(cast: Cast) -> None:
    policy_store.activate(DEFAULT + PSEUDONYMS, "user:root", "pseudonyms for agents")
    assessment.forget()


@pytest.fixture
def blocks(cast: Cast) -> list[str]:
    return [block for _, block in settings_for(cast.datasource, [a_mask("pseudonym")])]


def rows(cast: Cast, sql: str) -> list[list[object]]:
    outcome = submit(cast.submission(sql))
    assert outcome.content is not None
    found: list[list[object]] = outcome.content["rows"]
    return found


def test_a_read_returns_pseudonyms(cast: Cast) -> None:
    found = rows(cast, "SELECT email FROM customers ORDER BY id")
    assert len({str(email) for (email,) in found}) == 20
    assert all(FORM.fullmatch(str(email)) for (email,) in found)


def test_a_join_over_pseudonyms_finds_what_a_join_over_values_finds(cast: Cast) -> None:
    sql = "SELECT count(*) FROM customers a JOIN customers b ON a.email = b.email JOIN customer_mail m ON m.id = b.id"
    assert rows(cast, sql) == [[20]]


def test_a_pseudonym_stays_and_another_data_source_has_its_own(cast: Cast, shop: TargetDatabase) -> None:
    sql = "SELECT email FROM customers WHERE id = 1"
    first = rows(cast, sql)
    assert rows(cast, sql) == first
    cast.datasource = make_datasource(shop.dsn, name="copy")
    assert rows(cast, sql) != first


def test_the_pseudonym_of_a_parameter_cannot_be_looked_up_by_the_value(cast: Cast) -> None:
    assert rows(cast, "SELECT id FROM customers WHERE email = 'person1@example.com'") == []


ATTEMPTS = [
    "SHOW countersign.pseudonym_inner",
    "SHOW ALL",
    "SELECT email, current_setting('countersign.pseudonym_inner') FROM customers",
    "SELECT email, current_setting('countersign.pseudonym_' || 'inner', true) FROM customers",
    "SELECT email, set_config('countersign.pseudonym_inner', 'x', true) FROM customers",
    "SELECT email, (SELECT setting FROM pg_settings WHERE name LIKE 'countersign%' LIMIT 1) FROM customers",
    "SELECT email, (SELECT setting FROM pg_catalog.pg_file_settings LIMIT 1) FROM customers",
    "SELECT email, current_query() FROM customers",
    "SELECT email, (SELECT string_agg(query, ' ') FROM pg_stat_activity) FROM customers",
    "SELECT email, (SELECT string_agg(statement, ' ') FROM pg_prepared_statements) FROM customers",
    "SELECT email::integer FROM customers",
    "SELECT 1 / length(email) / 0 FROM customers",
    "EXPLAIN SELECT email FROM customers",
    "EXPLAIN (VERBOSE, ANALYZE, SETTINGS) SELECT email FROM customers",
    "SELECT email FROM customers; SHOW countersign.pseudonym_outer",
    "SET countersign.pseudonym_inner = 'x'; SELECT email FROM customers",
    "SELECT query_to_xml('SHOW countersign.pseudonym_inner', true, true, ''), email FROM customers",
    "CREATE TEMP TABLE t AS SELECT email, current_setting('countersign.pseudonym_inner', true) FROM customers",
]


def answer_to(cast: Cast, sql: str) -> str:
    """All that comes back, as a result or as an error."""
    try:
        outcome = submit(cast.submission(sql))
    except GatewayError as error:
        return f"{error} {error.message} {error.remedy} {vars(error)}"
    return repr(outcome.content) + repr(outcome.query.decision)


def test_no_answer_and_no_error_shows_the_key(cast: Cast, blocks: list[str]) -> None:
    """One test, since each would need a database of its own."""
    answers = {sql: answer_to(cast, sql) for sql in ATTEMPTS}
    shown = [sql for sql, answer in answers.items() if any(block[:16] in answer for block in blocks)]
    assert not shown
    assert not [sql for sql, answer in answers.items() if "person1@" in answer]


def test_the_key_is_in_no_text_that_the_server_shows_of_a_session(
    cast: Cast, blocks: list[str], shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    commit = postgres._commit

    def look_and_commit(connection: psycopg.Connection[object]) -> None:
        texts = shop.fetch("SELECT query FROM pg_stat_activity WHERE datname = current_database()")
        seen.extend(str(text) for (text,) in texts)
        commit(connection)

    monkeypatch.setattr(postgres, "_commit", look_and_commit)
    rows(cast, "SELECT email FROM customers")
    assert any("current_setting('countersign.pseudonym_inner'" in text for text in seen)
    assert not [block for block in blocks if any(block[:16] in text for text in seen)]


def settings_seen(monkeypatch: pytest.MonkeyPatch, cast: Cast, *texts: str) -> list[str | None]:
    """What the setting is in the session when each text is about to be committed."""
    commit, seen = postgres._commit, []

    def look_and_commit(connection: psycopg.Connection[object]) -> None:
        row = connection.execute("SELECT current_setting('countersign.pseudonym_inner', true)").fetchone()
        seen.append(row[0] if row else None)  # type: ignore[index]
        commit(connection)

    monkeypatch.setattr(postgres, "_commit", look_and_commit)
    for text in texts:
        rows(cast, text)
    return seen


def test_the_key_is_in_the_session_only_while_a_text_needs_it(
    cast: Cast, blocks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = settings_seen(monkeypatch, cast, "SELECT 1", "SELECT email FROM customers", "SELECT number FROM cards")
    assert seen[1] == blocks[0]
    assert not seen[0]
    assert not seen[2]
