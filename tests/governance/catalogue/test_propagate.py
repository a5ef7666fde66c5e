"""Classes along inheritance, on catalogues made by hand."""

from __future__ import annotations

from governance.catalogue.model import Catalogue, Column, Relation, RelationKind
from governance.catalogue.propagate import derived_classes, propagate, unresolved_views
from tests.governance.analysis.shop import function


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


def view(name: str, columns: str, definition: str, kind: RelationKind = RelationKind.VIEW) -> Relation:
    listed = tuple(Column(column, "text", "text") for column in columns.split())
    return Relation("public", name, kind, listed, definition=definition)


STORED = RelationKind.MATERIALIZED_VIEW
SCHEMA = Catalogue(
    version=1,
    search_path=("public",),
    relations={
        (one.schema, one.name): one
        for one in (
            relation("people", "id email name data"),
            view("mails", "id mail low who", "SELECT id, email, lower(email), upper(name) FROM public.people"),
            view("over", "m l rest", "SELECT mail, low, 'x' || id FROM public.mails"),
            view("documents", "d text", "SELECT data, data ->> 'email' FROM public.people"),
            view("rows", "p", "SELECT p FROM public.people p"),
            view("broken", "a b", "SELECT a, b FROM public.nowhere"),
            view("kept", "mail low", "SELECT mail, low FROM public.mails", STORED),
            view("again", "m", "SELECT mail FROM public.kept", STORED),
            view("above", "m", "SELECT m FROM public.again"),
        )
    },
    functions={name: (function(name),) for name in ("lower", "upper")},
)
BY_HAND = {("public", "people"): {"email": "email", "name": "person_name"}}
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


def derived(direct: dict[tuple[str, str], dict[str, str]]) -> dict[str, dict[str, str]]:
    return {name: places for (_, name), places in derived_classes(SCHEMA, propagate(SCHEMA, direct)).items()}


def test_a_views_column_has_the_class_of_what_it_copies_and_a_stricter_one_where_it_computes() -> None:
    assert derived(BY_HAND)["mails"] == {"mail": "email", "low": "secret", "who": "person_name"}


def test_classes_go_up_through_views_over_views() -> None:
    assert derived(BY_HAND)["over"] == {"m": "email", "l": "secret"}


def test_a_whole_row_is_as_sensitive_as_anything_in_it() -> None:
    assert derived(BY_HAND)["rows"] == {"p": "secret"}


def test_a_plain_view_is_not_masked_again() -> None:
    assert ("public", "mails") not in propagate(SCHEMA, BY_HAND)


def test_what_a_materialised_view_stores_is_in_force_like_a_tables_own() -> None:
    found = propagate(SCHEMA, BY_HAND)
    assert found["public", "kept"] == {"mail": "email", "low": "secret"}
    assert found["public", "again"] == {"m": "email"}
    assert derived(BY_HAND)["above"] == {"m": "email"}


def test_a_class_put_on_a_materialised_view_by_hand_wins_and_goes_on_from_there() -> None:
    found = propagate(SCHEMA, {**BY_HAND, ("public", "kept"): {"mail": "free_text"}})
    assert found["public", "kept"] == {"mail": "free_text", "low": "secret"}
    assert found["public", "again"] == {"m": "free_text"}


def test_a_place_inside_json_stays_one_where_the_document_is_copied() -> None:
    direct = {("public", "people"): {"data:$.email": "email"}}
    assert derived(direct)["documents"] == {"d:$.email": "email", "text": "secret"}


def test_all_that_is_in_a_view_that_cannot_be_resolved_is_secret_and_it_is_told() -> None:
    assert derived({})["broken"] == {"a": "secret", "b": "secret"}
    (unresolved,) = unresolved_views(SCHEMA)
    assert unresolved.relation.name == "broken"
    assert "public.nowhere" in unresolved.why


def test_a_place_inside_json_goes_along_inheritance() -> None:
    found = propagate(FAMILY, {("public", "people"): {"email:$.a": "email"}})
    assert found == {name: {"email:$.a": "email"} for name in ALL}
