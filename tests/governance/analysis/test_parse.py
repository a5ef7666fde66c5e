"""What the parser is never given."""

from __future__ import annotations

import pytest

from governance.analysis.parse import parse
from governance.errors import Unreadable


def test_many_foreign_characters_among_many_words_are_refused_at_once() -> None:
    """Mapping their places would hold up the whole process for seconds."""
    with pytest.raises(Unreadable, match="outside ASCII"):
        parse("SELECT " + "1," * 4000 + "'" + "é" * 40_000 + "'")


def test_a_long_text_in_another_alphabet_is_read() -> None:
    assert parse("SELECT '" + "Ελλάδα και Κύπρος " * 100 + "'").normal == "SELECT ?"
