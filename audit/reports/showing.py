"""How a value is shown, the same on the page and on paper. Pure."""

from __future__ import annotations

from datetime import datetime

from audit.reports.model import Cell, Form, Value
from audit.reports.wording import name_of, span_text, time_text

NOTHING = "–"


def shown(value: Value, form: Form, zone: str) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, datetime):
        return time_text(value, zone)
    if form == "duration" and isinstance(value, int | float):
        return span_text(float(value))
    if form == "entry":
        return f"#{value}"
    if form == "principal":
        return name_of(str(value))
    if isinstance(value, int | float):
        return f"{value:,}"
    return value


def cell_text(cell: Cell, form: Form, zone: str) -> str:
    return shown(cell.value, form, zone)


def plain(value: Value) -> str | int | float | None:
    """As JSON says it."""
    return value.isoformat() if isinstance(value, datetime) else value
