"""The fonts that PDFs are set in, and what is done with characters that they do not have.

They come with the project and are embedded: DejaVu for Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic,
Droid Sans Fallback for Chinese, Japanese and Korean. What neither has, and what would change how its surroundings read,
is printed as its code point, so that two different names never look the same.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FOLDER = Path(__file__).parent / "fonts"
SANS, BOLD, MONO, EASTERN = "Countersign-Sans", "Countersign-Bold", "Countersign-Mono", "Countersign-Eastern"
FILES = {
    SANS: "DejaVuSansCondensed.ttf", BOLD: "DejaVuSansCondensed-Bold.ttf", MONO: "DejaVuSansMono.ttf",
    EASTERN: "DroidSansFallback.ttf",
}  # fmt: skip
RIGHT_TO_LEFT = frozenset({"R", "AL"})

Run = tuple[str, str]


@cache
def register() -> None:
    for name, file in FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(FOLDER / file)))


@cache
def _glyphs(font: str) -> frozenset[int]:
    register()
    font_from_file: Any = pdfmetrics.getFont(font)
    return frozenset(font_from_file.face.charToGlyph)


@lru_cache(maxsize=65_536)
def _set(character: str, font: str) -> Run:
    """The font for one character, and what is printed for it."""
    if character in "\n\t":
        return font, " "
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return font, f"[U+{ord(character):04X}]"
    for candidate in (font, SANS, EASTERN):
        if ord(character) in _glyphs(candidate):
            return candidate, character
    return font, f"[U+{ord(character):04X}]"


def runs(text: str, font: str) -> list[Run]:
    """The text in stretches of one font each, in the order in which they are drawn from left to right."""
    if text.isascii() and text.isprintable():
        return [(font, text)]
    found: list[Run] = []
    for character in _visual(text):
        name, shown = _set(character, font)
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + shown)
        else:
            found.append((name, shown))
    return found


def _visual(text: str) -> str:
    """Stretches that are written from right to left, turned; letters of other scripts stay as they are."""
    directions = [unicodedata.bidirectional(character) for character in text]
    if RIGHT_TO_LEFT.isdisjoint(directions):
        return text
    drawn, place = [], 0
    while place < len(text):
        end = place
        if directions[place] in RIGHT_TO_LEFT:
            last = end = place + 1
            while end < len(text) and (directions[end] in RIGHT_TO_LEFT or directions[end] in {"WS", "NSM", "CS"}):
                end += 1
                last = end if directions[end - 1] in RIGHT_TO_LEFT | {"NSM"} else last
            drawn.append(text[place:last][::-1])
            place = last
        else:
            drawn.append(text[place])
            place += 1
    return "".join(drawn)


@lru_cache(maxsize=65_536)
def width_of(text: str, font: str, size: float) -> float:
    register()
    return float(sum(pdfmetrics.stringWidth(shown, name, size) for name, shown in runs(text, font)))


def wrapped(text: str, font: str, size: float, width: float, most: int = 10_000) -> list[str]:
    """Lines that fit; words that are too long are broken. What is beyond `most` lines ends in an ellipsis."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            joined = f"{line} {word}" if line else word
            if width_of(joined, font, size) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            *full, line = _broken(word, font, size, width)
            lines += full
        lines.append(line)
    if len(lines) > most:
        lines = [*lines[: most - 1], _shortened(lines[most - 1], font, size, width)]
    return lines


def _shortened(line: str, font: str, size: float, width: float) -> str:
    while line and width_of(f"{line}…", font, size) > width:
        line = line[:-1]
    return f"{line}…"


def _broken(word: str, font: str, size: float, width: float) -> list[str]:
    """Never longer than what fits; a line has one character at least."""
    if width_of(word, font, size) <= width:
        return [word]
    parts, part = [], ""
    for character in word:
        if part and width_of(part + character, font, size) > width:
            parts.append(part)
            part = character
        else:
            part += character
    return [*parts, part]
