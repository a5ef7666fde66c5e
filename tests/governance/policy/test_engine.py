"""How answers of policies are put together, on small policy sets."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from governance.classes import BUILT_IN, MASKS
from governance.policy.decision import RequiredReview
from governance.policy.engine import decide
from tests.governance.asking import (
    CLASSES,
    DELETE_ALL,
    MONDAY_MORNING,
    READ_CUSTOMERS,
    READ_ORDERS,
    READS,
    SHOWS,
    WRITES,
    ask,
    facts,
    person,
    program,
)


def review(name: str, group: str, extra: str = "") -> str:
    return f'@id("{name}") @review("{group}") {extra} forbid (principal, action == Action::"write", resource);'


def test_without_a_permit_nothing_runs() -> None:
    decision = decide(program(READS), ask(DELETE_ALL))
    assert (decision.verdict, decision.policies) == ("deny", ("no-permit",))
    assert decision.message == "No policy permits agent:analyst-bot to write to public.orders."


def test_an_empty_set_denies() -> None:
    assert decide(program(""), ask(READ_ORDERS)).policies == ("no-permit",)


def test_a_forbid_wins_over_a_permit() -> None:
    forbid = '@id("no") @message("Not today.") @remedy("Tomorrow.") forbid (principal, action, resource);'
    decision = decide(program(READS, forbid), ask(READ_ORDERS))
    assert (decision.verdict, decision.policies) == ("deny", ("no",))
    assert (decision.message, decision.remedy) == ("Not today.", "Tomorrow.")


def test_every_relation_must_be_permitted() -> None:
    only_orders = '@id("orders") permit (principal, action == Action::"read", resource == Table::"shop.public.orders");'
    decision = decide(program(only_orders), ask(facts("read", uses=["read orders", "read hr.pay"])))
    assert decision.verdict == "deny"
    assert "hr.pay" in decision.message
    assert "public.orders" not in decision.message


def test_a_schema_can_be_closed() -> None:
    forbid = '@id("hr") forbid (principal, action, resource in Schema::"shop.hr");'
    assert decide(program(READS, forbid), ask(READ_ORDERS)).verdict == "allow"
    assert decide(program(READS, forbid), ask(facts("read", uses=["read hr.pay"]))).policies == ("hr",)


def test_names_with_dots_are_told_from_nested_names() -> None:
    closed = '@id("closed") forbid (principal, action, resource == Table::"shop.a.b");'
    odd = dataclasses.replace(READ_ORDERS, relations=(dataclasses.replace(READ_ORDERS.relations[0], name='a".b'),))
    quoted = r'@id("odd") forbid (principal, action, resource == Table::"shop.public.\"a\"\".b\"");'
    assert decide(program(READS, closed), ask(odd)).verdict == "allow"
    assert decide(program(READS, quoted), ask(odd)).policies == ("odd",)


def test_groups_owners_and_names_can_be_told_apart() -> None:
    analysts = '@id("analysts") permit (principal in Group::"analysts", action == Action::"read", resource);'
    adas = (
        '@id("adas") permit (principal is Agent, action == Action::"read", resource) when { principal.owner == "ada" };'
    )
    assert decide(program(analysts), ask(READ_ORDERS)).policies == ("analysts",)
    assert decide(program(analysts), ask(READ_ORDERS, groups=frozenset({"others"}))).verdict == "deny"
    assert decide(program(adas), ask(READ_ORDERS)).policies == ("adas",)
    assert decide(program(adas), ask(READ_ORDERS, **person("ada"))).verdict == "deny"


def test_reviews_combine_to_the_strictest() -> None:
    decision = decide(
        program(
            WRITES,
            review("a", "dba", '@quorum("2") @expires("7d") @message("A.")'),
            review("b", "dba", '@expires("30m") @message("B.")'),
            review("c", "privacy"),
        ),
        ask(DELETE_ALL),
    )
    assert (decision.verdict, decision.policies) == ("review", ("a", "b", "c"))
    assert decision.required == (RequiredReview("dba", 2), RequiredReview("privacy", 1))
    assert decision.expires_in == 30 * 60
    assert decision.message == "A. B. Needs a review by policy c."


def test_a_review_permits_nothing_by_itself() -> None:
    assert decide(program(READS, review("a", "dba")), ask(DELETE_ALL)).policies == ("no-permit",)


def test_deny_wins_over_review() -> None:
    forbid = '@id("no") forbid (principal, action, resource) when { context.hazards.contains("delete-without-where") };'
    assert decide(program(WRITES, review("a", "dba"), forbid), ask(DELETE_ALL)).policies == ("no",)


def test_a_denied_relation_beside_a_parked_one_denies() -> None:
    of = facts("read", "write", uses=["read orders", "delete items"])
    assert decide(program(WRITES, review("a", "dba")), ask(of)).policies == ("no-permit",)


def test_an_error_in_a_policy_denies() -> None:
    overflow = '@id("sum") forbid (principal, action, resource) when { context.written + 9223372036854775807 > 5 };'
    of = facts("write", uses=["delete orders"])
    decision = decide(program(WRITES, overflow), ask(of))
    assert (decision.verdict, decision.policies) == ("deny", ("policy-error",))


def test_an_error_in_a_permit_denies_even_beside_another_permit() -> None:
    overflow = '@id("sum") permit (principal, action, resource) when { context.risk + 9223372036854775807 > 5 };'
    assert decide(program(READS, overflow), ask(READ_ORDERS, risk=1)).policies == ("policy-error",)


def test_unread_is_refused_whatever_the_policies_permit() -> None:
    everything = '@id("all") permit (principal, action, resource);'
    decision = decide(program(everything), ask(facts("read", uses=["read orders"], unknown=["f()"])))
    assert (decision.verdict, decision.policies) == ("deny", ("unread",))
    assert "f(): nobody knows it" in decision.message


def test_unread_is_parked_only_by_a_review_that_names_it() -> None:
    of = facts("write", uses=["delete orders"], unknown=["f()"])
    named = '@id("named") @review("dba") forbid (principal, action, resource) when { context.unread };'
    assert decide(program(WRITES, review("mass", "dba")), ask(of)).policies == ("unread",)
    assert decide(program(WRITES, named), ask(of)).verdict == "review"


def test_the_smallest_row_limit_counts() -> None:
    decision = decide(
        program(
            '@id("a") @limit_rows("500") permit (principal, action == Action::"read", resource);',
            '@id("b") @limit_rows("50") permit (principal is Agent, action == Action::"read", resource);',
        ),
        ask(READ_ORDERS),
    )
    assert decision.obligations.max_rows == 50
    assert decision.policies == ("a", "b")


def test_one_class_can_be_shown_and_the_others_stay_masked() -> None:
    emails = '@id("mail") permit (principal, action == Action::"unmask", resource in DataClass::"email");'
    masks = decide(program(READS, emails), ask(READ_CUSTOMERS, classes=CLASSES)).obligations.masks
    assert [mask.column for mask in masks] == ["number", "full_name"]


def test_one_column_can_be_shown_and_its_class_stays_masked() -> None:
    one = '@id("one") permit (principal, action == Action::"unmask", resource == Column::"shop.public.a.x");'
    classes = {("public", "a"): {"x": "email", "y": "email"}}
    masks = decide(program(READS, one), ask(facts("read", uses=["read a"]), classes=classes)).obligations.masks
    assert [mask.column for mask in masks] == ["y"]


def test_a_forbid_hides_what_a_permit_shows() -> None:
    cards = '@id("cards") forbid (principal, action == Action::"unmask", resource in DataClass::"card_number");'
    masks = decide(program(READS, SHOWS, cards), ask(READ_CUSTOMERS, classes=CLASSES)).obligations.masks
    assert [mask.column for mask in masks] == ["number"]


def test_the_strictest_mask_of_the_permits_is_taken() -> None:
    weak = '@id("weak") @mask("partial") permit (principal, action == Action::"unmask", resource);'
    strong = '@id("strong") @mask("null") permit (principal is Agent, action == Action::"unmask", resource);'
    masks = decide(program(READS, SHOWS, weak, strong), ask(READ_CUSTOMERS, classes=CLASSES)).obligations.masks
    assert {mask.mask for mask in masks} == {"null"}


def test_an_error_while_unmasking_masks() -> None:
    broken = (
        '@id("broken") permit (principal, action == Action::"unmask", resource)'
        " when { context.risk + 9223372036854775807 > 5 };"
    )
    decision = decide(program(READS, SHOWS, broken), ask(READ_CUSTOMERS, classes=CLASSES, risk=1))
    assert len(decision.obligations.masks) == 3


def test_a_class_that_is_not_built_in_is_redacted() -> None:
    decision = decide(program(READS), ask(READ_CUSTOMERS, classes={("public", "customers"): {"x": "tattoo"}}))
    assert decision.obligations.masks[0].mask == "redact"


def test_a_denial_has_no_obligations() -> None:
    assert not decide(program(""), ask(READ_CUSTOMERS, classes=CLASSES)).obligations.masks


@pytest.mark.parametrize(
    ("condition", "fields"),
    [
        ('context.door == "rest"', {}),
        ("context.hour == 9 && context.weekday == 1", {"now": MONDAY_MORNING}),
        ('context.purpose like "*audit*"', {"purpose": "yearly audit\ud800"}),
        ('context.onBehalfOf == "cleo"', {"on_behalf_of": "cleo"}),
        ("context.hasRun", {"run": "r-1"}),
        ("context.estimatedRows == 12 && context.risk == 30", {"estimated_rows": 12, "risk": 30}),
        ("context.estimatedRows == -1", {}),
        ('context.uses.contains("read") && context.written == 0', {}),
    ],
)
def test_policies_can_read(condition: str, fields: dict[str, Any]) -> None:
    permit = f'@id("it") permit (principal, action == Action::"read", resource) when {{ {condition} }};'
    assert decide(program(permit), ask(READ_ORDERS, **fields)).verdict == "allow"


def test_the_decision_names_the_version_of_the_set() -> None:
    assert decide(program(READS), ask(READ_ORDERS)).set_version == 7


def test_every_built_in_class_has_a_known_mask() -> None:
    assert {data_class.mask for data_class in BUILT_IN.values()} <= set(MASKS)


def test_every_mask_of_the_registry_has_its_place_in_the_order_of_strictness() -> None:
    from governance.masking import masks

    assert set(masks.MASKS) == set(MASKS)
