"""What the templates of reports are given: sections with their values as text, tables a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from audit.reports.controls import FRAMING
from audit.reports.model import Cell, Column, Figures, Plot, Report, Section, Table, Text
from audit.reports.pdf import basis_text, recompute_text
from audit.reports.periods import zone_named
from audit.reports.plots import geometry_of
from audit.reports.showing import cell_text, shown
from audit.reports.wording import period_text

ROWS = 25
FORMS = {"principal": "principal", "entry": "entry", "mark": "mark", "code": "code"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reader is: the query string that stays, and the page of each table. None: a file, whole and without links."""

    kept: Mapping[str, str]
    pages: Mapping[str, str]


def page_context(made: Report, given: Mapping[str, str]) -> dict[str, Any]:
    period = made.period
    kept = {"since": period.since.isoformat(), "until": period.until.isoformat(), "zone": period.zone}
    kept |= {"end": str(made.basis.end)}
    place = Place(kept, {key: value for key, value in given.items() if key.startswith("page.")})
    inside = zone_named(period.zone)
    return {
        **_context(made, place),
        "alone": False,
        "preset": period.preset,
        "since": f"{period.since.astimezone(inside):%Y-%m-%dT%H:%M}",
        "until": f"{period.until.astimezone(inside):%Y-%m-%dT%H:%M}",
        "fixed": kept,
    }


def file_context(made: Report) -> dict[str, Any]:
    """All rows, and no address of this installation."""
    return {**_context(made, None), "alone": True}


def _context(made: Report, place: Place | None) -> dict[str, Any]:
    return {
        "report": made,
        "period": period_text(made.period),
        "sections": [_section(section, made.period.zone, place) for section in made.sections],
        "basis": basis_text(made),
        "recompute": recompute_text(made),
        "framing": FRAMING,
    }


def _section(section: Section, zone: str, place: Place | None) -> dict[str, Any]:
    if isinstance(section, Figures):
        items = [{"figure": one, "shown": shown(one.value, one.form, zone)} for one in section.items]
        return {"kind": "figures", "items": items}
    if isinstance(section, Plot):
        legend = [(series, sum(series.values)) for series in section.series]
        found = {"geometry": geometry_of(section), "legend": legend, "rows": _plot_rows(section)}
        return {"kind": "plot", "plot": section, **found}
    if isinstance(section, Text):
        return {"kind": "text", "text": section}
    return _table(section, zone, place)


def _plot_rows(plot: Plot) -> list[tuple[str, list[int]]]:
    """The same as numbers, for whoever does not see the bars; without the empty ones."""
    return [
        (label, [series.values[place] for series in plot.series])
        for place, label in enumerate(plot.labels)
        if plot.totals[place]
    ]


@dataclass(frozen=True, slots=True)
class ShownCell:
    label: str
    text: str
    note: str
    tone: str
    form: str
    value: Any
    is_empty: bool
    url: str


def _table(table: Table, zone: str, place: Place | None) -> dict[str, Any]:
    last = max(1, -(-len(table.rows) // ROWS))
    page = _page(place.pages.get(f"page.{table.key}", "1"), last) if place else 1
    rows = table.rows[(page - 1) * ROWS : page * ROWS] if place else table.rows
    return {
        "kind": "table",
        "table": table,
        "head": [(column.title, column.form in ("number", "duration")) for column in table.columns],
        "rows": [[_cell(*both, zone, place) for both in zip(row, table.columns, strict=True)] for row in rows],
        "note": _where(table, page, last) if place else "",
        "previous": _address(place, table, page - 1) if place and page > 1 else "",
        "next": _address(place, table, page + 1) if place and page < last else "",
    }


def _page(text: str, last: int) -> int:
    return min(last, max(1, int(text))) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _address(place: Place, table: Table, number: int) -> str:
    return urlencode({**place.kept, **place.pages, f"page.{table.key}": str(number)}) + f"#table-{table.key}"


def _where(table: Table, page: int, last: int) -> str:
    if table.total <= ROWS:
        return ""
    left = f"; the first {len(table.rows):,} are shown" if table.total > len(table.rows) else ""
    return f"{table.total:,} rows, page {page} of {last}{left}"


def _cell(cell: Cell, column: Column, zone: str, place: Place | None) -> ShownCell:
    form = "number" if column.form in ("number", "duration") else FORMS.get(column.form, "text")
    is_empty = cell.value is None or cell.value == ""
    url = f"{reverse('ledger')}?{urlencode(cell.search)}" if place and cell.search and not is_empty else ""
    text = cell_text(cell, column.form, zone)
    return ShownCell(column.title, text, cell.note, cell.tone, form, cell.value, is_empty, url)
