"""SQL as safe HTML: keywords, constants and comments marked, the places of hazards too. Pure.

What a reviewer reads must be what runs, so characters that hide or reorder text (bidirectional overrides, zero-width
marks, control characters) are shown by their code point instead of being obeyed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from pglast.parser import ParseError, scan

from governance.web.visible import visible

# Longer texts are shown whole but plain: colouring them would cost more than it helps.
COLOURED_LENGTH = 50_000
CONSTANTS = frozenset({"SCONST", "FCONST", "ICONST", "BCONST", "XCONST", "USCONST"})
COMMENTS = frozenset({"SQL_COMMENT", "C_COMMENT"})


@dataclass(frozen=True, slots=True)
class Mark:
    """Something said about one place (a character offset) of the text."""

    place: int
    message: str


@dataclass(frozen=True, slots=True)
class Span:
    start: int
    end: int
    style: str


def lines(sql: str, marks: Iterable[Mark] = ()) -> list[SafeString]:
    """One piece of HTML per line of `sql`."""
    spans = _spans(sql)
    messages = {_span_at(spans, mark.place, len(sql)): mark.message for mark in marks if 0 <= mark.place < len(sql)}
    rows: list[list[SafeString]] = [[]]
    for span in _filled(sql, sorted({*(s for s in spans if not _covered(s, messages)), *messages}, key=_by_start)):
        for number, part in enumerate(_split(sql[span.start : span.end])):
            if number:
                rows.append([])
            if part:
                rows[-1].append(_markup(part, span.style, messages.get(span, "")))
    return [mark_safe("".join(row)) for row in rows]  # noqa: S308  made of escaped parts


def _by_start(span: Span) -> int:
    return span.start


def _split(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _spans(sql: str) -> list[Span]:
    if len(sql) > COLOURED_LENGTH or "\0" in sql:
        return []
    try:
        tokens = scan(sql[:])  # a slice is a plain str, whatever subclass a template made of it
    except (ParseError, UnicodeEncodeError):
        return []
    return [Span(token.start, token.end + 1, _style(token.name, token.kind)) for token in tokens]


def _style(name: str, kind: str) -> str:
    if name in COMMENTS:
        return "comment"
    if name in CONSTANTS:
        return "constant"
    if name == "PARAM":
        return "parameter"
    return "" if kind in ("NO_KEYWORD", "UNRESERVED_KEYWORD") and name not in STATEMENT_WORDS else "keyword"


# Not reserved by the grammar, but what a reviewer looks for first.
STATEMENT_WORDS = frozenset(
    """INSERT UPDATE DELETE_P DROP ALTER TRUNCATE BEGIN_P COMMIT ROLLBACK SET COPY CALL DO EXECUTE PREPARE VACUUM EXPLAIN
    LOCK_P CASCADE RESTRICT VALUES BY INDEX VIEW SCHEMA FUNCTION PROCEDURE TRIGGER REVOKE REINDEX REFRESH""".split()
)


def _span_at(spans: Sequence[Span], place: int, length: int) -> Span:
    """The token at a place, as a span of its own; where there is none, that one character."""
    for span in spans:
        if span.start <= place < span.end:
            return Span(span.start, span.end, "hazard")
    return Span(place, min(place + 1, length), "hazard")


def _covered(span: Span, marked: Iterable[Span]) -> bool:
    return any(m.start < span.end and span.start < m.end for m in marked)


def _filled(sql: str, spans: Iterable[Span]) -> Iterator[Span]:
    """The spans with the text between them, covering the whole of `sql`."""
    at = 0
    for span in spans:
        if span.start < at:
            continue
        if span.start > at:
            yield Span(at, span.start, "")
        yield span
        at = span.end
    if at < len(sql):
        yield Span(at, len(sql), "")


def _markup(text: str, style: str, message: str) -> SafeString:
    shown = visible(text)
    if style == "hazard":
        return format_html('<mark class="sql-hazard" title="{}">{}</mark>', message, shown)
    return format_html('<span class="sql-{}">{}</span>', style, shown) if style else shown
