"""What a review can demand besides people and time, how it is refused where it means nothing, and how demands combine."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.policy.decision import Decision, RequiredReview, Terms, Verdict
from governance.policy.demands import demands_in_words
from governance.policy.engine import decide
from governance.policy.examination import examine
from governance.policy.problems import PolicyError
from governance.policy.program import compile_policy_set
from tests.governance.asking import READS, WRITES, ask, facts

NIGHT = "daily 22:00-06:00 UTC"
MORNING = "daily 04:00-12:00 UTC"


def review(name: str = "r", group: str = "dba", **annotations: str) -> str:
    notes = " ".join(f'@{key}("{value}")' for key, value in annotations.items())
    return f'@id("{name}") @review("{group}") {notes} forbid (principal, action == Action::"write", resource);'


def decided(*policies: str) -> Decision:
    return decide(compile_policy_set("\n".join([READS, WRITES, *policies])), ask(facts("write")))


# --- One policy ---------------------------------------------------------------------------------------------------


def test_a_review_says_all_that_it_demands() -> None:
    decision = decided(
        review(
            stage="2", quorum="2", escalate_to="oncall", escalate_after="1h", remind="30m", step_up="10m", window=NIGHT,
            grantable="7d",
        )
    )  # fmt: skip
    assert decision.required == (RequiredReview("dba", 2, 2, "oncall", 3600),)
    assert decision.terms == Terms(step_up=600, windows=(NIGHT,), grantable=7 * 86_400, remind_after=1800)


def test_a_review_without_terms_demands_none() -> None:
    decision = decided(review())
    assert (decision.required, decision.terms) == ((RequiredReview("dba", 1),), Terms())


@pytest.mark.parametrize(
    ("notes", "reason"),
    [
        ({"stage": "0"}, "whole number from 1 to 9"),
        ({"stage": "10"}, "whole number from 1 to 9"),
        ({"escalate_to": "oncall"}, "@escalate_to needs @escalate_after"),
        ({"escalate_after": "1h"}, "@escalate_after needs @escalate_to"),
        ({"escalate_to": "dba", "escalate_after": "1h"}, "name of another group"),
        ({"escalate_to": " ", "escalate_after": "1h"}, "name of another group"),
        ({"escalate_to": "oncall", "escalate_after": "4h"}, "before the request expires"),
        ({"expires": "30m", "remind": "30m"}, "before the request expires"),
        ({"remind": "soon"}, "such as 30m, 4h or 7d"),
        ({"step_up": "0m"}, "such as 30m, 4h or 7d"),
        ({"window": "at night"}, "days, a span and a time zone"),
        ({"grantable": "31d"}, "at most 30d"),
    ],
)
def test_what_a_term_cannot_be_is_refused_with_the_reason(notes: dict[str, str], reason: str) -> None:
    with pytest.raises(PolicyError, match=reason):
        compile_policy_set(review(**notes))


@pytest.mark.parametrize(
    "term", ["stage", "escalate_to", "escalate_after", "remind", "step_up", "window", "grantable", "hold"]
)
def test_a_term_needs_a_review(term: str) -> None:
    with pytest.raises(PolicyError, match=f"@{term} needs @review"):
        compile_policy_set(f'@id("a") @{term}("1") forbid (principal, action, resource);')


def test_a_term_of_statements_is_refused_where_policies_are_activated() -> None:
    text = '@id("a") @review("dba") @step_up("5m") forbid (principal, action == Action::"activate", resource);'
    with pytest.raises(PolicyError, match="no meaning for this action"):
        compile_policy_set(text)


def test_reviewing_cannot_itself_wait_for_a_review() -> None:
    text = '@id("a") @review("dba") forbid (principal, action == Action::"approve", resource);'
    with pytest.raises(PolicyError, match="cannot itself wait"):
        compile_policy_set(text)


# --- Several policies ---------------------------------------------------------------------------------------------


def test_each_group_of_each_stage_has_the_highest_quorum() -> None:
    decision = decided(
        review("a", quorum="1"), review("b", quorum="3"), review("c", stage="2"), review("d", "legal", stage="2")
    )
    assert decision.required == (
        RequiredReview("dba", 3, 1), RequiredReview("dba", 1, 2), RequiredReview("legal", 1, 2)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param({"escalate_to": "oncall", "escalate_after": "2h"}, ("oncall", 7200), id="the later of both"),
        pytest.param({"escalate_to": "legal", "escalate_after": "2h"}, ("", 0), id="not to two groups"),
        pytest.param({}, ("", 0), id="not where one of them lets nobody"),
    ],
)
def test_others_may_stand_in_only_where_all_policies_say_so(other: dict[str, str], expected: tuple[str, int]) -> None:
    decision = decided(review("a", escalate_to="oncall", escalate_after="1h"), review("b", **other))
    (required,) = decision.required
    assert (required.escalate_to, required.escalate_after) == expected


def test_all_windows_hold_and_what_one_policy_does_not_give_is_not_given() -> None:
    decision = decided(
        review("a", window=NIGHT, grantable="7d", step_up="1h", remind="1h"), review("b", window=MORNING, step_up="5m")
    )
    assert decision.terms == Terms(step_up=300, windows=(MORNING, NIGHT), grantable=0, remind_after=3600)


def test_what_could_run_in_no_window_is_refused_rather_than_parked() -> None:
    decision = decided(review("a", window="mon 01:00-02:00 UTC"), review("b", window="tue 01:00-02:00 UTC"))
    assert (decision.verdict, decision.policies) == (Verdict.DENY, ("no-window",))
    assert "never open together" in decision.message


def test_windows_that_never_meet_are_warned_of_when_the_set_is_saved() -> None:
    found = examine(
        "\n".join([READS, review("a", window="mon 01:00-02:00 UTC"), review("b", window="tue 01:00-02:00 UTC")])
    )
    assert [(one.policy, one.severity) for one in found.warnings] == [("b", "warning")]
    assert "never open together with that of a" in found.warnings[0].reason


def test_demands_are_told_in_words() -> None:
    decision = decided(
        review("a", escalate_to="oncall", escalate_after="1h", step_up="10m"), review("b", "legal", stage="2")
    )
    assert demands_in_words(decision) == (
        "1 of dba in stage 1, or of oncall after 1 hour",
        "1 of legal in stage 2",
        "whoever approves has shown a second factor within 10 minutes",
    )


def test_locks_are_held_only_where_all_reviews_allow_it() -> None:
    assert decided(review("a", hold="locks"), review("b", hold="locks")).terms.holds_locks
    assert not decided(review("a", hold="locks"), review("b")).terms.holds_locks
    assert not decided(review("a")).terms.holds_locks


def test_nothing_else_can_be_held() -> None:
    with pytest.raises(PolicyError, match='can only be "locks"'):
        compile_policy_set(review("a", hold="rows"))


reviews = st.builds(
    lambda group, quorum, stage, expires, step_up, remind, window, grantable, escalate: review(
        "", group, quorum=str(quorum), stage=str(stage), expires=f"{expires}h",
        **({"step_up": f"{step_up}m"} if step_up else {}),
        **({"remind": f"{remind}m"} if remind else {}),
        **({"window": window} if window else {}),
        **({"grantable": f"{grantable}d"} if grantable else {}),
        **({"escalate_to": escalate[0], "escalate_after": escalate[1]} if escalate else {}),
    ),
    st.sampled_from(["dba", "legal"]), st.integers(1, 3), st.integers(1, 2), st.integers(1, 5), st.integers(0, 3),
    st.integers(0, 3), st.sampled_from(["", NIGHT, MORNING]), st.integers(0, 3),
    st.sampled_from([(), ("oncall", "10m"), ("oncall", "20m"), ("owners", "10m")]),
)  # fmt: skip


def named(policies: list[str]) -> list[str]:
    return [text.replace('@id("")', f'@id("r{number}")') for number, text in enumerate(policies)]


def told(decision: Decision) -> tuple[object, ...]:
    return decision.required, decision.terms, decision.expires_in


@given(st.lists(reviews, min_size=1, max_size=3))
@settings(max_examples=60)
def test_the_order_of_policies_never_matters(found: list[str]) -> None:
    policies = named(found)
    assert len({told(decided(*order)) for order in itertools.permutations(policies)}) == 1


@given(st.lists(reviews, min_size=1, max_size=3), reviews)
@settings(max_examples=100)
def test_another_review_never_makes_it_laxer(found: list[str], further: str) -> None:
    policies = named([*found, further])
    before, after = decided(*policies[:-1]), decided(*policies)
    if after.verdict is Verdict.DENY:
        return
    seats = {(one.stage, one.group): one for one in after.required}
    for one in before.required:
        now = seats[one.stage, one.group]
        assert now.quorum >= one.quorum
        assert not now.escalate_to or (now.escalate_to, True) == (
            one.escalate_to,
            now.escalate_after >= one.escalate_after,
        )
    assert after.expires_in <= before.expires_in
    assert not before.terms.step_up or 0 < after.terms.step_up <= before.terms.step_up
    assert set(before.terms.windows) <= set(after.terms.windows)
    assert after.terms.grantable <= before.terms.grantable
