"""Canonical JSON: RFC 8785 for what it takes, a refusal that names the field for the rest."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import StrEnum
from typing import Any

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


# --- RFC 8785 -------------------------------------------------------------------------------------------------------

# What the test data of the RFC's author (cyberphone/json-canonicalization, Apache-2.0) says of what we take: whole numbers
# are written as such, and keys beyond ASCII, which we refuse, are left out.
VECTORS = {
    "structures": (
        {"1": {"f": {"f": "hi", "F": 5}, "\n": 56}, "10": {}, "": "empty", "a": {}, "111": [{}], "A": {}},
        '{"":"empty","1":{"\\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}',
    ),
    "arrays": ({"a": [56, {"d": True, "10": None, "1": []}]}, '{"a":[56,{"1":[],"10":null,"d":true}]}'),
    "unicode": ({"Unnormalized Unicode": "\u1e0d\u0307"}, '{"Unnormalized Unicode":"\u1e0d\u0307"}'),
    "values": (
        {"escaping": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "literals": [None, True, False]},
        '{"escaping":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/","literals":[null,true,false]}',
    ),
    "weird": (
        {"1": "Control\u007f", "</script>": "Browser Challenge", "0": "\U0001f602\ufb33\u0080"},
        '{"0":"\U0001f602\ufb33\u0080","1":"Control\u007f","</script>":"Browser Challenge"}',
    ),
}
SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def spelled(value: Any) -> str:
    """RFC 8785, sections 3.2.2 and 3.2.3, as they are written."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{spelled(key)}:{spelled(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(spelled, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(SHORT.get(one) or (f"\\u{ord(one):04x}" if one < " " else one) for one in value) + '"'
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


@pytest.mark.parametrize(("value", "expected"), VECTORS.values(), ids=VECTORS.keys())
def test_the_vectors_of_rfc_8785_come_out_as_published(value: dict[str, object], expected: str):
    assert encode(value).decode() == expected == spelled(value)


@given(st.dictionaries(KEYS, VALUES))
def test_what_is_taken_is_spelled_as_rfc_8785_says(value: dict[str, object]):
    assert encode(value).decode() == spelled(value)


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), WILD))
def test_everything_else_is_refused(value: dict[str, object]):
    try:
        written = encode(value)
    except NotCanonical:
        return
    assert written.decode() == spelled(value)


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
