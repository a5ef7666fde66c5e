"""`manage.py policy`: explaining, comparing, replaying, and activating under review."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from audit import ledger
from audit.models import Entry
from governance.assessment import Asking, assess
from governance.models import PolicyProposal
from governance.policy import proposals, store
from governance.policy.askers import principal_labelled
from identity.principals import principal_of_user
from tests.factories import Cast, make_user
from tests.gateway.conftest import cast, shop
from tests.governance.asking import READS
from tests.governance.commands.test_commands import run

__all__ = ["cast", "shop"]

EXPLAIN = ("--datasource=shop", "--as=agent:analyst-bot")
MASKED = "SELECT email FROM customers WHERE id = 7"


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(text: str, name: str = "policies.cedar") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def record(cast: Cast, sql: str, who: str = "agent:analyst-bot", **more: Any) -> None:
    """As the gateway records what it let run, parked or denied."""
    found = assess(cast.datasource, sql, Asking(principal_labelled(who), "rest"))
    verdict = found.decision.verdict.value
    kind = {"allow": "statement.intent", "review": "statement.parked", "deny": "statement.denied"}[verdict]
    ledger.append(
        kind,
        principal=who,
        door="rest",
        datasource="shop",
        verdict=verdict,
        query="3f1c1f2e-8f0b-4f7e-9d6f-0c6f5b1f2a3d",
        fingerprint=found.facts.fingerprint,
        sql_normal=found.facts.normal,
        payload={"sql": sql, "params": []},
        **more,
    )


def test_check_explains_a_statement_under_the_active_set(cast: Cast) -> None:
    told = run("policy", "check", "--sql", MASKED, *EXPLAIN)
    assert told.startswith("ALLOW for agent:analyst-bot on shop (rest)")
    assert "read (permit, line" in told
    assert "public.customers.email (email): partial" in told
    assert "read public.customers" in told
    assert "Would be sent\n  SELECT email FROM (SELECT" in told


def test_check_explains_a_statement_under_a_file(cast: Cast, file: Any) -> None:
    told = run("policy", "check", file(READS), "--sql", "DELETE FROM orders", *EXPLAIN)
    assert told.startswith("DENY")
    assert "no-permit (Countersign's own)" in told
    assert "hazard delete-without-where" in told
    assert "40 it deletes every row" in told


def test_check_explains_what_a_review_would_take(cast: Cast) -> None:
    told = run("policy", "check", "--sql", "DELETE FROM orders", *EXPLAIN)
    assert told.startswith("REVIEW")
    assert "Waits for 1 of dba, at most 240 minutes." in told
    assert "mass-write (review, line" in told


def test_check_as_json_is_what_rest_answers(cast: Cast) -> None:
    found = json.loads(run("policy", "check", "--sql", MASKED, "--json", *EXPLAIN))
    assert found["decision"]["verdict"] == "allow"
    assert found["deciding"][0]["id"] == "read"
    assert "email" in {mask["column"] for mask in found["decision"]["masks"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "--sql", "SELECT 1"), "--datasource NAME --as"),
        (("check", "--sql", "SELECT 1", "--datasource=shop", "--as=agent:nobody"), "no principal 'agent:nobody'"),
        (("check", "--sql", "SELECT 1", "--datasource=nope", "--as=user:rita"), "no data source 'nope'"),
        (("check", "--sql", "SELEC", *EXPLAIN), "syntax error"),
        (("diff", "1", "9"), "no version 9"),
    ],
)
def test_wrong_use_is_told_in_words(cast: Cast, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("policy", *arguments)


def test_diff_names_what_changed_and_shows_the_lines(cast: Cast, file: Any) -> None:
    run("policy", "apply", file(READS))
    run("policy", "apply", file(READS.replace("principal,", "principal is Agent,") + READS.replace("reads", "more")))
    told = run("policy", "diff")
    assert "added: more\nchanged: reads\n--- version 2\n+++ version 3\n" in told
    assert "removed: mass-write" in run("policy", "diff", "1", "2")
    assert "are equal" in run("policy", "diff", file(READS), "2")


def test_a_file_alone_is_compared_with_the_active_set_as_if_it_were_applied(cast: Cast, file: Any) -> None:
    told = run("policy", "diff", file(READS))
    assert "removed: mass-write" in told
    assert told.index("--- version 1") < told.index("+++ ")


def test_warnings_are_told_and_refuse_nothing(cast: Cast, file: Any) -> None:
    text = READS + '@id("gone") permit (principal in Group::"nobody", action == Action::"write", resource);'
    told = run("policy", "apply", file(text))
    assert "Version 2" in told
    assert "Warning: line 1, policy 'gone': Group::\"nobody\" names nothing" in told


def test_a_lock_out_is_refused_and_the_active_set_stays(cast: Cast, file: Any) -> None:
    locked = file(READS + '@id("all") forbid (principal, action, resource);')
    for verb in ("check", "apply"):
        with pytest.raises(CommandError, match="no administrator could"):
            run("policy", verb, locked)
    assert store.active().version == 1


def test_apply_proposes_where_the_active_set_demands_a_review(cast: Cast, file: Any) -> None:
    demanding = READS + '@id("two") @review("dba") forbid (principal, action == Action::"activate", resource);'
    run("policy", "apply", file(demanding))
    told = run("policy", "apply", file(READS), "--comment", "back")
    proposal = PolicyProposal.objects.get()
    assert f"it is proposed, not active: {proposal.pk}" in told
    assert "when 1 of group dba have approved" in told
    proposals.review(proposal.pk, principal_of_user(cast.rita), "approve")
    assert store.active().text == READS


def test_replay_lists_what_would_change_by_fingerprint(cast: Cast, file: Any) -> None:
    for number in range(3):
        record(cast, f"SELECT city FROM customers WHERE id = {number}")
    record(cast, "SELECT city FROM customers WHERE id = 9", "user:rita")
    record(cast, "DELETE FROM orders")
    people = READS.replace("principal,", "principal is User,")
    scope = 'principal is User, action == Action::"unmask", resource in DataClass::"unclassified_text"'
    scrubbed = f'@id("texts") permit ({scope});'
    told = run("policy", "replay", file(f"{people}\n{scrubbed}"))
    assert "5 statements replayed" in told
    assert "4 would change" in told
    assert "allow → deny: 3" in told
    assert "review → deny: 1" in told
    assert "SELECT city FROM customers WHERE id = ?" in told
    assert "decided by read → no-permit" in told


def test_replay_tells_what_is_seen_differently_where_the_verdict_stays(cast: Cast, file: Any) -> None:
    record(cast, MASKED)
    shown = READS + '@id("shows") permit (principal, action == Action::"unmask", resource);'
    found = json.loads(run("policy", "replay", file(shown), "--json"))
    (change,) = found["changes"]
    assert [what.partition(" public.")[0] for what in change["what"]] == ["no longer masks"]
    assert "public.customers.email=partial" in change["what"][0]
    assert found["verdicts"] == [{"before": "allow", "after": "allow", "count": 1}]


def test_replay_tells_what_cannot_be_replayed(cast: Cast, file: Any) -> None:
    record(cast, "SELECT 1")
    gone = make_user("gone")
    record(cast, "SELECT 2", "user:gone")
    gone.delete()
    told = run("policy", "replay", file(READS))
    assert "1 statements replayed" in told
    assert "Not replayed\n  1 ×  There is no principal 'user:gone'." in told


def test_an_approved_statement_counts_once(cast: Cast, file: Any) -> None:
    record(cast, "DELETE FROM orders")
    record(cast, "SELECT 1", request="3f1c1f2e-8f0b-4f7e-9d6f-0c6f5b1f2a3e")
    assert json.loads(run("policy", "replay", file(READS), "--json"))["replayed"] == 1


def test_replay_takes_no_more_than_it_is_told(cast: Cast, file: Any) -> None:
    for number in range(4):
        record(cast, f"SELECT {number}")
    assert "2 statements replayed" in run("policy", "replay", file(READS), "--limit=2")
    with pytest.raises(CommandError, match="must be a span"):
        run("policy", "replay", file(READS), "--since=lately")


def test_a_set_that_looks_at_the_time_is_asked_for_the_time_of_the_entry(cast: Cast, file: Any) -> None:
    record(cast, "SELECT 1")
    moment = Entry.objects.get(kind="statement.intent").time
    then = f"context.hour == {moment.hour} && context.weekday == {moment.isoweekday()}"
    closed = READS + f'@id("then") forbid (principal is Agent, action, resource) when {{ {then} }};'
    found = json.loads(run("policy", "replay", file(closed), "--json"))
    assert found["verdicts"] == [{"before": "allow", "after": "deny", "count": 1}]
