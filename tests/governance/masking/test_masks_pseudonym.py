"""Pseudonyms: keyed, always the same for the same value, of the column's type, and none without the key."""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.catalogue.model import Column
from governance.masking.masks import masked_value
from governance.pseudonyms import settings_for
from tests.fixtures.databases import MakeTarget
from tests.governance.masking.trying import NO_KEY, Session, a_mask, connected, one, shown, use_key

PSEUDONYM = a_mask("pseudonym", "secret")


@pytest.fixture(scope="module")
def session(target_database: MakeTarget) -> Iterator[Session]:
    with connected(target_database("CREATE TABLE people (name text)").admin_dsn) as session:
        yield session


def test_it_is_the_hmac_of_the_values_bytes(session: Session) -> None:
    digest = hmac.new(bytes(64), "Åsa".encode(), hashlib.sha256).hexdigest()
    assert one(session, "text", "Åsa", PSEUDONYM) == f"secret-{digest[:20]}"
    assert one(session, "bytea", "abc", PSEUDONYM) == rf"\x{hmac.new(bytes(64), b'abc', hashlib.sha256).hexdigest()}"


@pytest.mark.parametrize(
    ("data_class", "form"),
    [
        ("email", r"user-[0-9a-f]{20}@pseudonym\.invalid"),
        ("person_name", r"name-[0-9a-f]{20}"),
        ("phone", r"\+999\d{16}"),
        ("card_number", r"999\d{16}"),
        ("bank_account", r"ZZ00\d{16}"),
        ("salary", r"value-[0-9a-f]{20}"),
    ],
)
def test_text_has_the_form_of_its_class(session: Session, data_class: str, form: str) -> None:
    assert re.fullmatch(form, one(session, "text", "anything", a_mask("pseudonym", data_class)) or "")


TYPES = [
    ("text", "character varying(60)", "Jane"),
    ("text", "character(60)", "Jane"),
    ("text", "name", "Jane"),
    ("text", "jsonb", "Jane"),
    ("numeric", "numeric(30,4)", "12.50"),
    ("real", "real", "12.5"),
]


@pytest.mark.parametrize(("one_type", "other_type", "value"), TYPES)
def test_equal_values_of_related_types_join(session: Session, one_type: str, other_type: str, value: str) -> None:
    mask = a_mask("pseudonym", "salary")
    written = f'"{value}"' if other_type == "jsonb" else value
    found = [one(session, one_type, value, mask), one(session, other_type, written, mask)]
    assert len({str(shown).strip(' "').removesuffix(".0000")[-12:] for shown in found}) == 1


def test_equal_numbers_have_one_pseudonym_however_they_are_written(session: Session) -> None:
    assert len(set(shown(session, "numeric", ["5", "5.0", "5.000", "0.5e1"], PSEUDONYM))) == 1
    assert len(set(shown(session, "double precision", ["0", "-0"], PSEUDONYM))) == 1


def test_null_stays_null_and_an_empty_text_has_a_pseudonym(session: Session) -> None:
    empty, null = shown(session, "text", ["", None], PSEUDONYM)
    assert empty
    assert null is None


@pytest.mark.parametrize("blocks", [("", ""), ("36" * 64, ""), ("", "5c" * 64), ("36" * 63, "5c" * 63)])
@pytest.mark.parametrize("type_", ["text", "integer", "bytea"])
def test_without_the_whole_key_there_is_nothing(session: Session, type_: str, blocks: tuple[str, str]) -> None:
    use_key(session, *blocks)
    try:
        assert one(session, type_, "7", PSEUDONYM) is None
    finally:
        use_key(session, *NO_KEY)


@pytest.mark.parametrize("type_", ["text", "integer", "date", "uuid"])
def test_another_key_gives_other_pseudonyms(session: Session, type_: str) -> None:
    value = {"uuid": str(uuid.UUID(int=1)), "date": "2001-02-03"}.get(type_, "7")
    first = one(session, type_, value, PSEUDONYM)
    use_key(session, "37" * 64, "5d" * 64)
    try:
        assert one(session, type_, value, PSEUDONYM) != first
    finally:
        use_key(session, *NO_KEY)


def test_a_uuid_stays_one_of_a_version_for_such_uses(session: Session) -> None:
    found = uuid.UUID(one(session, "uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", PSEUDONYM) or "")
    assert (found.version, found.variant) == (8, uuid.RFC_4122)


RANGES = [("smallint", 2**15), ("integer", 2**31), ("bigint", 2**52), ("numeric(4,1)", 1000), ("numeric", 2**52)]


@pytest.mark.parametrize(("type_", "end"), RANGES)
def test_a_number_is_positive_and_fits(session: Session, type_: str, end: int) -> None:
    found = shown(session, type_, [str(number) for number in range(-99, 100)], PSEUDONYM)
    assert all(0 <= float(number or -1) < end for number in found)


def test_what_cannot_hold_a_pseudonym_is_redacted(session: Session) -> None:
    assert shown(session, "boolean", ["true", "false"], PSEUDONYM) == ["false", "false"]
    assert shown(session, "text[]", ["{a}"], PSEUDONYM) == ["{}"]
    assert shown(session, "numeric(2,2)", ["0.5"], PSEUDONYM) == ["0.00"]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40), unique=True))
def test_different_texts_have_different_pseudonyms_without_a_trace_of_them(session: Session, values: list[str]) -> None:
    found = shown(session, "text", values, PSEUDONYM)
    assert len(set(found)) == len(values)
    assert all(re.fullmatch("secret-[0-9a-f]{20}", str(pseudonym)) for pseudonym in found)


def test_a_join_a_group_and_a_count_over_pseudonyms_work(session: Session) -> None:

    masked = masked_value(Column("name", "text", "text"), [PSEUDONYM], '"name"')
    people = f"(SELECT {masked} AS name FROM (VALUES ('a'), ('b'), ('a')) v(name))"
    sql = f"SELECT name, count(*) FROM {people} x JOIN {people} y USING (name) GROUP BY name ORDER BY 2"
    assert [count for _, count in session.execute(sql).fetchall()] == [1, 4]


# --- The key --------------------------------------------------------------------------------------------------------


def a_source(number: int) -> Any:
    return SimpleNamespace(pk=number)


def test_each_data_source_has_a_key_of_its_own() -> None:
    assert settings_for(a_source(1), [PSEUDONYM]) != settings_for(a_source(2), [PSEUDONYM])
    assert settings_for(a_source(1), [PSEUDONYM]) == settings_for(a_source(1), [PSEUDONYM])


def test_the_key_is_prepared_only_where_something_is_put_under_pseudonyms() -> None:
    assert settings_for(a_source(1), [a_mask("redact")]) == ()


def test_a_new_encryption_key_changes_no_pseudonym(settings: Any) -> None:
    settings.COUNTERSIGN_ENCRYPTION_KEYS = ["old"]
    before = settings_for(a_source(1), [PSEUDONYM])
    settings.COUNTERSIGN_ENCRYPTION_KEYS = ["new", "old"]
    assert settings_for(a_source(1), [PSEUDONYM]) == before
    settings.COUNTERSIGN_ENCRYPTION_KEYS = ["new"]
    assert settings_for(a_source(1), [PSEUDONYM]) != before


def test_the_blocks_are_those_of_rfc_2104() -> None:
    (_, inner), (_, outer) = settings_for(a_source(1), [PSEUDONYM])
    key = bytes(byte ^ 0x36 for byte in bytes.fromhex(inner))
    assert key == bytes(byte ^ 0x5C for byte in bytes.fromhex(outer))
    assert any(key[:32])
    assert not any(key[32:])
