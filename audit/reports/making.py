"""The reports by name, and making one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from audit.reports import approvals, integrity, policies, privileged, sensitive
from audit.reports.controls import CONTROLS
from audit.reports.model import Period, Report, Section
from audit.reports.scope import Scope, basis_of, scope_of
from audit.reports.sources import ReportError


@dataclass(frozen=True, slots=True)
class Maker:
    name: str
    title: str
    question: str
    build: Callable[[Scope], tuple[str, tuple[Section, ...]]]


REPORTS = {
    name: Maker(name, module.TITLE, module.QUESTION, module.build)
    for name, module in {
        "sensitive-data": sensitive,
        "privileged": privileged,
        "approvals": approvals,
        "policy-changes": policies,
        "integrity": integrity,
    }.items()
}


def maker_of(name: str) -> Maker:
    """Raises `ReportError` for a name that no report has."""
    if name not in REPORTS:
        raise ReportError(f"There is no report {name[:60]!r}. There are: {', '.join(REPORTS)}.")
    return REPORTS[name]


def make_report(name: str, period: Period, end: int | None = None) -> Report:
    """The same period and the same `end` give the same report. Raises `ReportError`, `audit.reading.ArchiveUnavailable`."""
    maker = maker_of(name)
    scope = scope_of(period, end)
    basis = basis_of(scope)
    # What the tables hold at this moment is part of what this one says.
    summary, sections = maker.build(scope) if maker.build is integrity.build else _built(name, scope, basis.root)
    return Report(name, maker.title, maker.question, period, basis, summary, sections, CONTROLS[name])


@lru_cache(maxsize=8)
def _built(name: str, scope: Scope, _root: str) -> tuple[str, tuple[Section, ...]]:
    """Kept for turning the pages of a long table. A range of a log with this root never says anything else."""
    return REPORTS[name].build(scope)
