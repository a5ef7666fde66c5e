"""How much is run, and when it says something."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import HealthCheck, Phase, settings

from tests.noninterference.compare import Tally

STATEMENTS = 700
# Stopped by the default policies for what they are, whatever stands in them.
STOPPED = frozenset(
    """
    copy of masks, delete masked, insert select, merge, plan over masks, returning masked, row lock, temporary table,
    temporary view, update masked
    """.replace("\n", " ")
    .strip()
    .split(", ")
)
# The same statements on every run: what fails here fails again. `python -m tests.noninterference` takes new ones.
IN_CI = settings(
    max_examples=STATEMENTS,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def check_tally(tally: Tally, stopped: Collection[str] = ()) -> None:
    """Run after the statements of its module: each construct that came up often enough has executed."""
    report = tally.report()
    assert tally.statements >= STATEMENTS, report
    assert tally.executed >= 0.4, report
    assert tally.never_executed() <= {word.strip() for word in stopped}, report
