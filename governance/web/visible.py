"""Text as HTML in which nothing can hide: what a reader sees is what there is. Pure, apart from Django's escaping.

Characters that hide or reorder text (bidirectional overrides, zero-width marks, control characters) are shown by their
code point instead of being obeyed.
"""

from __future__ import annotations

import unicodedata

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe


def visible(text: str) -> SafeString:
    """Escaped, and nothing in it can hide: invisible characters appear as their code points."""
    if text.isprintable():
        return escape(text)
    return mark_safe("".join(_shown(character) for character in text))  # noqa: S308  each one is escaped


def _shown(character: str) -> str:
    if character in "\t\n" or character.isprintable():
        return str(escape(character))
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "control character").lower()
    return format_html('<span class="sql-invisible" title="{}">{}</span>', f"{code} {name}", code)
