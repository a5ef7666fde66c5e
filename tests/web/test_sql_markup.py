"""SQL on a page: escaped, coloured, and with nothing hidden in it."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.sql_markup import Mark, lines


def text_of(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def test_keywords_constants_and_comments_are_told_apart() -> None:
    (line,) = lines("SELECT 'a' FROM t WHERE n = $1 -- why")
    assert '<span class="sql-keyword">SELECT</span>' in line
    assert '<span class="sql-constant">&#x27;a&#x27;</span>' in line
    assert '<span class="sql-parameter">$1</span>' in line
    assert '<span class="sql-comment">-- why</span>' in line


def test_markup_in_a_statement_stays_text() -> None:
    (line,) = lines("SELECT '</span><script>alert(1)</script>' AS \"<b>\"")
    assert "<script" not in line
    assert "<b>" not in line


@pytest.mark.parametrize("sql", ["SELECT 'never closed", "SELECT \0", "\ud800 SELECT"])
def test_text_that_is_no_sql_is_shown_plain(sql: str) -> None:
    assert "sql-keyword" not in "".join(lines(sql))


def test_the_place_of_a_hazard_is_marked_with_its_message() -> None:
    (line,) = lines("DELETE FROM orders", [Mark(0, 'no "WHERE"')])
    assert '<mark class="sql-hazard" title="no &quot;WHERE&quot;">DELETE</mark>' in line


def test_a_hazard_past_the_end_of_the_text_is_left_out() -> None:
    assert "mark" not in "".join(lines("SELECT 1", [Mark(500, "x")]))


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\u2066", "\x07", "\u00a0", "\ufeff"])
def test_characters_that_hide_or_reorder_text_are_shown_by_their_code(character: str) -> None:
    (line,) = lines(f"SELECT 1 {character} FROM t")
    assert character not in line
    assert f"U+{ord(character):04X}" in line


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "S"]) | st.sampled_from(" \n'\"-/*$")))
def test_every_character_is_shown_once_and_in_order(sql: str) -> None:
    assert "\n".join(map(text_of, lines(sql, [Mark(3, "here")]))) == sql
