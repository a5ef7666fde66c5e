"""What the analysis says of a statement, and what the default policies say to it, as files that anyone can extend."""

from __future__ import annotations

import pytest

from gateway.pipeline import check
from governance.analysis.facts import Facts
from governance.assessment import Assessment
from tests.corpus.attempts import Attempt, Shop, load

FACTS = load("facts")
DECISIONS = load("decisions")
EVERY = {
    "kinds": lambda facts: {kind.value for kind in facts.kinds},
    "relations": lambda facts: {f"{use.use.value} {use.qualified}" for use in facts.relations},
}
SOME = {
    "functions": lambda facts: {f"{use.schema}.{use.name}" for use in facts.functions},
    "hazards": lambda facts: set(facts.hazard_codes),
    "unknown": lambda facts: {unknown.what for unknown in facts.unknown},
}
VALUES = {
    "by-key": lambda facts: "yes" if facts.by_key else "no",
    "rows-inserted": lambda facts: "many" if facts.rows_inserted is None else str(facts.rows_inserted),
    "parameters": lambda facts: str(facts.parameters),
    "statements": lambda facts: str(facts.statements),
}


def assessed(shop: Shop, attempt: Attempt) -> Assessment:
    who = shop.cast.mallory if attempt.says.get("as") == "person" else None
    return check(shop.cast.submission(attempt.steps[0], who=who))


def differences(facts: Facts, attempt: Attempt) -> dict[str, object]:
    """What a file says and the facts do not: all of a line of `EVERY`, at least what stands in a line of `SOME`."""
    found: dict[str, object] = {}
    for word, of in EVERY.items():
        expected = set(attempt.listed(word)) - {"none"}
        if word in attempt.says and of(facts) != expected:
            found[word] = of(facts)
    for word, of in SOME.items():
        if not set(attempt.listed(word)) <= of(facts):
            found[word] = of(facts)
    for word, of_value in VALUES.items():
        if word in attempt.says and of_value(facts) != attempt.says[word]:
            found[word] = of_value(facts)
    return found


def test_every_file_says_something_under_a_name_of_its_own() -> None:
    for attempts, words in ((FACTS, {*EVERY, *SOME, *VALUES}), (DECISIONS, {"verdict"})):
        names = [attempt.name for attempt in attempts]
        assert len(names) >= 20
        assert len(set(names)) == len(names)
        assert [attempt.name for attempt in attempts if not words & set(attempt.says)] == []


@pytest.mark.parametrize("attempt", FACTS, ids=str)
def test_the_facts_are_as_the_file_says(attempt: Attempt, shop: Shop) -> None:
    assert differences(assessed(shop, attempt).facts, attempt) == {}


@pytest.mark.parametrize("attempt", DECISIONS, ids=str)
def test_the_default_policies_decide_as_the_file_says(attempt: Attempt, shop: Shop) -> None:
    assessment = assessed(shop, attempt)
    decision = assessment.decision
    assert decision.verdict.value == attempt.says["verdict"], decision
    assert set(attempt.listed("policies")) <= set(decision.policies)
    masks = {f"{mask.schema}.{mask.relation}.{mask.column} {mask.mask}" for mask in decision.obligations.masks}
    assert set(attempt.listed("masks")) <= masks
