"""P2: neither writes, scripts, cursors, plans, copies nor provoked errors tell two worlds apart."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.noninterference.compare import Tally, compare
from tests.noninterference.forms import PLAIN, forms
from tests.noninterference.grammar import Statement
from tests.noninterference.suite import IN_CI, STOPPED, check_tally
from tests.noninterference.world import World

TALLY = Tally()


@pytest.mark.timeout(900)
@IN_CI
@given(statement=forms())
def test_p2_no_statement_form_tells_the_worlds_apart(worlds: tuple[World, World], statement: Statement) -> None:
    compare(worlds, statement, TALLY)


@pytest.mark.parametrize("construct", PLAIN)
def test_p2_each_construct_executes_alike(worlds: tuple[World, World], construct: str) -> None:
    alone = Tally()
    compare(worlds, Statement(PLAIN[construct], frozenset({construct})), alone)
    assert alone.executed == 1.0, alone.report()


def test_the_forms_are_not_vacuous() -> None:
    check_tally(TALLY, STOPPED)
