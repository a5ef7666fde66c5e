"""A report on paper: `write_report`. The same report for the same reader gives the same bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, CondPageBreak, Flowable, Frame, KeepTogether, PageTemplate, Spacer

from audit.reports.controls import FRAMING
from audit.reports.fonts import BOLD, MONO, SANS, register, width_of, wrapped
from audit.reports.making import make_report
from audit.reports.model import Cell, Column, Figures, Plot, Report, Section, Table, Text
from audit.reports.paper import (
    ACCENT,
    ACCENT_SOFT,
    CODE,
    FAINT,
    HEADING,
    INK,
    LINE,
    PROSE,
    SMALL,
    SOFT,
    SOFTS,
    SUMMARY,
    SUNKEN,
    TONES,
    Bars,
    Numbers,
    PaperCell,
    Prose,
    Rows,
    draw_right,
    draw_text,
)
from audit.reports.scope import whole_period
from audit.reports.showing import cell_text, shown
from audit.reports.wording import period_text, time_text

MARGIN, TOP, BOTTOM = 17 * mm, 20 * mm, 19 * mm
WIDTH, HEIGHT = A4
# Beyond this, a table names how many rows it leaves out; the ledger's search and exports have them all.
MOST_ROWS = 5_000
RIGHT = {"number", "duration"}


def write_report(
    target: Path | BinaryIO,
    report: str,
    since: datetime | None,
    until: datetime | None,
    made_for: str,
    *,
    zone: str = "UTC",
    end: int | None = None,
) -> Report:
    """Makes the report and writes it as PDF; `end` bounds the entries. A file is on disk when this returns. Without `since`
    it begins with the log, without `until` it ends with it.

    Raises `ReportError`, `PeriodError`, `audit.reading.ArchiveUnavailable`, `OSError`.
    """
    made = make_report(report, whole_period(since, until, zone), end)
    if isinstance(target, Path):
        with target.open("wb") as file:
            write_pdf(file, made, made_for)
            file.flush()
            os.fsync(file.fileno())
    else:
        write_pdf(target, made, made_for)
    return made


def write_pdf(file: BinaryIO, report: Report, made_for: str) -> None:
    register()
    document = BaseDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=TOP,
        bottomMargin=BOTTOM,
        title=f"{report.title}, {period_text(report.period)}",
        author="Countersign",
        subject=report.question,
        creator="Countersign",
        lang="en-GB",
        # No time of making and no random id: the same report is the same file.
        invariant=1,
    )
    frame = Frame(MARGIN, BOTTOM, WIDTH - 2 * MARGIN, HEIGHT - TOP - BOTTOM, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate("page", [frame])])
    document.build(list(_story(report, made_for)), canvasmaker=_canvas_of(report, made_for))


def _story(report: Report, made_for: str) -> Iterator[Flowable]:
    yield Title(report, made_for)
    yield Spacer(1, 12)
    yield Prose(report.summary, SUMMARY, back=ACCENT_SOFT, edge=ACCENT)
    yield Spacer(1, 12)
    for section in report.sections:
        yield from _section(section, report.period.zone)
    yield from _controls(report)
    yield from _basis(report)


def _section(section: Section, zone: str) -> Iterator[Flowable]:
    if isinstance(section, Figures):
        yield Numbers(section, [shown(figure.value, figure.form, zone) for figure in section.items])
        yield Spacer(1, 10)
    elif isinstance(section, Plot):
        yield KeepTogether([Prose(section.title, HEADING), Spacer(1, 4), Bars(section), Spacer(1, 14)])
    elif isinstance(section, Text):
        back = SOFTS[section.tone] if section.tone in ("deny", "review") else None
        edge = TONES[section.tone] if back else None
        said: list[Flowable] = []
        for paragraph in section.paragraphs:
            said += [Prose(paragraph, PROSE if back else SMALL, back=back, edge=edge), Spacer(1, 5)]
        yield CondPageBreak(70)
        yield KeepTogether([Prose(section.title, HEADING), Spacer(1, 3), *said[:2]])
        yield from said[2:]
        yield Spacer(1, 10)
    else:
        yield from _table(section, zone)


def _table(table: Table, zone: str) -> Iterator[Flowable]:
    yield CondPageBreak(90)
    yield Prose(table.title, HEADING)
    if table.note:
        yield Prose(table.note, SMALL)
    yield Spacer(1, 4)
    if not table.rows:
        yield Prose(table.empty, SMALL)
    else:
        head = [PaperCell(column.title, right=column.form in RIGHT) for column in table.columns]
        kept = table.rows[:MOST_ROWS]
        rows = [[_cell(cell, column, zone) for cell, column in zip(row, table.columns, strict=True)] for row in kept]
        yield Rows(head, [column.weight for column in table.columns], rows)
        if table.total > len(kept):
            yield Spacer(1, 3)
            left = f"{table.total - len(kept):,} more of {table.total:,} are not printed; a search or an export has them all."
            yield Prose(left, SMALL)
    yield Spacer(1, 15)


def _cell(cell: Cell, column: Column, zone: str) -> PaperCell:
    text = cell_text(cell, column.form, zone)
    is_empty = cell.value is None or cell.value == ""
    font = MONO if column.form == "code" and not is_empty else SANS
    return PaperCell(
        text=text,
        note=cell.note,
        tone="soft" if is_empty else cell.tone,
        font=font,
        right=column.form in RIGHT,
        mark=column.form == "mark" and not is_empty,
    )


def _controls(report: Report) -> Iterator[Flowable]:
    head = [PaperCell(name) for name in ("Standard", "Reference", "What it asks for")]
    rows = [
        [PaperCell(one.framework), PaperCell(one.reference, font=BOLD), PaperCell(one.asks)] for one in report.controls
    ]
    yield CondPageBreak(140)
    yield Prose("Controls that this report speaks to", HEADING)
    yield Prose(FRAMING, SMALL)
    yield Spacer(1, 4)
    yield Rows(head, (1.5, 1.5, 5), rows)
    yield Spacer(1, 15)


def _basis(report: Report) -> Iterator[Flowable]:
    basis = report.basis
    said = [
        Prose("What it was computed from", HEADING),
        Prose(basis_text(report), SMALL),
        Spacer(1, 5),
        Prose(recompute_text(report), CODE, back=SUNKEN),
    ]
    if basis.note:
        said += [Spacer(1, 6), Prose("The signed checkpoint that covers these entries:", SMALL), Spacer(1, 3)]
        said.append(Prose(basis.note.rstrip("\n"), CODE, back=SUNKEN))
    yield KeepTogether(said)


def basis_text(report: Report) -> str:
    basis = report.basis
    if not basis.count:
        return "The ledger has no entries in this period."
    return (
        f"{basis.count:,} entries of the ledger, from {basis.first} to {basis.end - 1}, and nothing else. They are covered by"
        f" the signed checkpoint of {basis.size:,} entries. Whoever has the ledger, or an export of these entries, can"
        " compute the same figures again; the same range always gives the same report:"
    )


def recompute_text(report: Report) -> str:
    period = report.period
    return (
        f"manage.py ledger report {report.name} --since {period.since:%Y-%m-%dT%H:%M:%SZ}"
        f" --until {period.until:%Y-%m-%dT%H:%M:%SZ} --zone {period.zone} --end {report.basis.end} --output report.pdf"
    )


class Title(Flowable):
    """The head of the first page."""

    def __init__(self, report: Report, made_for: str) -> None:
        super().__init__()
        self.report, self.made_for = report, made_for

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        self.width = aW
        self.question = wrapped(self.report.question, SANS, 11, aW)
        self.height = 74 + 14.5 * len(self.question)
        return aW, self.height

    def draw(self) -> None:
        canvas, report = self.canv, self.report
        y = self.height - 12
        _seal(canvas, 0, y - 3.5, 14)
        draw_text(canvas, 19, y, "Countersign", BOLD, 10, INK)
        draw_right(canvas, self.width, y, "Report from the ledger", SANS, 8.5, FAINT)
        y -= 38
        draw_text(canvas, 0, y, report.title, BOLD, 24, INK)
        for line in self.question:
            y -= 14.5 if y < self.height - 50 else 17
            draw_text(canvas, 0, y, line, SANS, 11, SOFT)
        y -= 18
        draw_text(canvas, 0, y, period_text(report.period), BOLD, 9, ACCENT)
        draw_right(canvas, self.width, y, f"made for {self.made_for}", SANS, 8.5, FAINT)
        canvas.setStrokeColor(ACCENT)
        canvas.setLineWidth(1.2)
        canvas.line(0, y - 8, self.width, y - 8)


def _seal(canvas: Canvas, x: float, y: float, size: float) -> None:
    """The product's mark: a circle with two ticks."""
    unit = size / 16
    canvas.setStrokeColor(ACCENT)
    canvas.setLineWidth(1.3 * unit)
    canvas.circle(x + 8 * unit, y + 8 * unit, 6.7 * unit, stroke=1, fill=0)
    tick = canvas.beginPath()
    tick.moveTo(x + 3.6 * unit, y + 7.7 * unit)
    tick.lineTo(x + 6 * unit, y + 5.3 * unit)
    tick.lineTo(x + 10.2 * unit, y + 10.2 * unit)
    tick.moveTo(x + 8.4 * unit, y + 5.4 * unit)
    tick.lineTo(x + 12.8 * unit, y + 10.2 * unit)
    canvas.drawPath(tick, stroke=1, fill=0)


def _canvas_of(report: Report, made_for: str) -> type[Canvas]:
    """A canvas that knows how many pages there are when it writes the foot of each."""

    class Numbered(Canvas):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                _foot(self, report, made_for, number, len(self._pages))
                super().showPage()
            super().save()

    return Numbered


def _foot(canvas: Canvas, report: Report, made_for: str, number: int, pages: int) -> None:
    basis, y = report.basis, 10.5 * mm
    if number > 1:
        draw_text(canvas, MARGIN, HEIGHT - 13 * mm, report.title, BOLD, 8, SOFT)
        draw_right(canvas, WIDTH - MARGIN, HEIGHT - 13 * mm, period_text(report.period), SANS, 8, FAINT)
        canvas.setStrokeColor(LINE)
        canvas.setLineWidth(0.5)
        canvas.line(MARGIN, HEIGHT - 15 * mm, WIDTH - MARGIN, HEIGHT - 15 * mm)
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN, y + 8, WIDTH - MARGIN, y + 8)
    at = f", {time_text(basis.time, report.period.zone, seconds=False)}" if basis.time else ""
    entries = f"entries {basis.first} to {basis.end - 1}" if basis.count else "no entries"
    left = f"{entries} · checkpoint {basis.size:,}{at} · root "
    draw_text(canvas, MARGIN, y - 2, left, SANS, 6.8, FAINT)
    draw_text(canvas, MARGIN + width_of(left, SANS, 6.8), y - 2, f"{basis.root[:16]}…", MONO, 6.2, FAINT)
    draw_right(canvas, WIDTH - MARGIN, y - 2, f"page {number} of {pages}", SANS, 6.8, FAINT)
