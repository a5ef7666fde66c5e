"""Colours are legible in both themes: WCAG 2.2 AA, measured on the tokens themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STYLES = Path(__file__).parent.parent.parent / "static" / "css"
TOKENS = dict(
    re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\)", (STYLES / "tokens.css").read_text())
)
SURFACES = ("page", "surface", "surface-sunken", "surface-raised", "hover")
TEXT = [(ink, on) for ink in ("ink", "ink-soft", "ink-faint", "accent") for on in SURFACES] + [
    *((name, f"{name}-soft") for name in ("allow", "review", "deny", "neutral", "accent")),
    *((name, "surface") for name in ("allow", "review", "deny", "neutral")),
    *((f"sql-{name}", "surface-sunken") for name in ("keyword", "constant", "comment", "parameter")),
    ("ink", "accent-soft"), ("ink", "allow-soft"), ("ink", "review-soft"), ("ink", "deny-soft"),
    ("ink-soft", "deny-soft"), ("on-accent", "accent-strong"), ("on-accent", "accent-strong-hover"),
]  # fmt: skip
SHAPES = [("line-strong", on) for on in ("surface", "page")] + [
    (f"{name}-fill", "surface") for name in ("allow", "review", "deny")
]


def luminance(colour: str) -> float:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str, theme: int) -> float:
    high, low = sorted((luminance(TOKENS[name].split(", ")[theme]) for name in (one, other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "on"), TEXT)
def test_text_has_the_contrast_that_reading_needs(ink: str, on: str, theme: int) -> None:
    assert contrast(ink, on, theme) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("shape", "on"), SHAPES)
def test_shapes_have_the_contrast_that_seeing_needs(shape: str, on: str, theme: int) -> None:
    assert contrast(shape, on, theme) >= 3


def test_colours_are_named_in_the_tokens_only() -> None:
    others = [path for path in STYLES.glob("*.css") if path.name != "tokens.css"]
    found = {path.name: re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s)])", path.read_text()) for path in others}
    assert {name: colours for name, colours in found.items() if colours} == {}


def test_every_token_that_is_used_exists() -> None:
    text = "".join(path.read_text() for path in STYLES.glob("*.css"))
    assert set(re.findall(r"var\(--([\w-]+)", text)) <= set(re.findall(r"--([\w-]+):", text))
