"""Who must agree: each person counts once, for one group."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.quorum import missing
from governance.policy.decision import RequiredReview

DBA, LEGAL = "dba", "legal"


@pytest.mark.parametrize(
    ("required", "approvals", "lacking"),
    [
        pytest.param([(DBA, 1)], {}, {DBA: 1}, id="nobody approved"),
        pytest.param([(DBA, 1)], {"rita": {DBA}}, {}, id="one of one"),
        pytest.param([(DBA, 2)], {"rita": {DBA}}, {DBA: 1}, id="one of two"),
        pytest.param([(DBA, 1)], {"rita": {LEGAL}}, {DBA: 1}, id="of another group"),
        pytest.param(
            [(DBA, 1), (LEGAL, 1)], {"rita": {DBA, LEGAL}}, {LEGAL: 1}, id="one person does not fill two seats"
        ),
        pytest.param([(DBA, 1), (LEGAL, 1)], {"rita": {DBA, LEGAL}, "dora": {DBA}}, {}, id="people are seated to fit"),
        pytest.param([], {}, {}, id="nothing is required"),
    ],
)
def test_what_is_still_missing(
    required: list[tuple[str, int]], approvals: dict[str, set[str]], lacking: dict[str, int]
) -> None:
    people = {person: frozenset(groups) for person, groups in approvals.items()}
    assert missing([RequiredReview(*one) for one in required], people) == lacking


people_in_groups = st.dictionaries(st.sampled_from("abcdef"), st.frozensets(st.sampled_from([DBA, LEGAL])))


@given(people_in_groups, st.integers(1, 4), st.integers(1, 4))
def test_p5_quorum_counts_distinct_people(approvals: dict[str, frozenset[str]], dba: int, legal: int) -> None:
    if not missing([RequiredReview(DBA, dba), RequiredReview(LEGAL, legal)], approvals):
        assert len(approvals) >= dba + legal


@given(people_in_groups, st.sampled_from("uvw"), st.frozensets(st.sampled_from([DBA, LEGAL])))
def test_a_further_approval_never_makes_more_missing(
    approvals: dict[str, frozenset[str]], person: str, groups: frozenset[str]
) -> None:
    required = [RequiredReview(DBA, 2), RequiredReview(LEGAL, 2)]
    before = sum(missing(required, approvals).values())
    assert sum(missing(required, approvals | {person: groups}).values()) <= before
