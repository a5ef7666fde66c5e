"""Policies in words, in colours and beside each other. Pure."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.policy.store import default_text
from governance.web import cedar_markup
from governance.web.cards import NotReadable, Wanted, filtered, read_sections
from governance.web.comparison import compare

TEXT = """// This file is about agents.

// --- Agents ----------------------
// What they may do.

// Only the shop.
@id("shop") @limit_rows("50")
permit (principal is Agent, action in [Action::"read", Action::"write"], resource in DataSource::"shop")
when { context.risk < 10 };

// Far above.

@id("slow") @review("dba") @quorum("2") @expires("30m")
forbid (principal in Group::"interns", action, resource);
"""


def text_of(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def test_a_policy_is_told_in_words() -> None:
    (section,) = read_sections(TEXT)
    shop, slow = section.cards
    assert shop.sentence == "Permits agents to read data source shop or write to data source shop"
    assert shop.notes == ("at most 50 rows",)
    assert slow.sentence == "For group interns: to do anything with everything needs 2 of group dba, within 30 min"


def test_headings_and_comments_are_read_from_the_text() -> None:
    (section,) = read_sections(TEXT)
    assert (section.title, section.comment) == ("Agents", "What they may do.")
    assert [card.comment for card in section.cards] == ["Only the shop.", ""]
    assert [card.line for card in section.cards] == [7, 13]


def test_the_default_set_has_its_headings() -> None:
    assert [section.title for section in read_sections(default_text())][:2] == [
        "What is permitted",
        "What waits for people",
    ]


def test_a_policy_about_every_action_is_found_by_any_of_them() -> None:
    (section,) = filtered(read_sections(TEXT), Wanted(action="define"))
    assert [card.id for card in section.cards] == ["slow"]


def test_a_text_that_is_no_cedar_is_not_read() -> None:
    with pytest.raises(NotReadable):
        read_sections("permit (")


@given(st.text(alphabet=st.sampled_from('pe rmit"\\/@(){}\nA::x;1<&')))
def test_every_character_is_shown_once_and_in_order(text: str) -> None:
    assert "\n".join(map(text_of, cedar_markup.lines(text))) == text


def test_a_comment_inside_a_text_constant_is_none() -> None:
    (line,) = cedar_markup.lines('@message("see // there")')
    assert "sql-comment" not in line
    assert '<span class="sql-constant">&quot;see // there&quot;</span>' in line


def test_a_comparison_shows_what_changed_with_some_lines_around() -> None:
    old = [f"line {number}" for number in range(20)]
    new = [*old[:10], "new", *old[11:]]
    found = compare("\n".join(old), "\n".join(new))
    assert (found.added, found.removed) == (1, 1)
    assert [(row.mark, row.old, row.new) for row in found.rows][:5] == [
        ("gap", None, None), ("same", 8, 8), ("same", 9, 9), ("same", 10, 10), ("removed", 11, None),
    ]  # fmt: skip


def test_line_ends_are_no_difference() -> None:
    assert compare("a\r\nb\r\n", "a\nb").is_same
