"""Is a set sound as a whole: whom it locks out, and what in it does nothing."""

from __future__ import annotations

import pytest

from governance.policy import surroundings
from governance.policy.changes import changes_between, unified_diff
from governance.policy.examination import examine
from governance.policy.store import default_text
from tests.factories import make_user
from tests.governance.asking import READS, program

NO_READ = "no administrator could read anything any more"
NO_ACTIVATION = "no administrator could activate another policy set any more"


def forbid(name: str, scope: str = "principal, action, resource", condition: str = "") -> str:
    return f'@id("{name}") forbid ({scope}){condition};'


def test_the_default_set_is_sound_and_has_no_warnings() -> None:
    found = examine(default_text())
    assert found.is_sound
    assert (found.problems, found.warnings) == ((), ())


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("", [NO_READ]),
        (READS + forbid("all"), [NO_ACTIVATION, NO_READ]),
        (READS + forbid("frozen", 'principal, action == Action::"activate", resource'), [NO_ACTIVATION]),
        ('@id("agents") permit (principal is Agent, action, resource);', [NO_READ]),
        (READS + forbid("people", "principal is User, action, resource"), [NO_ACTIVATION, NO_READ]),
        (READS.replace(";", " when { context.hour > 22 && context.hour < 22 };"), [NO_READ]),
        (READS + forbid("pages", condition=' when { context.door != "web" }'), None),
        (READS + forbid("doors", condition=' unless { context.door == "mcp" }'), None),
        (READS.replace(";", ' when { context.purpose == "migration" };'), None),
        (READS.replace(";", " when { context.weekday == 7 && context.hour == 3 };"), None),
        (READS.replace("resource)", 'resource == Table::"shop.hr.\\"Odd.Name\\"")'), None),
        (READS.replace("principal,", 'principal in Group::"dba",'), None),
        (READS.replace("principal,", 'principal == User::"rita",'), None),
        (READS.replace(";", ' when { context.environment == "dev" };'), None),
        (READS + forbid("not-root", condition=' unless { principal == User::"root" }'), None),
        (READS + '@id("parked") @review("dba") forbid (principal, action, resource);', None),
        (READS + forbid("unread", condition=" when { context.unread }"), None),
    ],
)
def test_a_set_that_locks_out_every_administrator_is_refused(text: str, reasons: list[str] | None) -> None:
    found = examine(text)
    assert len(found.problems) == len(reasons or [])
    assert all(reason in problem.reason for reason, problem in zip(reasons or [], found.problems, strict=True))
    assert found.is_sound is (reasons is None)


def test_a_lock_out_names_line_and_policy() -> None:
    (problem,) = examine(f"{READS}\n" + forbid("no", 'principal, action == Action::"read", resource')).problems
    assert (problem.line, problem.policy, problem.severity) == (2, "no", "error")


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ('@id("a") permit (principal, action, resource) when { false };', "it never holds"),
        ('@id("a") permit (principal, action, resource) unless { true };', "it never holds"),
        ('@id("a") permit (principal is Agent, action == Action::"read", resource);', "no-agents (line 2) forbids all"),
        ('@id("a") permit (principal, action == Action::"approve", resource);', "approve needs no permit"),
        (
            '@id("a") permit (principal, action == Action::"export", resource in DataSource::"shop");',
            "nothing asks for export on tables",
        ),
        ('@id("a") @review("dba") forbid (principal, action == Action::"export", resource);', "never parked"),
        ('@id("a") permit (principal, action == Action::"activate", resource);', "activate needs no permit"),
    ],
)
def test_a_policy_that_does_nothing_is_warned_of(policy: str, reason: str) -> None:
    found = examine(f"{READS}\n{forbid('no-agents', 'principal is Agent, action, resource')}\n{policy}")
    assert found.is_sound
    assert [(one.line, one.policy, one.severity) for one in found.warnings] == [(3, "a", "warning")]
    assert reason in found.warnings[0].reason


def test_names_and_groups_that_nobody_has_are_warned_of(control_db: str) -> None:
    make_user("rita", "dba")
    text = "\n".join(
        [
            READS,
            '@id("group") permit (principal in Group::"analysts", action == Action::"write", resource);',
            '@id("user") permit (principal == User::"rta", action == Action::"write", resource);',
            '@id("table") permit (principal, action == Action::"write", resource == Table::"shop.public.orders");',
            '@id("few") @review("dba") @quorum("2") forbid (principal, action == Action::"write", resource);',
            '@id("nobody") @review("privacy") forbid (principal, action == Action::"write", resource);',
        ]
    )
    found = surroundings.examine(text)
    assert found.is_sound
    assert [one.policy for one in found.warnings] == ["group", "user", "table", "few", "nobody"]


def test_changes_are_told_by_policy() -> None:
    before = program(READS, forbid("gone"), forbid("kept"), forbid("moved"))
    kept = forbid("kept").replace("(principal, action", "(principal,\n  action")
    after = program(
        forbid("moved", condition=" when { context.unread }"), f"// a comment\n{kept}", READS, forbid("new")
    )
    found = changes_between(before, after)
    assert [(one.what, one.policy) for one in found] == [("removed", "gone"), ("added", "new"), ("changed", "moved")]
    assert found[2].before == forbid("moved")
    assert "context.unread" in found[2].after


def test_the_diff_is_as_everybody_prints_it() -> None:
    assert unified_diff("a\nb\n", "a\nc\n", "version 1", "x.cedar").splitlines() == [
        "--- version 1", "+++ x.cedar", "@@ -1,2 +1,2 @@", " a", "-b", "+c",
    ]  # fmt: skip
    assert unified_diff("a\n", "a\n", "x", "y") == ""
