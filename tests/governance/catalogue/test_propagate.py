"""Classes along inheritance, on catalogues made by hand."""

from __future__ import annotations

from governance.catalogue.model import Catalogue, Column, Relation, RelationKind
from governance.catalogue.propagate import propagate


def relation(name: str, columns: str, *parents: str) -> Relation:
    return Relation(
        schema="public",
        name=name,
        kind=RelationKind.TABLE,
        columns=tuple(Column(column, "text", "text") for column in columns.split()),
        parents=tuple(("public", parent) for parent in parents),
    )


def catalogue(*relations: Relation) -> Catalogue:
    return Catalogue(version=1, search_path=("public",), relations={(r.schema, r.name): r for r in relations})


FAMILY = catalogue(
    relation("people", "id email"),
    relation("staff", "id email salary", "people"),
    relation("bosses", "id email salary", "staff"),
    relation("guests", "id email", "people"),
    relation("orders", "id email"),
)
ALL = {("public", name) for name in ("people", "staff", "bosses", "guests")}


def test_a_parents_class_reaches_children_of_children() -> None:
    found = propagate(FAMILY, {("public", "people"): {"email": "email"}})
    assert found == {name: {"email": "email"} for name in ALL}


def test_a_childs_class_reaches_parents_and_siblings() -> None:
    found = propagate(FAMILY, {("public", "guests"): {"email": "email"}})
    assert found == {name: {"email": "email"} for name in ALL}


def test_a_column_that_a_parent_lacks_stays_below() -> None:
    found = propagate(FAMILY, {("public", "bosses"): {"salary": "salary"}})
    assert found.keys() == {("public", "bosses"), ("public", "staff")}


def test_the_more_sensitive_of_two_classes_counts_for_all_whatever_their_order() -> None:
    direct = [(("public", "people"), {"email": "email"}), (("public", "guests"), {"email": "secret"})]
    for order in (direct, direct[::-1]):
        assert {columns["email"] for columns in propagate(FAMILY, dict(order)).values()} == {"secret"}


def test_relations_that_are_gone_keep_their_classes() -> None:
    assert propagate(FAMILY, {("public", "gone"): {"x": "email"}}) == {("public", "gone"): {"x": "email"}}


def test_the_input_is_left_as_it_was() -> None:
    direct = {("public", "people"): {"email": "email"}}
    propagate(FAMILY, direct)
    assert direct == {("public", "people"): {"email": "email"}}
