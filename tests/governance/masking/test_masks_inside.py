"""Masks on places inside JSON: what stands there is masked whatever its shape, the rest stays, and nothing fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from governance.catalogue.model import Column
from governance.masking.masks import MASKS, masked_value
from governance.masking.places import BadPlace, Element, Key, parse_place, write_place
from tests.fixtures.databases import MakeTarget
from tests.governance.masking.trying import Session, a_mask, connected, one, shown

REDACTED = "[redacted]"
TYPES = ["json", "jsonb"]


@pytest.fixture(scope="module")
def session(target_database: MakeTarget) -> Iterator[Session]:
    with connected(target_database().admin_dsn) as session:
        yield session


def masked(session: Session, type_: str, value: Any, *places: tuple[str, str]) -> Any:
    """`places`: path and mask. The class is `email`."""
    masks = [a_mask(mask, "email", path) for path, mask in places]
    return json.loads(one(session, type_, json.dumps(value), *masks) or "")


# --- Places -----------------------------------------------------------------------------------------------------------


def test_a_path_is_read_and_written_in_one_spelling() -> None:
    steps = (Key("a"), Key('b "c'), Element(None), Element(7))
    assert parse_place('$.a."b ""c"[*][07]') == steps
    assert parse_place(write_place(steps)) == steps


BAD = ["", "a", "$", "$.", "$a", "$[]", "$.a..b", "$.a b", "$[1", "$.*", "$.**", "$.a?(@>1)", '$.""', "$" + ".a" * 200]


@pytest.mark.parametrize("path", BAD)
def test_a_path_that_is_not_understood_is_refused(path: str) -> None:
    with pytest.raises(BadPlace):
        parse_place(path)


# --- What is masked -----------------------------------------------------------------------------------------------------

SHAPES = [
    ("$.a", {"a": "x@y.org", "b": 1}, {"a": "***@y.org", "b": 1}),
    ("$.a", {"b": 1}, {"b": 1}),
    ("$.a", {"a": None}, {"a": None}),
    ("$.a", {"a": {"b": "x@y.org"}}, {"a": REDACTED}),
    ("$.a", {"a": ["x@y.org"]}, {"a": REDACTED}),
    ("$.a", {"a": True}, {"a": REDACTED}),
    ("$.a.b", {"a": {"b": "x@y.org", "c": 1}}, {"a": {"b": "***@y.org", "c": 1}}),
    ("$.a.b", {"a": [{"b": "x@y.org"}]}, {"a": REDACTED}),
    ("$.a.b", {"a": '{"b": "x@y.org"}'}, {"a": REDACTED}),
    ("$.a.b", {"a": 7}, {"a": REDACTED}),
    ("$.a.b", {"a": None}, {"a": None}),
    ("$.a.b", "x@y.org", REDACTED),
    ("$.a.b", None, None),
    ("$.a.b", [], REDACTED),
    ("$[*]", ["x@y.org", None, "z"], ["***@y.org", None, "***"]),
    ("$[*]", [], []),
    ("$[*]", {"a": 1}, REDACTED),
    ("$[1]", ["x@y.org", "x@y.org", "x@y.org"], ["x@y.org", "***@y.org", "x@y.org"]),
    ("$[9]", ["x@y.org"], ["x@y.org"]),
    (
        "$.a[*].b",
        {"a": [{"b": "x@y.org"}, {"c": 1}, "odd", None]},
        {"a": [{"b": "***@y.org"}, {"c": 1}, REDACTED, None]},
    ),
    ("$[*][*]", [["x@y.org"], [], "odd"], [["***@y.org"], [], REDACTED]),
    ('$."a.b"', {"a.b": "x@y.org", "a": {"b": 1}}, {"a.b": "***@y.org", "a": {"b": 1}}),
    ("$.a", {"a": ""}, {"a": "***"}),
]


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize(("path", "value", "expected"), SHAPES)
def test_what_stands_at_the_place_is_masked_and_the_rest_stays(
    session: Session, type_: str, path: str, value: Any, expected: Any
) -> None:
    assert masked(session, type_, value, (path, "partial")) == expected


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize(
    ("mask", "data_class", "value", "expected"),
    [
        ("redact", "secret", "x", REDACTED),
        ("redact", "secret", None, REDACTED),
        ("null", "secret", "x", None),
        ("bucket", "date_of_birth", "1980-05-17", "1980-01-01"),
        ("bucket", "salary", 54321.5, 50000),
        ("bucket", "salary", 10**200, 10**200),
        ("partial", "card_number", 4111111111111234, "************1234"),
        ("scrub", "free_text", "mail a@b.org now", "mail [email] now"),
        ("scrub", "free_text", 5, REDACTED),
        ("bucket", "salary", None, None),
    ],
)
def test_each_mask_works_inside(
    session: Session, type_: str, mask: str, data_class: str, value: Any, expected: Any
) -> None:
    found = one(session, type_, json.dumps({"k": value}), a_mask(mask, data_class, "$.k"))
    assert json.loads(found or "") == {"k": expected}


def test_a_pseudonym_inside_is_that_of_a_column(session: Session) -> None:
    inside = masked(session, "jsonb", {"k": "a@b.org"}, ("$.k", "pseudonym"))["k"]
    assert inside == one(session, "text", "a@b.org", a_mask("pseudonym"))
    number = masked(session, "json", {"k": 7.0}, ("$.k", "pseudonym"))["k"]
    assert str(number) == one(session, "numeric", "7", a_mask("pseudonym"))


def test_several_places_are_masked_each_in_its_way(session: Session) -> None:
    value = {"a": "x@y.org", "b": {"c": "q", "d": 1}, "l": [{"p": "x@y.org", "q": 1}, {"p": "x@y.org"}]}
    places = [("$.a", "partial"), ("$.b.c", "null"), ("$.l[*].p", "redact"), ("$.l[1].p", "null")]
    assert masked(session, "jsonb", value, *places) == {
        "a": "***@y.org",
        "b": {"c": None, "d": 1},
        "l": [{"p": REDACTED, "q": 1}, {"p": None}],
    }


def test_a_place_above_another_masks_both(session: Session) -> None:
    assert masked(session, "jsonb", {"a": {"b": "x"}}, ("$.a.b", "partial"), ("$.a", "redact")) == {"a": REDACTED}


def test_an_object_and_an_array_can_both_be_expected(session: Session) -> None:
    places = [("$.a.b", "null"), ("$.a[*].b", "null")]
    assert masked(session, "jsonb", {"a": {"b": 1}}, *places) == {"a": {"b": None}}
    assert masked(session, "jsonb", {"a": [{"b": 1}]}, *places) == {"a": [{"b": None}]}
    assert masked(session, "jsonb", {"a": "b"}, *places) == {"a": REDACTED}


def test_null_stays_null(session: Session) -> None:
    assert shown(session, "jsonb", [None], a_mask("redact", path="$.a")) == [None]


@pytest.mark.parametrize("value", [r'{"b": "\u0000", "a": "x"}', r'{"b": "\ud83d", "a": "x"}', '{"b": 1e999999, "a": "x"}',
                                   '{"b": 1e-999999}', '{"b": ' + "9" * 140_000 + "}", "[0." + "1" * 20_000 + "]"])  # fmt: skip
def test_json_that_no_jsonb_can_hold_is_redacted_whole(session: Session, value: str) -> None:
    assert one(session, "json", value, a_mask("partial", path="$.a")) == '"[redacted]"'


def test_of_a_key_that_json_repeats_the_last_counts(session: Session) -> None:
    found = one(session, "json", '{"a": "first@x.org", "a": "last@y.org"}', a_mask("partial", path="$.a"))
    assert json.loads(found or "") == {"a": "***@y.org"}


def test_a_column_named_like_the_names_within_is_still_the_column(session: Session) -> None:
    for name in ("@value", "@json", "@1", "value", "v"):
        expression = masked_value(Column(name, "json", "json"), [a_mask("null", path="$.a[*]")], f'"{name}"')
        row = session.execute(f"""SELECT {expression} FROM (SELECT '{{"a": [1, 2]}}'::json AS "{name}") t""").fetchone()
        assert row == ({"a": [None, None]},)


# --- Any JSON at all --------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", 'c"d', "e.f"])
SECRET = "s3cr3t@hidden.example"
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)
STEPS = KEYS.map(Key) | st.sampled_from([Element(None), Element(0), Element(1)])
PATHS = st.lists(STEPS, min_size=1, max_size=4).map(lambda steps: write_place(tuple(steps)))
RUNS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@RUNS
@given(
    document=DOCUMENTS, paths=st.lists(PATHS, min_size=1, max_size=3, unique=True), mask=st.sampled_from(sorted(MASKS))
)
@example(document={"a": 1e308}, paths=["$.a"], mask="bucket")
def test_any_document_can_be_masked_at_any_place(session: Session, document: Any, paths: list[str], mask: str) -> None:
    for type_ in TYPES:
        masked(session, type_, document, *((path, mask) for path in paths))


@RUNS
@given(document=DOCUMENTS, path=PATHS)
def test_a_secret_put_at_the_place_does_not_come_back(session: Session, document: Any, path: str) -> None:
    with_secret = put(document, parse_place(path), SECRET)
    for type_ in TYPES:
        assert SECRET not in json.dumps(masked(session, type_, with_secret, (path, "redact")))


@RUNS
@given(document=DOCUMENTS, path=PATHS)
def test_what_is_not_on_the_way_stays(session: Session, document: Any, path: str) -> None:
    document = {"elsewhere": document, "a": 1}
    kept = masked(session, "jsonb", document, (f"$.a{path[1:]}", "redact"))["elsewhere"]
    row = session.execute("SELECT %s::jsonb", [json.dumps(document)]).fetchone()
    assert row is not None
    assert kept == row[0]["elsewhere"]


def put(document: Any, steps: tuple[Key | Element, ...], value: str) -> Any:
    """`document` with `value` at the place, where its shape lets it be there."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, Key):
        found = document if isinstance(document, dict) else {}
        return {**found, step.name: put(found.get(step.name), rest, value)}
    items = list(document) if isinstance(document, list) else []
    items += [None] * (2 - len(items))
    places = range(len(items)) if step.index is None else [step.index]
    return [put(item, rest, value) if place in places else item for place, item in enumerate(items)]
