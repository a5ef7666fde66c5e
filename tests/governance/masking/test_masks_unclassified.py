"""Which columns count as text that nobody has classified, and how places inside columns are written as keys."""

from __future__ import annotations

from typing import Any

import pytest

from governance.catalogue.model import Column, ForeignKey, Relation, RelationKind
from governance.classes import (
    ASSIGNABLE,
    BUILT_IN,
    MASKS,
    UNCLASSIFIED_TEXT,
    is_ambiguous,
    place_key,
    split_place,
    unclassified_text_columns,
)
from governance.masking import masks


def a_relation(*types: str, kind: RelationKind = RelationKind.TABLE, **more: Any) -> Relation:
    columns = tuple(Column(f"c{place}", type_, type_) for place, type_ in enumerate(types))
    return Relation("public", "notes", kind, columns, **more)


@pytest.mark.parametrize("type_", ["text", "character varying", "character varying(41)", "public.citext"])
def test_text_of_some_length_is_free_text(type_: str) -> None:
    assert unclassified_text_columns(a_relation(type_), {}) == ("c0",)


@pytest.mark.parametrize(
    "type_", ["character varying(40)", "character(80)", "name", "integer", "jsonb", "text[]", "public.mood"]
)
def test_codes_and_other_types_are_not(type_: str) -> None:
    assert unclassified_text_columns(a_relation(type_), {}) == ()


def test_a_domain_counts_by_what_is_below_it() -> None:
    relation = Relation("public", "notes", RelationKind.TABLE, (Column("c0", "public.note", "text"),))
    assert unclassified_text_columns(relation, {}) == ("c0",)


@pytest.mark.parametrize(
    "more",
    [
        {"keys": (frozenset({"c0"}),)},
        {"indexed": frozenset({"c0"})},
        {"foreign_keys": (ForeignKey(("c0",), ("public", "other"), ("id",), "a", "a"),)},
    ],
)
def test_what_is_found_by_its_value_is_not(more: dict[str, Any]) -> None:
    assert unclassified_text_columns(a_relation("text", "text", **more), {}) == ("c1",)


@pytest.mark.parametrize("place", ["c0", "c0:$.a"])
def test_what_has_a_class_is_not(place: str) -> None:
    assert unclassified_text_columns(a_relation("text", "text"), {place: "email"}) == ("c1",)


def test_a_view_is_masked_below_itself() -> None:
    assert unclassified_text_columns(a_relation("text", kind=RelationKind.VIEW), {}) == ()
    assert unclassified_text_columns(a_relation("text", kind=RelationKind.MATERIALIZED_VIEW), {}) == ("c0",)


def test_the_class_of_unclassified_text_cannot_be_assigned_and_weighs_nothing() -> None:
    assert set(BUILT_IN) - set(ASSIGNABLE) == {UNCLASSIFIED_TEXT}
    assert BUILT_IN[UNCLASSIFIED_TEXT].sensitivity == 0


def test_every_mask_that_a_policy_may_name_is_there() -> None:
    assert set(MASKS) == set(masks.MASKS)
    assert {data_class.mask for data_class in BUILT_IN.values()} <= set(MASKS)


@pytest.mark.parametrize(
    ("column", "path"), [("profile", ""), ("profile", '$.a."b:$.c"[*]'), ("a:b", "$.c"), ("$", "$.a")]
)
def test_a_key_is_taken_apart_as_it_was_put_together(column: str, path: str) -> None:
    assert split_place(place_key(column, path)) == (column, path)
    assert not is_ambiguous(column)


def test_a_name_that_reads_like_a_place_is_known_to() -> None:
    assert is_ambiguous("odd:$.name")
