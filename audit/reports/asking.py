"""What people and programs ask a report for: a period by name, or two times, in a zone. The same for every door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import timezone

from audit.reports.model import Period
from audit.reports.periods import PeriodError, custom_period, preset_period

DEFAULT = "month"
ASKED = ("period", "since", "until", "zone", "end")


@dataclass(frozen=True, slots=True)
class Asked:
    """`end` bounds the entries, so that the pages of a table, or a report made again, speak of the same ones."""

    period: Period
    end: int | None


def asked_for(given: Mapping[str, str]) -> Asked:
    """From the query string, or a command's options. Raises `PeriodError`."""
    zone = given.get("zone") or "UTC"
    since, until = given.get("since", ""), given.get("until", "")
    if since and until:
        return Asked(custom_period(since, until, zone), _end(given))
    if since or until:
        raise PeriodError("A period needs both its beginning and its end: since and until.")
    return Asked(preset_period(given.get("period") or DEFAULT, timezone.now(), zone), _end(given))


def _end(given: Mapping[str, str]) -> int | None:
    text = given.get("end", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise PeriodError("“end” must be the number of entries that the report may speak of, like 12345.")
    return int(text)
