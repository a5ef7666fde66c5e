"""Putting classes on columns, taking them away, and reading what counts."""

from __future__ import annotations

import pytest

from audit.models import Entry
from governance.catalogue import store
from governance.classification import (
    Assignment,
    ClassificationError,
    Target,
    classes_of,
    classify,
    classify_all,
    parse_assignment,
    parse_target,
    remove,
    told_mask,
)
from governance.datasources import add_datasource
from governance.models import Classification, DataSource
from tests.fixtures.databases import MakeTarget, TargetDatabase

SCHEMA = """
CREATE DOMAIN document AS json;
CREATE TABLE customers (id int PRIMARY KEY, email text, profile jsonb, raw document, "odd:$.name" jsonb);
CREATE VIEW buyers AS SELECT email FROM customers;
CREATE TABLE events (id int, at date, who text) PARTITION BY RANGE (at);
CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
"""
EMAIL = Target("public", "customers", "email")


@pytest.fixture(scope="module")
def target(target_database: MakeTarget) -> TargetDatabase:
    return target_database(SCHEMA)


@pytest.fixture
def shop(control_db: str, target: TargetDatabase) -> DataSource:
    return add_datasource("shop", engine="postgres", dsn=target.dsn, environment="prod", actor="user:root")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("public.customers.email=email", Assignment(EMAIL, "email")),
        (" Public.CUSTOMERS.Email = email ", Assignment(EMAIL, "email")),
        ('"Odd.Schema"."Ta""ble".a=phone', Assignment(Target("Odd.Schema", 'Ta"ble', "a"), "phone")),
        ("public.t.profile:$.a.b[*].c=email", Assignment(Target("public", "t", "profile", "$.a.b[*].c"), "email")),
        (
            'public.t.profile:$."a"."b=c""d"[07] = email',
            Assignment(Target("public", "t", "profile", '$.a."b=c""d"[7]'), "email"),
        ),
        ("public.straße.größe_1$=salary", Assignment(Target("public", "straße", "größe_1$"), "salary")),
    ],
)
def test_assignments_are_read(text: str, expected: Assignment) -> None:
    assert parse_assignment(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "email", "customers.email=email", "a.b.c.d=email", "public.customers.email", "public..email=email",
     'public."customers.email=email', "public.customers.email:a.b=email", "public.1a.b=email", 'public."".b=email'],
)  # fmt: skip
def test_what_is_no_assignment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ClassificationError) as caught:
        parse_assignment(text)
    assert "public.customers.email=email" in caught.value.remedy


def test_an_assignment_without_a_class_lists_the_classes() -> None:
    with pytest.raises(ClassificationError) as caught:
        parse_assignment("public.customers.email=")
    assert "card_number" in caught.value.remedy


def test_a_column_is_classified_and_recorded(shop: DataSource) -> None:
    classify(shop, EMAIL, "email", actor="user:root")
    assert classes_of(shop) == {("public", "customers"): {"email": "email"}}
    entry = Entry.objects.order_by("-index").first()
    assert entry is not None
    assert entry.kind == "classification.changed"
    assert b'"column":"public.customers.email"' in bytes(entry.header)


def test_a_target_can_be_written_out(shop: DataSource) -> None:
    classify(shop, "public.customers.email", "email", actor="user:root")
    assert parse_target("public.customers.email") == EMAIL
    assert classes_of(shop) == {("public", "customers"): {"email": "email"}}


def test_a_views_own_column_can_be_classified(shop: DataSource) -> None:
    classify(shop, "public.buyers.email", "email", actor="user:root")
    assert classes_of(shop) == {("public", "buyers"): {"email": "email"}}


@pytest.mark.parametrize(
    ("column", "data_class", "message", "remedy"),
    [
        ("public.customers.email", "e-mail", "no class 'e-mail'", "Classes: email, phone"),
        ("public.clients.email", "email", "no relation public.clients", "datasource sync shop"),
        ("public.customers.mail", "email", "no column mail", "Columns: id, email, profile"),
        ("public.customers.email:$.a", "phone", "only json and jsonb have places", "public.customers.email=phone"),
        ("public.customers.email", "unclassified_text", "no class 'unclassified_text'", "Classes: email, phone"),
        ('public.customers."odd:$.name"', "email", "holds ':$'", "Rename the column"),
    ],
)
def test_what_cannot_be_classified_is_refused(
    shop: DataSource, column: str, data_class: str, message: str, remedy: str
) -> None:
    with pytest.raises(ClassificationError) as caught:
        classify(shop, column, data_class, actor="user:root")
    assert message in caught.value.message
    assert remedy in caught.value.remedy
    assert not Classification.objects.exists()


@pytest.mark.parametrize(
    "path", ["$", "$.a b", "$..a", "$.a[", "$.a[-1]", "$[*", "$.a.*", '$."a', "$.a?(@.b)", "$.ä", '$."\\"']
)
def test_a_path_that_is_not_understood_is_refused_with_the_place(path: str) -> None:
    with pytest.raises(ClassificationError) as caught:
        parse_target(f"public.customers.profile:{path}")
    assert "$.address.street" in caught.value.remedy or "public.customers.email=email" in caught.value.remedy


def test_a_place_inside_a_json_column_is_classified(shop: DataSource) -> None:
    classify(shop, 'public.customers.profile:$.orders[*]."phone"', "phone", actor="user:root")
    classify(shop, "public.customers.raw:$.email", "email", actor="user:root")
    assert classes_of(shop) == {
        ("public", "customers"): {"profile:$.orders[*].phone": "phone", "raw:$.email": "email"},
    }


def test_a_place_has_one_class_however_it_is_written(shop: DataSource) -> None:
    classify(shop, Target("public", "customers", "profile", '$."a"'), "phone", actor="user:root")
    classify(shop, "public.customers.profile:$.a", "email", actor="user:root")
    assert classes_of(shop) == {("public", "customers"): {"profile:$.a": "email"}}
    remove(shop, parse_target('public.customers.profile:$."a"'), actor="user:root")
    assert classes_of(shop) == {}


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("public.customers.email=email", "partial"),
        ("public.customers.id=email", "redact, since partial does not fit type integer"),
        ("public.customers.profile=salary", "redact, since bucket does not fit type jsonb"),
        ("public.customers.profile:$.pay=salary", "bucket"),
    ],
)
def test_the_mask_that_stands_for_a_column_is_told(shop: DataSource, assignment: str, told: str) -> None:
    assert told_mask(shop, parse_assignment(assignment)) == told


def test_several_are_made_together_or_not_at_all(shop: DataSource) -> None:
    wanted = [parse_assignment(text) for text in ("public.customers.email=email", "public.customers.nope=email")]
    with pytest.raises(ClassificationError):
        classify_all(shop, wanted, actor="user:root")
    assert not Classification.objects.exists()


def test_another_class_takes_the_place_of_the_first(shop: DataSource) -> None:
    classify(shop, EMAIL, "email", actor="user:root")
    assert classes_of(shop)["public", "customers"] == {"email": "email"}
    classify(shop, EMAIL, "secret", actor="user:rita")
    assert classes_of(shop)["public", "customers"] == {"email": "secret"}
    assert Classification.objects.get().created_by == "user:rita"


def test_the_same_class_again_changes_and_records_nothing(shop: DataSource) -> None:
    classify(shop, EMAIL, "email", actor="user:root")
    before = Entry.objects.count()
    classify(shop, EMAIL, "email", actor="user:root")
    assert Entry.objects.count() == before


def test_a_class_can_be_taken_away(shop: DataSource) -> None:
    classify(shop, EMAIL, "email", actor="user:root")
    assert classes_of(shop)
    remove(shop, EMAIL, actor="user:root")
    assert classes_of(shop) == {}
    with pytest.raises(ClassificationError, match="no class of its own"):
        remove(shop, EMAIL, actor="user:root")


def test_partitions_share_the_classes_of_their_table(shop: DataSource) -> None:
    classify(shop, "public.events_2020.who", "person_name", actor="user:root")
    assert classes_of(shop)["public", "events"] == {"who": "person_name"}


def test_a_new_partition_is_classified_once_it_is_known(control_db: str, target_database: MakeTarget) -> None:
    own = target_database(SCHEMA)
    shop = add_datasource("shop", engine="postgres", dsn=own.dsn, environment="prod", actor="user:root")
    classify(shop, "public.events.who", "person_name", actor="user:root")
    own.admin.execute("CREATE TABLE e21 PARTITION OF events FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')")
    assert ("public", "e21") not in classes_of(shop)
    store.synchronise(shop, "user:root")
    assert classes_of(shop)["public", "e21"] == {"who": "person_name"}
