"""The reports by name, and making one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
    summary, sections = maker.build(scope)
    return Report(name, maker.title, maker.question, period, basis_of(scope), summary, sections, CONTROLS[name])
