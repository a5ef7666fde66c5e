"""The PDF: the same bytes for the same report, every script, long tables whole, nothing of it from outside."""

from __future__ import annotations

import io
import re
import zlib
from base64 import a85decode
from datetime import timedelta
from pathlib import Path

import pytest

from audit.reports.fonts import MONO, SANS, runs, width_of, wrapped
from audit.reports.making import REPORTS
from audit.reports.model import Basis, Cell, Column, Period, Plot, Report, Series, Table
from audit.reports.paper import PaperCell, Rows
from audit.reports.pdf import write_pdf, write_report
from audit.reports.plots import geometry_of
from tests.audit.reports.filling import SINCE, UNTIL, Filling, add_request, statement


def report_of(rows: int, name: str = "rita") -> Report:
    columns = (Column("Entry", "entry"), Column("Who", "principal"), Column("What", "text", 3))
    cells = tuple((Cell(n), Cell(f"user:{name}"), Cell(f"did thing {n}")) for n in range(rows))
    table = Table("t", "Everything", columns, cells, rows, "Nothing.")
    period = Period(SINCE, UNTIL)
    return Report("integrity", "A title", "A question?", period, Basis(0, rows, rows, "00" * 32), "In short.", (table,))


def pdf_of(report: Report, made_for: str = "olaf") -> bytes:
    file = io.BytesIO()
    write_pdf(file, report, made_for)
    return file.getvalue()


def pages_of(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b[^s]", content))


@pytest.mark.usefixtures("control_db")
@pytest.mark.parametrize("name", REPORTS)
def test_the_same_range_is_the_same_file(name: str, tmp_path: Path):
    log = Filling()
    add_request(log, 1, SINCE + timedelta(days=2))
    log.add(SINCE, "statement.intent", **statement(classes=["email"], kinds=["ddl"]))
    log.write()
    both = [tmp_path / "one.pdf", tmp_path / "other.pdf"]
    for path in both:
        write_report(path, name, SINCE, UNTIL, "olaf")
    assert both[0].read_bytes() == both[1].read_bytes()
    assert both[0].read_bytes().startswith(b"%PDF-")


@pytest.mark.usefixtures("control_db")
def test_an_open_period_is_the_whole_log():
    log = Filling()
    log.add(SINCE, "signin.succeeded", principal="user:rita")
    log.add(UNTIL, "signin.succeeded", principal="user:rita")
    log.write()
    assert write_report(io.BytesIO(), "integrity", None, None, "olaf").basis.count == 2


def test_fonts_are_embedded_and_nothing_is_fetched():
    content = pdf_of(report_of(3))
    assert content.count(b"/FontFile2") >= 2
    assert b"/URI" not in content
    assert b"/JavaScript" not in content


def test_long_tables_go_on_over_pages_with_their_heads():
    assert pages_of(pdf_of(report_of(500))) > 8


def test_rows_are_parted_without_losing_one():
    cells = [[PaperCell(f"row {n}")] for n in range(100)]
    left, parts = Rows([PaperCell("Head")], [1], cells), []
    while True:
        split = left.split(300, 200)
        if not split:
            break
        first, rest = split
        assert isinstance(first, Rows)
        assert isinstance(rest, Rows)
        left = rest
        parts.append((first.start, first.end))
    parts.append((left.start, left.end))
    assert [start for start, _end in parts] == [0, *(end for _start, end in parts[:-1])]
    assert parts[-1][1] == 100


@pytest.mark.parametrize("name", ["Zoë", "Ελένη", "Зоя", "Արամ", "გიორგი", "李雷", "さくら", "김철수"])
def test_names_of_many_scripts_have_glyphs(name: str):
    assert "".join(shown for _font, shown in runs(name, SANS)) == name


def test_what_is_written_from_right_to_left_is_drawn_so():
    assert "".join(shown for _font, shown in runs("by שרה at 9", SANS)) == "by הרש at 9"


@pytest.mark.parametrize(
    ("sly", "shown"), [("a\u202eb", "a[U+202E]b"), ("a\x07", "a[U+0007]"), ("\U0001fae0", "[U+1FAE0]")]
)
def test_what_would_mislead_is_printed_as_its_code_point(sly: str, shown: str):
    assert "".join(text for _font, text in runs(sly, SANS)) == shown


def test_no_line_is_wider_than_its_column():
    text = "a short word and averyveryveryveryverylongwordthatfitsnowhereatall and 李雷 " * 3
    assert all(width_of(line, MONO, 7) <= 80 for line in wrapped(text, MONO, 7, 80))
    assert len(wrapped(text, MONO, 7, 80, most=3)) == 3


def test_bars_never_leave_the_plot_and_what_is_rare_is_seen():
    plot = Plot("p", "P", "things", ("a", "b"), (Series("x", "allow", (1, 0)), Series("y", "deny", (9_999, 3))))
    geometry = geometry_of(plot)
    assert all(part.y + part.height <= 1.000001 for bar in geometry.bars for part in bar.segments)
    assert geometry.bars[0].segments[0].height > 0.01
    assert geometry.ticks[-1].value >= 10_000


def test_text_can_be_found_in_the_file():
    """Glyphs map back to characters, so a reader can search and copy."""
    content = pdf_of(report_of(1, "李雷"))
    maps = re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL)
    opened = b"".join(filter(None, map(opened_stream, maps)))
    assert b"beginbfchar" in opened or b"beginbfrange" in opened


def opened_stream(found: bytes) -> bytes:
    for packed in (found, found.rstrip()):
        try:
            return zlib.decompress(a85decode(packed.removesuffix(b"~>")) if packed.endswith(b"~>") else packed)
        except (ValueError, zlib.error):
            continue
    return b""
