"""Cedar as safe HTML, line by line: keywords, constants, comments and names marked. Pure.

It only colours. It never decides what a policy means, so a text that is no Cedar at all comes out whole as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from governance.web.visible import visible

# Longer texts are shown whole but plain: colouring them would cost more than it helps.
COLOURED_LENGTH = 200_000
_WORDS = "permit forbid when unless if then else in is like has principal action resource context"
_TOKENS = re.compile(
    r"(?P<comment>//[^\n]*)"
    r'|(?P<constant>"(?:\\.|[^"\\\n])*"|\b(?:true|false|[0-9]+)\b)'
    r"|(?P<parameter>@[A-Za-z_]\w*|\b[A-Z]\w*(?=::))"
    rf"|(?P<keyword>\b(?:{'|'.join(_WORDS.split())})\b)"
)


def lines(text: str) -> list[SafeString]:
    """One piece of HTML per line of `text`."""
    rows: list[list[SafeString]] = [[]]
    for style, part in _parts(text.replace("\r\n", "\n")):
        for number, piece in enumerate(part.split("\n")):
            if number:
                rows.append([])
            if piece:
                rows[-1].append(_markup(piece, style))
    return [mark_safe("".join(row)) for row in rows]  # noqa: S308  made of escaped parts


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """The tokens that have a style, and the text between them, covering the whole of `text`."""
    at = 0
    for token in _TOKENS.finditer(text) if len(text) <= COLOURED_LENGTH else ():
        yield "", text[at : token.start()]
        yield token.lastgroup or "", token.group()
        at = token.end()
    yield "", text[at:]


def _markup(text: str, style: str) -> SafeString:
    return format_html('<span class="sql-{}">{}</span>', style, visible(text)) if style else visible(text)
