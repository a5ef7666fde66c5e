"""Identifiers inside longer text. Candidates are cut out by their characters and then checked by validators."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from governance.scanning.validators import holds_token, is_card_number, is_email, is_iban

LONGEST = 2_000
_MAIL = re.compile(r"[\w.+\-]{1,64}@[\w.\-]{3,253}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b")
_DIGITS = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")


def identifiers_in(text: str) -> Iterator[str]:
    """What kinds of identifier the text holds, in words."""
    text = text[:LONGEST]
    if "@" in text and any(is_email(found.rstrip(".-")) for found in _MAIL.findall(text)):
        yield "e-mail addresses"
    if any(is_iban(found) for found in _IBAN.findall(text)):
        yield "IBANs"
    if any(is_card_number(found) for found in _DIGITS.findall(text)):
        yield "card numbers"
    if "+" in text and next(iter(phonenumbers.PhoneNumberMatcher(text, None)), None) is not None:
        yield "telephone numbers"
    if holds_token(text):
        yield "keys or tokens"


def is_prose(values: list[str]) -> bool:
    """Sentences rather than labels: half of them have five words."""
    return sum(len(value.split()) >= 5 for value in values) * 2 >= len(values) > 0
