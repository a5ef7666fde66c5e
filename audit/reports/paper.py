"""What stands on paper: prose, figures, bars and rows, each a piece that knows how high it is and where it can be parted.

Rows are drawn directly and parted by index, so that a table of thousands costs what its rows cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from audit.reports.fonts import BOLD, MONO, SANS, runs, width_of, wrapped
from audit.reports.model import Figures, Plot, Tone
from audit.reports.plots import geometry_of

# The light theme's colours (static/css/tokens.css): paper is light.
INK, SOFT, FAINT, LINE = HexColor("#151a23"), HexColor("#475163"), HexColor("#5c6778"), HexColor("#dde2e9")
ACCENT, ACCENT_SOFT, SUNKEN = HexColor("#2643b5"), HexColor("#e9edfc"), HexColor("#f1f3f6")
TONES: dict[str, Color] = {
    "": INK, "soft": FAINT, "allow": HexColor("#11603b"), "review": HexColor("#824500"), "deny": HexColor("#a21b2b"),
}  # fmt: skip
SOFTS: dict[str, Color] = {
    "allow": HexColor("#e2f4e9"), "review": HexColor("#fdf0d8"), "deny": HexColor("#fce8ea"),
    "soft": HexColor("#eaeef3"), "": HexColor("#eaeef3"),
}  # fmt: skip
FILLS: dict[str, Color] = {
    "allow": HexColor("#2c9a64"), "review": HexColor("#c07a0c"), "deny": HexColor("#cc3a49"),
    "neutral": HexColor("#8d98a8"), "accent": HexColor("#4a63c9"),
}  # fmt: skip


def draw_text(canvas: Canvas, x: float, y: float, text: str, font: str, size: float, colour: Color = INK) -> None:
    """From `x` on; each stretch in the font that has its characters."""
    canvas.setFillColor(colour)
    for name, shown in runs(text, font):
        canvas.setFont(name, size)
        canvas.drawString(x, y, shown)
        x += canvas.stringWidth(shown, name, size)


def draw_right(canvas: Canvas, x: float, y: float, text: str, font: str, size: float, colour: Color = INK) -> None:
    draw_text(canvas, x - width_of(text, font, size), y, text, font, size, colour)


@dataclass(frozen=True, slots=True)
class Style:
    font: str = SANS
    size: float = 9.0
    leading: float = 13.0
    colour: Color = INK


PROSE, SMALL = Style(), Style(size=7.5, leading=10.5, colour=SOFT)
SUMMARY = Style(size=10.5, leading=15.5)
HEADING = Style(BOLD, 12.0, 16.0)
CODE = Style(MONO, 7.0, 9.6, SOFT)


class Prose(Flowable):
    """Wrapped lines; with a box behind them where a background is given. Parted between lines."""

    def __init__(
        self, text: str, style: Style = PROSE, *, back: Color | None = None, edge: Color | None = None
    ) -> None:
        super().__init__()
        self.text, self.style, self.back, self.edge = text, style, back, edge
        self.pad = 9.0 if back else 0.0
        self.lines: list[str] = []

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        self.width = aW
        inside = aW - 2 * self.pad - (4 if self.edge else 0)
        self.lines = self.lines or wrapped(self.text, self.style.font, self.style.size, inside)
        self.height = len(self.lines) * self.style.leading + 2 * self.pad
        return aW, self.height

    def split(self, aW: float, aH: float) -> list[Flowable]:
        self.wrap(aW, aH)
        fitting = int((aH - 2 * self.pad) // self.style.leading)
        if fitting < 2 or fitting >= len(self.lines):
            return []
        return [self._part(self.lines[:fitting]), self._part(self.lines[fitting:])]

    def _part(self, lines: list[str]) -> Prose:
        part = Prose("", self.style, back=self.back, edge=self.edge)
        part.lines = lines
        return part

    def draw(self) -> None:
        canvas, style = self.canv, self.style
        if self.back is not None:
            canvas.setFillColor(self.back)
            canvas.roundRect(0, 0, self.width, self.height, 4, stroke=0, fill=1)
        if self.edge is not None:
            canvas.setFillColor(self.edge)
            canvas.roundRect(0, 0, 3.5, self.height, 1.75, stroke=0, fill=1)
        y = self.height - self.pad - style.size
        for line in self.lines:
            draw_text(canvas, self.pad + (4 if self.edge else 0), y, line, style.font, style.size, style.colour)
            y -= style.leading


class Numbers(Flowable):
    """Figures side by side, in as many lines as they need."""

    IN_LINE = 4
    HIGH = 46.0

    def __init__(self, figures: Figures, shown: Sequence[str]) -> None:
        super().__init__()
        self.items = list(zip(figures.items, shown, strict=True))
        # Six in two lines of three look better than four and two.
        count = len(self.items)
        self.in_line = (
            next((n for n in (self.IN_LINE, 3, 5) if count % n == 0), self.IN_LINE) if count > 5 else max(1, count)
        )

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        self.width = aW
        self.height = -(-len(self.items) // self.in_line) * self.HIGH
        return aW, self.height

    def draw(self) -> None:
        canvas, room = self.canv, self.width / self.in_line
        canvas.setStrokeColor(LINE)
        canvas.setLineWidth(0.6)
        for number, (figure, shown) in enumerate(self.items):
            line, place = divmod(number, self.in_line)
            x, y = place * room, self.height - (line + 1) * self.HIGH
            canvas.line(x + 0.5, y + 6, x + 0.5, y + self.HIGH - 4)
            size = 17.0
            while size > 8 and width_of(shown, BOLD, size) > room - 14:
                size -= 0.5
            draw_text(canvas, x + 8, y + 24, shown, BOLD, size, TONES[figure.tone])
            label = f"{figure.label} · {figure.note}" if figure.note else figure.label
            draw_text(canvas, x + 8, y + 11, wrapped(label, SANS, 7.5, room - 12, 1)[0], SANS, 7.5, SOFT)


class Bars(Flowable):
    """A plot with its axis and legend; vectors, so it stays sharp."""

    HIGH, LEFT, BELOW = 118.0, 34.0, 14.0

    def __init__(self, plot: Plot) -> None:
        super().__init__()
        self.plot, self.geometry = plot, geometry_of(plot)

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        self.width, self.height = aW, self.HIGH + self.BELOW + 20
        return aW, self.height

    def draw(self) -> None:
        low, wide = self.BELOW, self.width - self.LEFT
        canvas = self.canv
        self._legend()
        for tick in self.geometry.ticks:
            y = low + tick.y * self.HIGH
            canvas.setStrokeColor(LINE if tick.value else FAINT)
            canvas.setLineWidth(0.5)
            canvas.line(self.LEFT, y, self.width, y)
            draw_right(canvas, self.LEFT - 5, y - 2.4, f"{tick.value:,}", SANS, 6.8, FAINT)
        for bar in self.geometry.bars:
            for segment in bar.segments:
                canvas.setFillColor(FILLS[segment.tone])
                x, y = self.LEFT + bar.x * wide, low + segment.y * self.HIGH
                canvas.rect(x, y, bar.width * wide, segment.height * self.HIGH, stroke=0, fill=1)
        for label, x in self.geometry.labels:
            canvas.setFillColor(FAINT)
            middle = self.LEFT + x * wide - width_of(label, SANS, 6.8) / 2
            draw_text(canvas, max(0, middle), 2, label, SANS, 6.8, FAINT)

    def _legend(self) -> None:
        # Many names begin further left, and stand closer.
        x, gap = (self.LEFT, 14) if len(self.plot.series) < 5 else (0.0, 9)
        y = self.BELOW + self.HIGH + 9
        if len(self.plot.series) == 1:
            text = f"{self.geometry.total:,} {self.plot.what}"
            draw_text(self.canv, x, y, text, SANS, 7.5, SOFT)
            return
        for series in self.plot.series:
            self.canv.setFillColor(FILLS[series.tone])
            self.canv.roundRect(x, y - 0.5, 7, 7, 1.5, stroke=0, fill=1)
            text = f"{sum(series.values):,} {series.name}"
            draw_text(self.canv, x + 10, y, text, SANS, 7.5, SOFT)
            x += 10 + width_of(text, SANS, 7.5) + gap


@dataclass(frozen=True, slots=True)
class PaperCell:
    """One cell as it is printed: lines in a font, right-aligned where it is a number, on a ground where it is a mark."""

    text: str
    note: str = ""
    tone: Tone = ""
    font: str = SANS
    right: bool = False
    mark: bool = False
    url: str = ""


class Rows(Flowable):
    """A table: its head again on every page, rows never parted."""

    SIZE, LEADING, PAD, MOST_LINES = 7.5, 9.8, 4.0, 14

    def __init__(
        self,
        head: Sequence[PaperCell],
        weights: Sequence[float],
        rows: Sequence[Sequence[PaperCell]],
        start: int = 0,
        end: int | None = None,
        heights: list[float] | None = None,
    ) -> None:
        super().__init__()
        self.head, self.weights, self.rows = head, weights, rows
        self.start, self.end = start, len(rows) if end is None else end
        self.heights = heights

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        self.width = aW
        total = sum(self.weights)
        self.widths = [aW * weight / total for weight in self.weights]
        if self.heights is None:
            self.heights = [self._height(row) for row in self.rows]
        self.height = self._head_height() + sum(self.heights[self.start : self.end])
        return aW, self.height

    def split(self, aW: float, aH: float) -> list[Flowable]:
        self.wrap(aW, aH)
        assert self.heights is not None  # noqa: S101  `wrap` sets it
        room, place = aH - self._head_height(), self.start
        while place < self.end and self.heights[place] <= room:
            room -= self.heights[place]
            place += 1
        if place in (self.start, self.end):
            return []
        both = ((self.start, place), (place, self.end))
        return [Rows(self.head, self.weights, self.rows, first, end, self.heights) for first, end in both]

    def _lines(self, cell: PaperCell, width: float) -> list[str]:
        inside = width - 2 * self.PAD - (4 if cell.mark else 0) - (5 if cell.right else 0)
        return wrapped(cell.text, cell.font, self._size(cell), inside, self.MOST_LINES)

    def _notes(self, cell: PaperCell, width: float) -> list[str]:
        return (
            wrapped(cell.note, SANS, self.SIZE - 1, width - 2 * self.PAD - (5 if cell.right else 0), 4)
            if cell.note
            else []
        )

    def _size(self, cell: PaperCell) -> float:
        return self.SIZE - 0.8 if cell.font == MONO else self.SIZE

    def _height(self, row: Sequence[PaperCell]) -> float:
        lines = [
            len(self._lines(cell, width)) * self.LEADING + len(self._notes(cell, width)) * (self.LEADING - 1)
            for cell, width in zip(row, self.widths, strict=True)
        ]
        return max(lines, default=self.LEADING) + 2 * self.PAD - 1

    def _head_height(self) -> float:
        most = max(
            len(wrapped(cell.text, BOLD, 6.8, width - 9, 3)) for cell, width in zip(self.head, self.widths, strict=True)
        )
        return most * 8.6 + 7

    def draw(self) -> None:
        assert self.heights is not None  # noqa: S101  `wrap` sets it
        y = self._draw_head()
        for number in range(self.start, self.end):
            height = self.heights[number]
            self._draw_row(self.rows[number], y)
            y -= height
            self.canv.setStrokeColor(LINE)
            self.canv.setLineWidth(0.4)
            self.canv.line(0, y, self.width, y)

    def _draw_head(self) -> float:
        high = self._head_height()
        self.canv.setFillColor(SUNKEN)
        self.canv.rect(0, self.height - high, self.width, high, stroke=0, fill=1)
        x = 0.0
        for cell, width in zip(self.head, self.widths, strict=True):
            y = self.height - 9.5
            for line in wrapped(cell.text, BOLD, 6.8, width - 9, 3):
                self._put(line, cell.right, x, width, y, BOLD, 6.8, SOFT)
                y -= 8.6
            x += width
        return self.height - high

    def _draw_row(self, row: Sequence[PaperCell], top: float) -> None:
        x = 0.0
        for cell, width in zip(row, self.widths, strict=True):
            y = top - self.PAD - self.SIZE + 0.5
            for line in self._lines(cell, width):
                if cell.mark and line:
                    self._ground(line, cell, x, y)
                shift = 3.0 if cell.mark else 0.0
                self._put(line, cell.right, x + shift, width, y, cell.font, self._size(cell), TONES[cell.tone])
                y -= self.LEADING
            for line in self._notes(cell, width):
                self._put(line, cell.right, x, width, y + 0.8, SANS, self.SIZE - 1, FAINT)
                y -= self.LEADING - 1
            x += width

    def _ground(self, line: str, cell: PaperCell, x: float, y: float) -> None:
        self.canv.setFillColor(SOFTS[cell.tone])
        wide = width_of(line, cell.font, self._size(cell)) + 6
        self.canv.roundRect(x + self.PAD, y - 2.4, wide, self.SIZE + 2.6, 3, stroke=0, fill=1)

    def _put(
        self, line: str, right: bool, x: float, width: float, y: float, font: str, size: float, colour: Color
    ) -> None:
        if right:
            # What stands to the right of a number keeps its distance.
            draw_right(self.canv, x + width - self.PAD - 5, y, line, font, size, colour)
        else:
            draw_text(self.canv, x + self.PAD, y, line, font, size, colour)
