"""P2 under policies that hold little back: mass writes, definitions, copies and plans run, and the masks hold by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.noninterference.compare import Tally, compare
from tests.noninterference.forms import OPENED, forms
from tests.noninterference.grammar import Statement, queries
from tests.noninterference.suite import IN_CI, check_tally
from tests.noninterference.world import World

TALLY = Tally()


@pytest.mark.timeout(900)
@IN_CI
@given(statement=st.one_of(forms(), forms(), queries()))
def test_p2_masks_hold_where_policies_hold_little_back(
    opened_worlds: tuple[World, World], statement: Statement
) -> None:
    compare(opened_worlds, statement, TALLY)


@pytest.mark.parametrize("construct", OPENED)
def test_p2_each_construct_that_waits_for_people_by_default_executes_alike(
    opened_worlds: tuple[World, World], construct: str
) -> None:
    sql, *touched = OPENED[construct]
    alone = Tally()
    compare(opened_worlds, Statement(sql, frozenset({construct}), (), tuple(touched)), alone)
    assert alone.executed == 1.0, alone.report()


def test_what_is_opened_is_not_vacuous() -> None:
    check_tally(TALLY)
