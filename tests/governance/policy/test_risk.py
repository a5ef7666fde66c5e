"""The risk score: complete, deterministic, in words, and never lowered by anything that is found."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance import risk
from governance.analysis.facts import Facts, Hazard, Kind
from governance.classes import BUILT_IN
from governance.policy.words import ENVIRONMENTS
from governance.policy.words import HAZARDS as CODES
from tests.governance.asking import DELETE_ALL, READ_ORDERS, facts

kinds = st.sets(st.sampled_from([kind.value for kind in Kind]), max_size=4)
hazards = st.sets(st.sampled_from(sorted(CODES)), max_size=4)
classes = st.sets(st.sampled_from(sorted(BUILT_IN)), max_size=4)
environments = st.sampled_from(ENVIRONMENTS)
statements = st.builds(
    lambda kinds, hazards, unknown, by_key: facts(*kinds, hazards=sorted(hazards), unknown=unknown, by_key=by_key),
    kinds,
    hazards,
    st.lists(st.just("f()"), max_size=1),
    st.booleans(),
)


def test_every_kind_and_every_hazard_weighs() -> None:
    assert risk.KINDS.keys() == set(Kind)
    assert risk.HAZARDS.keys() == CODES.keys()


def test_every_hazard_raises_the_risk() -> None:
    assert all(points > 0 for points, _ in risk.HAZARDS.values())


@given(statements, environments, classes, st.sampled_from(sorted(CODES)))
@settings(max_examples=200, deadline=None)
def test_another_hazard_never_lowers_it(of: Facts, environment: str, names: set[str], code: str) -> None:
    worse = dataclasses.replace(of, hazards=(*of.hazards, Hazard(code, "", 0)))
    assert risk.assess(worse, environment, names).score >= risk.assess(of, environment, names).score


@given(statements, environments, classes, st.sampled_from(list(Kind)), st.sampled_from(sorted(BUILT_IN)))
@settings(max_examples=200, deadline=None)
def test_another_kind_or_class_never_lowers_it(
    of: Facts, environment: str, names: set[str], kind: Kind, name: str
) -> None:
    before = risk.assess(of, environment, names).score
    assert risk.assess(dataclasses.replace(of, kinds=of.kinds | {kind}), environment, names).score >= before
    assert risk.assess(of, environment, names | {name}).score >= before


@given(statements, environments, classes, st.one_of(st.none(), st.integers(0, 10**9)))
@settings(max_examples=200, deadline=None)
def test_it_is_from_0_to_100_and_the_parts_add_up(
    of: Facts, environment: str, names: set[str], rows: int | None
) -> None:
    found = risk.assess(of, environment, names, rows)
    assert found.score == min(100, sum(part.points for part in found.parts))
    assert all(part.points > 0 and part.reason for part in found.parts)
    assert found == risk.assess(of, environment, sorted(names, reverse=True), rows)


def test_an_ordinary_read_of_production_is_no_risk() -> None:
    assert risk.assess(READ_ORDERS, "prod").score == 0


def test_text_that_nobody_classified_is_no_risk_by_itself() -> None:
    assert risk.assess(READ_ORDERS, "prod", ["unclassified_text"]).parts == ()


def test_the_parts_say_why() -> None:
    reasons = [part.reason for part in risk.assess(DELETE_ALL, "prod", ["email"], 50_000).parts]
    assert reasons == [
        "it changes data",
        "it deletes every row",
        "it is on production",
        "the rows that it changes are not named by key",
        "it touches relations that hold email",
        "about 50,000 rows are concerned",
    ]


@pytest.mark.parametrize("table", [risk.KINDS, risk.HAZARDS])
def test_the_documentation_lists_the_points(table: dict[str, tuple[int, str]]) -> None:
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", Path("docs/policy.md").read_text(), re.MULTILINE))
    assert {str(code): str(points) for code, (points, _) in table.items()}.items() <= listed.items()
