"""Canonical JSON (RFC 8785) for what is hashed: one value, one spelling, for ever.

RFC 8785 sorts keys by UTF-16 unit, writes integers plainly and escapes as ECMAScript does. With ASCII keys and integers
that every JSON reader keeps exact, orjson with sorted keys writes the same bytes; whatever would differ is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

LARGEST_INTEGER = 2**53 - 1
KINDS = frozenset({str, int, list, dict, bool, type(None)})


class NotCanonical(ValueError):
    """The value has no canonical spelling. The message names the field."""


def encode(value: Mapping[str, object]) -> bytes:
    check(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def check(value: Mapping[str, object]) -> None:
    """Raises `NotCanonical` unless orjson with sorted keys spells the value as RFC 8785 does."""
    for key in value:
        _check_key(key, "")
    check_values(value)


def check_values(fields: Mapping[str, object]) -> None:
    """The same for a mapping whose own keys are known to be ASCII text."""
    for key, item in fields.items():
        # Nearly every value is such a text, on a path that every statement takes.
        if type(item) is str and item.isascii() and "\x00" not in item:
            continue
        _check(item, key)


def _check_key(key: object, place: str) -> None:
    if not isinstance(key, str) or not key.isascii():
        raise NotCanonical(f"{place or 'the top level'}: keys are ASCII strings, {key!r} is not")


def _check(value: object, place: str) -> None:
    # Exact types: a subclass (an enum, a lazy string) might be written in another way than it compares.
    kind = type(value)
    if kind not in KINDS:
        raise NotCanonical(f"{place}: {kind.__name__} is not one of str, int, bool, None, list, dict")
    if isinstance(value, str):
        _check_text(value, place)
    elif isinstance(value, int):
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            raise NotCanonical(f"{place}: {value} is beyond the integers that every JSON reader keeps exact (2^53 - 1)")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            if type(item) is not str or not item.isascii() or "\x00" in item:
                _check(item, f"{place}[{position}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_key(key, place)
            _check(item, f"{place}.{key}")


def _check_text(text: str, place: str) -> None:
    if "\x00" in text:
        raise NotCanonical(f"{place}: holds a NUL character, which the database cannot keep")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise NotCanonical(f"{place}: holds half of a surrogate pair at character {error.start}") from None
