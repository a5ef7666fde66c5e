"""Cells that spreadsheets would take for formulas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.exports.cells import is_dangerous, neutral, restore

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
