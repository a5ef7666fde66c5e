"""Cells that spreadsheets would take for formulas."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.exports.cells import is_dangerous, neutral, neutral_throughout, restore, restore_throughout

NASTY = st.text(st.sampled_from("=+-@\t\r\n '\"\uff1d\uff0b\uff0d\uff20\u00a0\ufeff1e.aA;,|%"), max_size=8)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+46701234567", "-2+3", "@SUM(A1)", "\t=1", "\tx", "\rx", "\nx", "  =1", '"=1', "'=1", " '\" @a",
        "\uff1d1", "\uff0b1", "\uff0d1+1", "\uff20a", "\u00a0=1", "\ufeff=1", "\u200b=1", "\x00=1", "-1-cmd|' /C calc'!A0",
        "\u22121+1", "%0A=1", "|calc", "\u201c=1",
    ],
)  # fmt: skip
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "orders", "a=b", "1-2", "-5", "-5.25", "-1e-9", '{"a": "=1"}', "it's", "'quoted'", "Åsa"]
)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert neutral(text) == text


@given(NASTY | st.text())
def test_every_cell_is_harmless_and_can_be_restored(text: str) -> None:
    cell = neutral(text)
    assert restore(cell) == text
    assert cell.startswith("'") or not is_dangerous(cell)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("x;=1+1", "x;'=1+1"),
        ("x;\"'=1", "x;'\"'=1"),
        ("a\n-1|calc", "a\n'-1|calc"),
        ("a\t @SUM(A1)", "a\t' @SUM(A1)"),
        ('{"purpose":"x;=cmd|calc;y"}', '{"purpose":"x;\'=cmd|calc;y"}'),
        ("=1;=2", "'=1;'=2"),
        ("x;'=1", "x;''=1"),
    ],
)
def test_a_cell_that_begins_inside_for_those_who_split_elsewhere_gets_an_apostrophe_too(text: str, cell: str) -> None:
    assert neutral_throughout(text) == cell


@pytest.mark.parametrize("text", ["a; b", "SELECT 1;", "x;y=1", "no-drops; read", '{"a":"b;c"}'])
def test_separators_in_front_of_anything_else_change_nothing(text: str) -> None:
    assert neutral_throughout(text) == text


@given(NASTY | st.text())
def test_no_part_of_a_cell_is_a_formula_and_all_can_be_restored(text: str) -> None:
    cell = neutral_throughout(text)
    assert restore_throughout(cell) == text
    assert all(not part.lstrip(" ").startswith(("=", "+", "@")) for part in re.split("[;\t\r\n]", cell)[1:])


def test_a_text_of_nothing_but_separators_takes_no_time() -> None:
    text = "\t; \n" * 50_000 + " " * 200_000
    assert neutral_throughout(text) == f"'{text}"
