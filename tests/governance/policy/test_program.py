"""What is accepted as a policy set, and how it is refused."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import cedarpy
import orjson
import pytest

from governance.analysis.builtins import FAMILIES
from governance.policy.engine import decide
from governance.policy.problems import PolicyError, split_policies
from governance.policy.program import CONTEXT, compile_policy_set, schema
from governance.policy.question import classified_columns, context_of, entities_of, who_asks
from governance.policy.words import HAZARDS
from tests.governance.asking import CLASSES, DEFAULT, READ_CUSTOMERS, READS, ask, facts, person

REFUSED = {
    "no-id": ("permit (principal, action, resource);", "line 1: @id is missing"),
    "empty-id": ('@id("") permit (principal, action, resource);', "must be 1 to 100 letters"),
    "id-with-spaces": ('@id("a b") permit (principal, action, resource);', "must be 1 to 100 letters"),
    "id-taken": (f"{READS}\n{READS}", "line 2, policy 'reads': the id is taken by the policy on line 1"),
    "unknown-annotation": ('@id("a") @reviw("dba") forbid (principal, action, resource);', "@reviw is not known"),
    "review-without-group": ('@id("a") @review("") forbid (principal, action, resource);', "@review needs the name"),
    "review-on-a-permit": ('@id("a") @review("dba") permit (principal, action, resource);', "belongs on a forbid"),
    "review-of-unmask": (
        '@id("a") @review("dba") forbid (principal, action == Action::"unmask", resource);', "never parked"),
    "quorum-alone": ('@id("a") @quorum("2") forbid (principal, action, resource);', "@quorum needs @review"),
    "quorum-zero": (
        '@id("a") @review("dba") @quorum("0") forbid (principal, action, resource);', "whole number from 1 to 20"),
    "quorum-21": (
        '@id("a") @review("dba") @quorum("21") forbid (principal, action, resource);', "whole number from 1 to 20"),
    "quorum-in-other-digits": (
        '@id("a") @review("dba") @quorum("٣") forbid (principal, action, resource);', "whole number from 1 to 20"),
    "expires-never": (
        '@id("a") @review("dba") @expires("0m") forbid (principal, action, resource);', "30m, 4h or 7d"),
    "expires-in-a-year": (
        '@id("a") @review("dba") @expires("365d") forbid (principal, action, resource);', "at most 30d"),
    "limit-of-nothing": ('@id("a") @limit_rows("-1") permit (principal, action, resource);', "whole number from 1"),
    "limit-on-a-forbid": ('@id("a") @limit_rows("1") forbid (principal, action, resource);', "belongs on a permit"),
    "mask-unknown": (
        '@id("a") @mask("blur") permit (principal, action == Action::"unmask", resource);', "is not a mask"),
    "mask-on-a-read": ('@id("a") @mask("null") permit (principal, action, resource);', "alone"),
    "unknown-attribute": (
        '\n\n@id("a") permit (principal, action, resource) when { context.colour == "red" };',
        "line 3, policy 'a': attribute `colour`"),
    "unknown-action": ('@id("a") permit (principal, action == Action::"raed", resource);', "raed"),
    "unknown-hazard": (
        '@id("a") forbid (principal, action, resource) when { context.hazards.contains("dorp") };',
        '"dorp" is never in hazards'),
    "unknown-hazard-in-a-set": (
        '@id("a") forbid (principal, action, resource) when { context.hazards.containsAny(["drop", "dorp"]) };',
        '"dorp" is never in hazards'),
    "unknown-environment": (
        '@id("a") permit (principal, action, resource) when { context.environment != "production" };',
        '"production" is never in environment'),
    "unknown-class": (
        '@id("a") permit (principal, action == Action::"unmask", resource in DataClass::"emial");',
        'DataClass::"emial" does not exist'),
    "wrong-type": ('@id("a") permit (principal, action, resource) when { context.kinds.contains(3) };', "policy 'a'"),
    "template": ('@id("a") permit (principal == ?principal, action, resource);', "?principal"),
    "syntax": (f"{READS}\n// fine; so far\n@id(\"b\") forbid (principal, action, resource) wehn {{ true }};", "line 3: "),
    "unfinished": (f"{READS}\npermit (principal, action", "line 2: "),
    "too-long": ("/" * 1_000_001, "longer than"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_with_the_place_and_the_reason(text: str, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        compile_policy_set(text)
    assert reason in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(PolicyError) as caught:
        compile_policy_set("permit (principal, action, resource);\nforbid (principal, action, resource);")
    assert [problem.line for problem in caught.value.problems] == [1, 2]


def test_semicolons_in_strings_and_comments_end_nothing() -> None:
    text = '// a; b\n@id("a;b") permit (x); // c;\n@id("\\";") forbid (y);\n// end;'
    assert [(fragment.line, fragment.text[:4]) for fragment in split_policies(text)] == [(2, "@id("), (3, "@id(")]


def test_an_empty_text_is_a_set_that_permits_nothing() -> None:
    assert not compile_policy_set("// nobody\n").policies


def test_a_set_tells_what_it_reads() -> None:
    program = compile_policy_set(
        READS + '@id("b") forbid (principal, action, resource) when { context.hour > 20 || context has purpose };'
    )
    assert program.reads == {"hour", "purpose"}
    assert program.changes_by_itself
    assert not DEFAULT.changes_by_itself


def test_context_used_as_a_whole_reads_everything() -> None:
    program = compile_policy_set('@id("b") forbid (principal, action, resource) when { context == context };')
    assert program.reads == set(CONTEXT)


# Each of these uses up the stack of Cedar's parser, and ends the process, where it is let through.
BOTTOMLESS = {
    "and": " && ".join(["true"] * 5000),
    "plus": "+".join(["1"] * 5000) + " == 2",
    "brackets": "(" * 5000 + "true" + ")" * 5000,
    "sets": "[" * 5000 + "]" * 5000,
    "records": "{a:" * 5000 + "1" + "}" * 5000,
    "attributes": "context" + ".a" * 5000,
    "indexes": "context" + '["a"]' * 5000,
    "ifs": "if true then " * 5000 + "true" + " else true" * 5000,
    "clauses": "true } when { " * 5000 + "true",
    "namespaces": "A::" * 5000 + 'A::"x" == principal',
}


@pytest.mark.parametrize("condition", BOTTOMLESS.values(), ids=BOTTOMLESS)
def test_a_policy_that_is_nested_beyond_reason_is_refused(condition: str) -> None:
    with pytest.raises(PolicyError, match="split the policy"):
        compile_policy_set(f'{READS}\n@id("b") permit (principal, action, resource) when {{ {condition} }};')


def test_a_condition_of_fifty_parts_is_not_too_long() -> None:
    condition = " && ".join(['context.door == "rest"'] * 50)
    program = compile_policy_set(f'@id("b") permit (principal, action, resource) when {{ {condition} }};')
    assert program.reads == {"door"}


def test_long_lists_are_not_deep() -> None:
    functions = ", ".join(f'"public.f{number}"' for number in range(5000))
    condition = f"context.functions.containsAny([{functions}])"
    assert compile_policy_set(f'@id("b") forbid (principal, action, resource) when {{ {condition} }};').policies


@pytest.mark.parametrize("who", [{}, person("rita", "dba")], ids=["agent", "user"])
def test_questions_have_the_form_that_the_schema_says(who: dict[str, Any]) -> None:
    question = ask(READ_CUSTOMERS, classes=CLASSES, **who)
    assert orjson.loads(context_of(question, CONTEXT)).keys() == set(CONTEXT)
    relations = [("public", "customers"), ("public", "cards")]
    entities = entities_of(who_asks(question), "shop", "prod", relations, classified_columns(question))
    handle = cedarpy.Entities.from_json_str(orjson.dumps(entities).decode(), schema())
    request = {
        "principal": entities[0]["uid"],
        "action": {"type": "Action", "id": "read"},
        "resource": {"type": "Table", "id": "shop.public.customers"},
        "context": context_of(question, CONTEXT),
    }
    assert cedarpy.is_authorized(request, DEFAULT.whole, handle, schema()).allowed


def test_policies_know_every_hazard_that_analysis_warns_of() -> None:
    codes = {code for code, _, _ in FAMILIES} | {"side-effects"}
    for path in [*Path("governance/analysis").glob("*.py"), *Path("governance/masking").glob("*.py")]:
        codes |= set(_first_arguments(path, {"warn", "Hazard"}))
    assert codes <= set(HAZARDS)


def _first_arguments(path: Path, functions: set[str]) -> list[str]:
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and node.args)
    return [
        str(call.args[0].value)
        for call in calls
        if getattr(call.func, "attr", getattr(call.func, "id", "")) in functions
        and isinstance(call.args[0], ast.Constant)
    ]


def test_the_documentation_lists_every_hazard_and_every_word() -> None:
    page = Path("docs/policy.md").read_text()
    listed = set(re.findall(r"`([A-Za-z-]+)`", page))
    assert set(HAZARDS) <= listed
    assert set(CONTEXT) <= listed


def test_the_default_set_permits_a_read() -> None:
    assert decide(DEFAULT, ask(facts("read", uses=["read orders"]))).verdict == "allow"


def test_a_word_that_does_not_exist_is_told_once() -> None:
    with pytest.raises(PolicyError) as refused:
        compile_policy_set('permit (principal, action == Action::"raed", resource);')
    assert [problem.reason for problem in refused.value.problems] == ['unrecognized action `Action::"raed"`']
