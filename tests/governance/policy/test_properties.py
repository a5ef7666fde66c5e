"""What must hold for every policy set and every statement."""

from __future__ import annotations

import dataclasses

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from governance.analysis.facts import Facts, Kind, RelationUse, Use
from governance.policy.decision import Verdict
from governance.policy.engine import decide
from governance.policy.program import compile_policy_set
from governance.policy.words import HAZARDS
from tests.governance.asking import DEFAULT, READS, SHOWS, WRITES, ask, facts

STRICTNESS = list(Verdict)
NAMES = ["orders", "customers"]
CLASSES = {("public", "customers"): {"email": "email", "phone": "phone"}, ("public", "orders"): {"note": "free_text"}}

conditions = st.sampled_from(
    [
        "true",
        "false",
        "context.unread",
        "context.byKey",
        'context.kinds.contains("write")',
        'context.hazards.contains("drop")',
        'context.environment == "prod"',
        "context.rowsInserted > 100",
        'resource in Schema::"shop.public"',
        'resource in DataClass::"email"',
        'resource == Table::"shop.public.orders"',
        'resource == Column::"shop.public.customers.phone"',
        "context.written + 9223372036854775807 > 0",
    ]
)
actions = st.sampled_from(["action", 'action == Action::"read"', 'action == Action::"write"'])
statements = st.builds(
    lambda kinds, uses, hazards, unknown, by_key, rows: dataclasses.replace(
        facts(*kinds, hazards=hazards, unknown=unknown),
        relations=tuple(sorted(RelationUse("public", name, use) for name, use in uses)),
        by_key=by_key,
        rows_inserted=rows,
    ),
    st.sets(st.sampled_from([kind.value for kind in Kind]), max_size=3),
    st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(list(Use))), max_size=3),
    st.sets(st.sampled_from(sorted(HAZARDS)), max_size=2),
    st.lists(st.just("f()"), max_size=1),
    st.booleans(),
    st.sampled_from([None, 0, 1, 101]),
)


@st.composite
def policy_lists(draw: st.DrawFn, *, effects: tuple[str, ...] = ("permit", "forbid", "review")) -> list[str]:
    chosen = draw(st.lists(st.tuples(st.sampled_from(effects), actions, conditions), max_size=4))
    return [policy(f"p{number}", *parts) for number, parts in enumerate(chosen)]


def policy(name: str, effect: str, action: str, condition: str) -> str:
    word = {"permit": "permit", "forbid": "forbid", "review": '@review("dba") forbid'}[effect]
    return f'@id("{name}") {word} (principal, {action}, resource) when {{ {_fitting(action, condition)} }};'


def _fitting(action: str, condition: str) -> str:
    """The schema refuses conditions that can never hold, such as a column that is read or written."""
    if action != "action" and ("Column::" in condition or "DataClass::" in condition):
        return "true"
    return condition


def verdict_of(policies: list[str], of: Facts) -> Verdict:
    return decide(compile_policy_set("\n".join(policies)), ask(of, classes=CLASSES)).verdict


@given(policy_lists(), statements, st.sampled_from(["forbid", "review"]), actions, conditions)
@settings(max_examples=150, deadline=None)
def test_adding_a_forbid_or_a_review_never_loosens(
    policies: list[str], of: Facts, effect: str, action: str, condition: str
) -> None:
    assume(effect == "forbid" or not of.unknown)  # a review may park what is unread: see below
    base = [READS, WRITES, *policies]
    tightened = [*base, policy("added", effect, action, condition)]
    assert STRICTNESS.index(verdict_of(tightened, of)) >= STRICTNESS.index(verdict_of(base, of))


@given(policy_lists(), statements, conditions)
@settings(max_examples=100, deadline=None)
def test_adding_a_forbid_never_shows_a_column(policies: list[str], of: Facts, condition: str) -> None:
    def hidden(texts: list[str]) -> set[str]:
        decision = decide(compile_policy_set("\n".join(texts)), ask(of, classes=CLASSES))
        return {mask.column for mask in decision.obligations.masks}

    base = [READS, WRITES, SHOWS, *policies]
    tightened = [*base, policy("added", "forbid", "action", condition)]
    if verdict_of(tightened, of) is not Verdict.DENY:
        assert hidden(base) <= hidden(tightened)


@given(policy_lists(), statements)
@settings(max_examples=100, deadline=None)
def test_unread_is_never_allowed(policies: list[str], of: Facts) -> None:
    unread = dataclasses.replace(of, unknown=facts(unknown=["f()"]).unknown)
    everything = '@id("all") permit (principal, action, resource);'
    assert verdict_of([everything, *policies], unread) is not Verdict.ALLOW


@given(policy_lists(), policy_lists(effects=("review",)), statements)
@settings(max_examples=100, deadline=None)
def test_what_policies_deny_stays_denied_with_reviews(policies: list[str], reviews: list[str], of: Facts) -> None:
    renamed = [text.replace('@id("p', '@id("r') for text in reviews]
    without = decide(compile_policy_set("\n".join([READS, *policies])), ask(of, classes=CLASSES))
    if without.verdict is Verdict.DENY and without.policies != ("unread",):
        assert verdict_of([READS, *policies, *renamed], of) is Verdict.DENY


@given(policy_lists(effects=("permit", "forbid")), statements)
@settings(max_examples=50, deadline=None)
def test_only_a_review_that_reads_it_parks_what_is_unread(policies: list[str], of: Facts) -> None:
    unread = dataclasses.replace(of, unknown=facts(unknown=["f()"]).unknown)
    brake = '@id("brake") @review("dba") forbid (principal, action, resource);'
    assert verdict_of([READS, WRITES, *policies, brake], unread) is Verdict.DENY


@given(policy_lists(), statements)
@settings(max_examples=100, deadline=None)
def test_naming_something_else_changes_no_decision(policies: list[str], of: Facts) -> None:
    """Without names in the policies one relation is asked for all; with names, each by itself: to the same effect."""
    plain = compile_policy_set("\n".join([READS, WRITES, SHOWS, *policies]))
    naming = compile_policy_set(
        plain.text
        + '@id("x") forbid (principal, action == Action::"read", resource == Table::"other.a.b");'
        + '@id("y") forbid (principal, action == Action::"unmask", resource == Column::"other.a.b.c");'
    )
    assert {"Table", "Column"} <= naming.named.keys()
    question = ask(of, classes=CLASSES)
    assert decide(plain, question) == decide(naming, question)


@given(statements)
@settings(max_examples=200, deadline=None)
def test_every_decision_names_policies_and_says_something(of: Facts) -> None:
    decision = decide(DEFAULT, ask(of, classes=CLASSES))
    assert decision.policies
    assert decision.message
    assert bool(decision.required) == (decision.verdict is Verdict.REVIEW)
