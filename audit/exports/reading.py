"""What is asked for, strictly: what is not understood is told, and never widens what is exported."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from audit.events import KINDS, LONGEST_TEXT, VERDICTS
from audit.exports.errors import ExportInvalid
from audit.exports.formats import FORMATS
from audit.reports.making import REPORTS
from audit.reports.periods import PeriodError, custom_period
from audit.search import EntryFilter
from audit.search.filters import COLUMNS, LONGEST_SEARCH_TEXT, MOST_VALUES, NAMES, TERMS

ALL = EntryFilter()
_CHOICES: Mapping[str, Any] = {"kind": KINDS, "verdict": VERDICTS}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An export as it is asked for. `report` names the report of a PDF; `payloads` includes what is kept encrypted."""

    format: str
    filter: EntryFilter = ALL
    report: str = ""
    payloads: bool = False


def check(wanted: Wanted) -> Wanted:
    """Raises `ExportInvalid`."""
    form = FORMATS.get(wanted.format)
    if form is None:
        raise ExportInvalid(f"There is no format {wanted.format[:40]!r}.", f"Formats: {', '.join(FORMATS)}.")
    if wanted.payloads and not form.holds_payloads:
        able = ", ".join(name for name, one in FORMATS.items() if one.holds_payloads)
        raise ExportInvalid(f"{form.title} holds no payloads.", f"Formats that can: {able}.")
    if wanted.format == "pdf":
        return _checked_report(wanted)
    if wanted.report:
        raise ExportInvalid("Only a PDF is of a report.", "Leave the report out, or ask for the format pdf.")
    return wanted


def _checked_report(wanted: Wanted) -> Wanted:
    if not wanted.report:
        raise ExportInvalid("A PDF is of a report, and none is named.", f"Reports: {', '.join(REPORTS)}.")
    if wanted.report not in REPORTS:
        raise ExportInvalid(f"There is no report {wanted.report[:40]!r}.", f"Reports: {', '.join(REPORTS)}.")
    period = EntryFilter(since=wanted.filter.since, until=wanted.filter.until)
    if wanted.filter != period:
        raise ExportInvalid("A report is over a period.", "Give since and until, and no other filter.")
    if not (period.since and period.until):
        raise ExportInvalid("A report needs its period.", "Give since and until.")
    try:
        custom_period(period.since.isoformat(), period.until.isoformat())
    except PeriodError as error:
        raise ExportInvalid(str(error), "Give another since and until.") from error
    return wanted


def filter_of(given: Mapping[str, Any]) -> EntryFilter:
    """By the names of `GET audit/entries`; each value a text, or a list of texts. Raises `ExportInvalid`."""
    try:
        found = EntryFilter.of_json({name: value for name, value in given.items() if value not in (None, "", [])})
    except ValueError as error:
        raise ExportInvalid(f"The filter is not valid: {error}.", "Filters are those of GET audit/entries.") from error
    for name in (*COLUMNS, *TERMS):
        _check_values(NAMES.get(name, name), found.values(name))
    if found.text and (len(found.text) > LONGEST_SEARCH_TEXT or "\x00" in found.text):
        raise ExportInvalid(
            f"The filter is not valid: text is at most {LONGEST_SEARCH_TEXT} characters long, none of them NUL."
        )
    if found.risk_min is not None and (type(found.risk_min) is not int or not 0 <= found.risk_min <= 100):
        raise ExportInvalid("The filter is not valid: risk_min is a whole number from 0 to 100.")
    if found.since and found.until and _aware(found).since >= _aware(found).until:  # type: ignore[operator]
        raise ExportInvalid("The filter is not valid: until must be later than since.")
    return _aware(found)


def _aware(found: EntryFilter) -> EntryFilter:
    """A time without a zone is UTC."""
    moments = {name: getattr(found, name) for name in ("since", "until")}
    return dataclasses.replace(
        found, **{name: at.replace(tzinfo=UTC) for name, at in moments.items() if at and at.tzinfo is None}
    )


def _check_values(name: str, values: tuple[str, ...]) -> None:
    if len(values) > MOST_VALUES:
        raise ExportInvalid(f"The filter is not valid: {name} can have at most {MOST_VALUES} values.")
    for value in values:
        if len(value) > LONGEST_TEXT or "\x00" in value:
            raise ExportInvalid(f"The filter is not valid: {name} is at most {LONGEST_TEXT} characters long, none NUL.")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise ExportInvalid(f"The filter is not valid: {value!r} is no {name}.", f"{', '.join(_CHOICES[name])}.")
