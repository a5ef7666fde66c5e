"""`manage.py classify NAME --scan`."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from governance.classification import classes_of
from governance.datasources import add_datasource
from governance.models import Classification, DataSource
from tests.fixtures.databases import MakeTarget, TargetDatabase

SCHEMA = """
CREATE TABLE people (id integer PRIMARY KEY, email text, mobile text);
CREATE TABLE notes (id integer PRIMARY KEY, body text);
INSERT INTO people SELECT n, 'person' || n || '@example.com', '+4670123' || 4000 + n FROM generate_series(1, 40) n;
"""


@pytest.fixture(scope="module")
def target(target_database: MakeTarget) -> TargetDatabase:
    return target_database(SCHEMA)


@pytest.fixture
def shop(control_db: str, target: TargetDatabase) -> DataSource:
    return add_datasource("shop", engine="postgres", dsn=target.dsn, environment="prod", actor="user:root")


def classify(*arguments: str) -> str:
    out = StringIO()
    call_command("classify", "shop", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_a_scan_tells_class_confidence_reason_and_masked_examples(shop: DataSource) -> None:
    told = classify("--scan")
    assert "public.people.email=email  98%" in told
    assert "The name says “email”; 100\u202f% of 40 different values are valid e-mail addresses." in told
    assert "masked: ***@example.com" in told
    assert "person1@" not in told
    assert "Nothing is classified yet" in told
    assert not Classification.objects.exists()


def test_a_scan_as_json(shop: DataSource) -> None:
    found = json.loads(classify("--scan", "--json"))
    assert found["relations"] == 2
    first = found["proposals"][0]
    assert (first["column"], first["class"], first["validated_percent"]) == ("public.people.email", "email", 100)
    assert first["masked_examples"] == ["***@example.com"]


def test_what_is_certain_enough_is_accepted_when_asked(shop: DataSource) -> None:
    assert "1 accepted" in classify("--scan", "--accept-above", "98")
    assert classes_of(shop) == {("public", "people"): {"email": "email"}}


def test_one_table_can_be_scanned_alone(shop: DataSource) -> None:
    assert "1 tables of shop scanned: 0 classes proposed." in classify("--scan", "--relation", "public.notes")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sample", "10"), "--sample belongs to --scan"),
        (("--scan", "--list"), "Say one thing"),
        (("--scan", "--sample", "0.5"), "invalid int"),
        (("--scan", "--sample", "0"), "number of rows"),
        (("--scan", "--relation", "people"), "no SCHEMA.TABLE"),
        (("--scan", "--relation", "public.nope"), "has no table public.nope"),
        (("--scan", "--accept-above", "101"), "from 1 to 100"),
        (("--scan", "--country", "Sweden"), "no country code"),
    ],
)
def test_wrong_use_is_told_in_words(shop: DataSource, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        classify(*arguments)
