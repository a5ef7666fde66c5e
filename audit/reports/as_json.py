"""A report as JSON: every figure with its unit left to the reader, every time in UTC, every table whole up to its bound."""

from __future__ import annotations

from typing import Any

from audit.reports.controls import FRAMING
from audit.reports.model import Cell, Figures, Plot, Report, Section, Table
from audit.reports.showing import plain


def report_json(report: Report) -> dict[str, Any]:
    period, basis = report.period, report.basis
    return {
        "report": report.name,
        "title": report.title,
        "question": report.question,
        "period": {"since": plain(period.since), "until": plain(period.until), "zone": period.zone},
        "computed_from": {
            "first": basis.first,
            "end": basis.end,
            "checkpoint": {"size": basis.size, "root": basis.root, "note": basis.note, "time": plain(basis.time)},
        },
        "summary": report.summary,
        "sections": [_section(section) for section in report.sections],
        "controls": {
            "note": FRAMING,
            "references": [
                {"standard": one.framework, "reference": one.reference, "asks": one.asks} for one in report.controls
            ],
        },
    }


def _section(section: Section) -> dict[str, Any]:
    if isinstance(section, Figures):
        items = [{"label": one.label, "value": plain(one.value), "form": one.form} for one in section.items]
        return {"kind": "figures", "figures": items}
    if isinstance(section, Plot):
        series = [{"name": one.name, "values": list(one.values)} for one in section.series]
        return {"kind": "plot", "title": section.title, "labels": list(section.labels), "series": series}
    if isinstance(section, Table):
        return {
            "kind": "table",
            "key": section.key,
            "title": section.title,
            "columns": [{"title": column.title, "form": column.form} for column in section.columns],
            "rows": [[_cell(cell) for cell in row] for row in section.rows],
            "total": section.total,
        }
    return {"kind": "text", "title": section.title, "paragraphs": list(section.paragraphs)}


def _cell(cell: Cell) -> Any:
    value = plain(cell.value)
    return {"value": value, "note": cell.note} if cell.note else value
