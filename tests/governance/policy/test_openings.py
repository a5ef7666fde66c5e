"""What docs/policy.md says of opening something on purpose: by name, with review. Its examples are taken from there."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from governance.analysis.analyse import analyse, analyse_script
from governance.catalogue.model import Catalogue
from governance.catalogue.read import read_catalogue
from governance.policy.decision import Decision
from governance.policy.engine import decide
from governance.policy.examination import examine
from governance.policy.program import PolicyProgram, compile_policy_set
from governance.policy.store import default_text
from tests.fixtures.databases import MakeTarget
from tests.governance.asking import DEFAULT, ask, facts, person

SCHEMA = """
CREATE TABLE orders (id int PRIMARY KEY, total numeric);
CREATE FUNCTION refresh_totals() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION other() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
"""


@pytest.fixture(scope="module")
def catalogue(target_database: MakeTarget) -> Catalogue:
    with psycopg.connect(target_database(SCHEMA).dsn, autocommit=True) as session:
        return read_catalogue(session, ["public"])


def opened(*names: str) -> PolicyProgram:
    """The default set, with the documented policies of these ids in place of, or beside, its own."""
    page = Path("docs/policy.md").read_text()
    text = default_text()
    for name in names:
        found = re.search(rf'^@id\("{name}"\).*?;$', page, re.MULTILINE | re.DOTALL)
        assert found, f"docs/policy.md has no example {name}"
        own = re.search(rf'^@id\("{name}"\).*?;$', text, re.MULTILINE | re.DOTALL)
        text = text.replace(own.group(), found.group()) if own else f"{text}\n{found.group()}\n"
    assert examine(text).is_sound
    return compile_policy_set(text)


def decided(program: PolicyProgram, catalogue: Catalogue, sql: str) -> Decision:
    return decide(program, ask(analyse(sql, catalogue).facts))


def test_a_function_is_parked_by_its_name(catalogue: Catalogue) -> None:
    program = opened("unread-statement", "known-function")
    sql = "SELECT refresh_totals()"
    assert decided(DEFAULT, catalogue, sql).verdict == "deny"
    decision = decided(program, catalogue, sql)
    assert (decision.verdict, decision.policies) == ("review", ("known-function",))
    assert decided(program, catalogue, "SELECT other()").verdict == "deny"


def test_a_statistics_view_is_parked_by_its_name(catalogue: Catalogue) -> None:
    program = opened("unread-statement", "known-function", "statistics")
    sql = "SELECT relname, n_live_tup FROM pg_catalog.pg_stat_user_tables"
    assert decided(DEFAULT, catalogue, sql).verdict == "deny"
    decision = decided(program, catalogue, sql)
    assert (decision.verdict, decision.policies) == ("review", ("statistics",))
    assert decided(program, catalogue, "SELECT query FROM pg_catalog.pg_stat_activity").verdict == "deny"


def test_explaining_over_masked_columns_is_parked_for_some() -> None:
    program = opened("explain-masked")
    of = facts("read", uses=["read customers"], hazards=["explain", "explain-masked"])
    assert decide(DEFAULT, ask(of)).verdict == "deny"
    decision = decide(program, ask(of, **person("rita", "dba")))
    assert (decision.verdict, decision.policies) == ("review", ("explain-masked",))


def test_every_example_of_the_documentation_is_accepted() -> None:
    blocks = re.findall(r"^```cedar\n(.*?)^```", Path("docs/policy.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    for block in blocks:
        compile_policy_set(block)


@pytest.mark.parametrize(
    "sql",
    [
        "COMMIT",
        "DELETE FROM orders WHERE id = 1; COMMIT; DELETE FROM orders WHERE id = 2",
        "DELETE FROM orders WHERE id = 1; COMMIT AND CHAIN",
        "DELETE FROM orders WHERE id = 1; ROLLBACK; SELECT 1",
        "SAVEPOINT s; DELETE FROM orders WHERE id = 1; ROLLBACK TO s",
        "DELETE FROM orders WHERE id = 1; PREPARE TRANSACTION 'later'",
        "SET standard_conforming_strings = off; SELECT 1",
        "SET search_path = nowhere; SELECT 1",
        "RESET ALL; SELECT 1",
        "SHOW countersign.key",
    ],
)
def test_no_policy_opens_what_nothing_could_be_promised_of(catalogue: Catalogue, sql: str) -> None:
    """Who approves it could not know that it is recorded before it commits (P3), runs once (P4), or is masked (P2)."""
    program = compile_policy_set(
        '@id("all") permit (principal, action, resource);'
        '@id("unread") @review("dba") forbid (principal, action, resource) when { context.unread };'
    )
    decision = decide(program, ask(analyse_script(sql, catalogue).facts))
    assert (decision.verdict, decision.policies) == ("deny", ("unread",))
