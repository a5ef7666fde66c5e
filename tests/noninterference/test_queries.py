"""P2: queries cannot tell two worlds apart that look alike through the masks."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.noninterference.compare import Tally, compare
from tests.noninterference.grammar import Statement, queries
from tests.noninterference.suite import IN_CI, STOPPED, check_tally
from tests.noninterference.world import World

TALLY = Tally()


@pytest.mark.timeout(900)
@IN_CI
@given(statement=queries())
def test_p2_no_query_tells_the_worlds_apart(worlds: tuple[World, World], statement: Statement) -> None:
    compare(worlds, statement, TALLY)


def test_the_queries_are_not_vacuous() -> None:
    check_tally(TALLY, STOPPED)
