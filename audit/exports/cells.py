"""Cells of CSV that no spreadsheet takes for a formula. Pure.

A cell that begins with = + - @, a tab or a line break (also behind blanks and quotes, also in their full-width forms) is a
formula to spreadsheets, and may send what stands beside it to anybody. An apostrophe in front makes it text. Negative
numbers stay numbers.

To undo it, take the first apostrophe off each cell that begins with one and is dangerous behind it: `restore` does. No other
cell begins like that, because those that did have got another apostrophe.

Where a spreadsheet splits a file at semicolons or tabs, as in much of the world, or takes a quote in the middle of a line for
a letter, cells begin in the middle of ours. `neutral_throughout` puts the apostrophe there too, and `restore_throughout`
takes it out again.
"""

from __future__ import annotations

import re

MARK = "'"
# What spreadsheets drop before they look: white space, quotes, and characters that are not seen.
_UNSEEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_QUOTES = "\"'`\u00ab\u2018-\u201f\uff02\uff07"
_SKIPPED = f"[\\s\\x00-\\x20\\x7f{_QUOTES}{_UNSEEN}\u00a0\u3000]"
_DANGEROUS = re.compile(f"{_SKIPPED}*[=+\\-@|%\\t\\r\\n\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b]")
# The runs between two separators do not overlap, so that looking for all of them takes no longer than the text.
_INSIDE = f"(?=(?:(?![\\t\\r\\n]){_SKIPPED})*[=+\\-@\uff1d\uff0b\uff0d\uff20\u2212])"
_BEGINS = re.compile(f"([;\\t\\r\\n]){_INSIDE}")
_MARKED = re.compile(f"([;\\t\\r\\n])'{_INSIDE}")
_NEGATIVE = re.compile(r"-[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z", re.ASCII)
_HARMLESS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789{[(_$/")


def neutral(text: str) -> str:
    if text[:1] in _HARMLESS or not is_dangerous(text):
        return text
    return MARK + text


def is_dangerous(text: str) -> bool:
    return _DANGEROUS.match(text) is not None and _NEGATIVE.match(text) is None


def restore(cell: str) -> str:
    """What stood there before `neutral`."""
    return cell[1:] if cell.startswith(MARK) and is_dangerous(cell) else cell


def neutral_throughout(text: str) -> str:
    """For text that is nobody's data but ours to show: it is changed in the middle too."""
    return neutral(_BEGINS.sub(rf"\1{MARK}", text))


def restore_throughout(cell: str) -> str:
    return _MARKED.sub(r"\1", restore(cell))
