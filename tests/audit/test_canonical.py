"""Canonical JSON: RFC 8785 for what it takes, a refusal that names the field for the rest."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import LARGEST_INTEGER, NotCanonical, encode

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
KEYS = st.text(st.characters(max_codepoint=127))
SCALARS = st.none() | st.booleans() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=10)


class Colour(StrEnum):
    RED = "red"


def test_spelling_of_rfc_8785():
    value = {"b": '\u20ac$\x0f\nA\'B"\\\\"/', "a": [True, False, None, 0, -1, LARGEST_INTEGER]}
    expected = '{"a":[true,false,null,0,-1,9007199254740991],"b":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert encode(value).decode() == expected


@given(st.dictionaries(KEYS, VALUES))
def test_it_reads_back_as_what_was_written(value: dict[str, object]):
    assert json.loads(encode(value)) == value


@given(st.dictionaries(KEYS, VALUES))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]):
    assert encode(dict(reversed(value.items()))) == encode(value)


@given(st.dictionaries(KEYS, VALUES))
def test_it_equals_what_the_standard_library_sorts_and_escapes(value: dict[str, object]):
    # Both escape alike except for DEL and beyond, which neither does here.
    plain = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert encode(value).decode() == plain


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"ratio": 0.5}, "ratio: float"),
        ({"rows": 2**53}, "rows: 9007199254740992"),
        ({"rows": -(2**53)}, "rows: -9007199254740992"),
        ({"list": ["fine", 1.5]}, r"list\[1\]: float"),
        ({"inner": {"deep": b"raw"}}, r"inner\.deep: bytes"),
        ({"clé": 1}, "ASCII"),
        ({"inner": {"clé": 1}}, "inner: keys are ASCII"),
        ({"inner": {1: 1}}, "inner: keys are ASCII"),
        ({"price": Decimal(1)}, "price: Decimal"),
        ({"colour": Colour.RED}, "colour: Colour"),
        ({"sql": "a\x00b"}, "sql: holds a NUL"),
        ({"sql": "ab\ud800"}, "sql: holds half of a surrogate pair at character 2"),
    ],
)
def test_what_has_no_canonical_spelling_is_refused_by_name(value: dict[str, object], message: str):
    with pytest.raises(NotCanonical, match=message):
        encode(value)
