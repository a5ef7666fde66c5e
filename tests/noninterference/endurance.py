"""The suite without an end: rounds of new statements until the time is over. Not collected by itself; see `__main__`."""

from __future__ import annotations

import os
import sys
import time

from hypothesis import given, seed, settings

from tests.noninterference.compare import Tally, compare
from tests.noninterference.forms import forms
from tests.noninterference.grammar import Statement, queries
from tests.noninterference.suite import IN_CI
from tests.noninterference.world import World

ROUND = settings(IN_CI, max_examples=400, derandomize=False)


def test_p2_nothing_tells_the_worlds_apart(worlds: tuple[World, World]) -> None:
    until = time.monotonic() + 60 * float(os.environ["PROVE_MINUTES"])
    number, tally = int(os.environ["PROVE_SEED"]), Tally()
    try:
        while time.monotonic() < until:
            _tell(f"seed {number}")
            for strategy in (queries(), forms()):

                @seed(number)
                @ROUND
                @given(statement=strategy)
                def every_statement(statement: Statement) -> None:
                    compare(worlds, statement, tally)

                every_statement()
            number += 1
            _tell(f"{tally.statements} statements, {tally.executed:.0%} executed")
    finally:
        _tell(tally.report())


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  this is a command
