"""Two statements beside each other: the lines that differ, and in them the words. Pure, apart from Django's escaping."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from governance.web.visible import visible

AROUND = 3
# Longer texts are only said to differ: comparing them would take longer than a page may.
MOST_LINES = 3000
LONGEST_TEXT = 200_000
LONGEST_LINE = 1500
WORD = re.compile(r"\w+|\s+|[^\w\s]")
Mark = Literal["same", "removed", "added", "gap"]


@dataclass(frozen=True, slots=True)
class Row:
    """`old` and `new` are line numbers, None where the line is not there; a gap stands for lines that are left out."""

    mark: Mark
    old: int | None = None
    new: int | None = None
    html: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """`too_long`: the texts differ, and are too long to be compared here."""

    rows: tuple[Row, ...] = ()
    added: int = 0
    removed: int = 0
    too_long: bool = False

    @property
    def is_same(self) -> bool:
        return not (self.added or self.removed or self.too_long)


def difference(old: str, new: str) -> Difference:
    if old == new:
        return Difference()
    before, after = _lines(old), _lines(new)
    if max(len(before), len(after)) > MOST_LINES or max(len(old), len(new)) > LONGEST_TEXT:
        return Difference(too_long=True)
    rows: list[Row] = []
    for number, group in enumerate(SequenceMatcher(None, before, after).get_grouped_opcodes(AROUND)):
        if number or group[0][1]:
            rows.append(Row("gap"))
        for kind, *ends in group:
            rows += _rows(kind, (ends[0], ends[1]), (ends[2], ends[3]), before, after)
    marks = [row.mark for row in rows]
    return Difference(tuple(rows), marks.count("added"), marks.count("removed"))


def _lines(text: str) -> list[str]:
    # Line ends are kept: where only they differ, the texts differ too.
    return text.split("\n")


def _rows(
    kind: str, old: tuple[int, int], new: tuple[int, int], before: Sequence[str], after: Sequence[str]
) -> Iterator[Row]:
    if kind == "equal":
        for one, other in zip(range(*old), range(*new), strict=True):
            yield Row("same", one + 1, other + 1, visible(after[other]))
        return
    gone = {at: visible(before[at]) for at in range(*old)}
    come = {at: visible(after[at]) for at in range(*new)}
    # Lines in the same place of a change are taken for one another.
    for one, other in zip(range(*old), range(*new), strict=False):
        gone[one], come[other] = _words(before[one], after[other])
    yield from (Row("removed", at + 1, None, html) for at, html in gone.items())
    yield from (Row("added", None, at + 1, html) for at, html in come.items())


def _words(old: str, new: str) -> tuple[SafeString, SafeString]:
    """Both lines, with the words that differ marked."""
    if max(len(old), len(new)) > LONGEST_LINE:
        return visible(old), visible(new)
    before, after = WORD.findall(old), WORD.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    was: list[SafeString] = []
    now: list[SafeString] = []
    for kind, start, end, first, last in matcher.get_opcodes():
        was += _marked("".join(before[start:end]), kind)
        now += _marked("".join(after[first:last]), kind)
    return _joined(was), _joined(now)


def _marked(text: str, kind: str) -> list[SafeString]:
    if not text:
        return []
    return [visible(text) if kind == "equal" else format_html('<span class="diff-word">{}</span>', visible(text))]


def _joined(parts: Sequence[SafeString]) -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308  made of escaped parts
