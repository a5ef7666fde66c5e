"""Every mask on every type, in PostgreSQL: the type stays, no value makes it fail, and nothing of a value shows but its shape.

Values come from hypothesis and from the ends of each type. A value that made a mask fail would tell of itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from governance.catalogue.model import Column
from governance.classes import BUILT_IN
from governance.masking.masks import MASKS
from governance.masking.types import family_of, quote_text
from tests.fixtures.databases import MakeTarget

Session = psycopg.Connection[Any]
LETTERS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
TEXT = ["", " ", "a", "ab", "@", "a@", "@b", "Åsa Öberg", "日本語😀", "x" * 5000, "a@b@c.org", "%s '\" \\ {}", "\n\t"]
DATES = [
    "infinity",
    "-infinity",
    "4713-11-24 BC",
    "0001-01-01 BC",
    "0001-01-01",
    "2024-02-29",
    "9999-12-31",
    "10000-01-01",
]
TIMES = [f"{day} 12:34:56.789" if "infinity" not in day and not day.endswith("BC") else day for day in DATES]
NUMBERS = ["0", "1", "-1", "9999", "10000", "-10000", "32767"]
EXTREMES: dict[str, list[str]] = {
    "text": TEXT,
    "character varying(20)": [value[:20] for value in TEXT],
    "character varying(1)": ["", "a", "å"],
    "character(3)": ["", "a", "abc"],
    "name": [value[:20] for value in TEXT],
    "smallint": [*NUMBERS, "-32768"],
    "integer": [*NUMBERS, "2147483647", "-2147483648"],
    "bigint": [*NUMBERS, "9223372036854775807", "-9223372036854775808"],
    "numeric": [*NUMBERS, "NaN", "Infinity", "-Infinity", "1e1000", "-1e-1000", "123456789012345678901234567890.5"],
    "numeric(5,2)": ["999.99", "-999.99", "0.01"],
    "real": ["NaN", "Infinity", "-Infinity", "3.4028235e38", "-3.4028235e38", "1e-45", "-1e-45", "0", "12345"],
    "double precision": [
        "NaN",
        "Infinity",
        "-Infinity",
        "1.7976931348623157e308",
        "-1.7976931348623157e308",
        "5e-324",
        "0",
    ],
    "date": [*DATES, "5874897-12-31"],
    "timestamp without time zone": [*TIMES, "294276-12-31 23:59:59"],
    "timestamp(3) without time zone": TIMES,
    "timestamp with time zone": [*TIMES, "294276-12-31 23:59:59+00"],
    "boolean": ["true", "false"],
    "uuid": ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
    "json": ["{}", '{"a": [1]}', "null", '"x"'],
    "jsonb": ["{}", '{"a": [1]}', "null", '"x"'],
    "bytea": ["", "\\x00ff"],
    "text[]": ["{}", "{a,NULL}"],
    "integer[]": ["{1,2}"],
    "inet": ["10.0.0.1"],
    "interval": ["1 day", "-178000000 years"],
    "int4range": ["[1,5)", "empty"],
    "xml": ["<a/>"],
    "tsvector": ["'a' 'b'"],
    "public.mood": ["sad"],
    "public.point_of": ["(1,x)"],
}
EVERYTHING = [(mask, data_class, type_) for mask in MASKS for data_class in BUILT_IN for type_ in EXTREMES]


@pytest.fixture(scope="module")
def session(target_database: MakeTarget) -> Iterator[Session]:
    database = target_database("CREATE TYPE mood AS ENUM ('sad'); CREATE TYPE point_of AS (x integer, y text);")
    with psycopg.connect(database.admin_dsn, autocommit=True) as session:
        yield session


def masked(
    session: Session, mask: str, data_class: str, type_: str, values: list[str | None]
) -> list[tuple[str, str | None]]:
    """The type and the text of each masked value."""
    expression = MASKS[mask](Column("c", type_, type_), data_class, "c")
    rows = session.execute(
        f"SELECT pg_typeof({expression})::text, ({expression})::text FROM (SELECT v::{type_} AS c FROM unnest(%s::text[]) v) t",
        [values],
    )
    return rows.fetchall()


@pytest.mark.parametrize(("mask", "data_class", "type_"), EVERYTHING, ids="-".join)
def test_a_mask_keeps_the_type_and_never_fails(mask: str, data_class: str, type_: str, session: Session) -> None:
    found = masked(session, mask, data_class, type_, [*EXTREMES[type_], None])
    expected = session.execute(f"SELECT pg_typeof(NULL::{type_})::text").fetchone()
    assert {shown for shown, _ in found} == {expected[0] if expected else ""}


OPAQUE = [(mask, type_) for mask in ("redact", "null") for type_ in EXTREMES]


@pytest.mark.parametrize(("mask", "type_"), OPAQUE, ids="-".join)
def test_what_is_redacted_is_the_same_for_every_value(mask: str, type_: str, session: Session) -> None:
    assert len(set(masked(session, mask, "secret", type_, [*EXTREMES[type_], None]))) == 1


RUNS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@RUNS
@given(value=LETTERS, data_class=st.sampled_from(sorted(BUILT_IN)))
@example(value="1234567890123456789", data_class="bank_account")
def test_any_text_can_be_masked_in_any_class(session: Session, value: str, data_class: str) -> None:
    for type_ in ("text", "character varying(20)", "character(3)"):
        for mask in MASKS:
            masked(session, mask, data_class, type_, [value[:3] if type_ == "character(3)" else value[:20]])


@RUNS
@given(value=st.floats(allow_nan=True, allow_infinity=True))
@example(value=5e-324)
@example(value=1.7976931348623157e308)
def test_any_number_falls_into_a_bucket(session: Session, value: float) -> None:
    ((_, shown),) = masked(session, "bucket", "salary", "double precision", [repr(value)])
    assert shown is not None
    assert float(shown) % 10_000 == 0 or abs(float(shown)) >= 1e16


@RUNS
@given(value=st.datetimes() | st.dates())
def test_any_moment_becomes_the_start_of_its_year(session: Session, value: Any) -> None:
    for type_ in ("date", "timestamp without time zone", "timestamp with time zone"):
        ((_, shown),) = masked(session, "bucket", "date_of_birth", type_, [f"{value.isoformat()}+00"])
        assert str(shown).startswith(f"{value.year:04}-01-01")


PARTIAL = [
    ("email", "person7@example.com", "***@example.com"),
    ("email", "two@parts@sub.example-1.com", "***@sub.example-1.com"),
    ("email", "no address", "***"),
    ("email", "a@b.org, Jane Doe 555-1234", "***"),
    ("email", "Jane <a@b.org>", "***"),
    ("email", "a@", "***"),
    ("email", "", "***"),
    ("card_number", "4111 1111 1111 1234", "************1234"),
    ("card_number", "4111-1111-1111-1234", "************1234"),
    ("card_number", "41111111123", "************"),
    ("card_number", "", "************"),
    ("bank_account", "SE35 5000 0000 0549 1000 0003", "************0003"),
    ("bank_account", "123456789", "************"),
    ("phone", "+46 70 123 45 67", "************67"),
    ("phone", "112", "************"),
    ("national_id", "19800517-1234", "************34"),
    ("person_name", "Åsa", "Å***"),
    ("person_name", "Al", "***"),
    ("person_name", "X", "***"),
]


@pytest.mark.parametrize(("data_class", "value", "shown"), PARTIAL)
def test_partial_keeps_a_shape(data_class: str, value: str, shown: str, session: Session) -> None:
    assert masked(session, "partial", data_class, "text", [value, None]) == [("text", shown), ("text", None)]


@pytest.mark.parametrize("type_", ["character(1)", "character varying(1)", "character varying(2)"])
def test_partial_does_not_show_a_value_that_fills_a_narrow_column(type_: str, session: Session) -> None:
    assert {shown for _, shown in masked(session, "partial", "person_name", type_, ["Z", "Q"])} <= {"*", "**"}


BUCKETS = [
    ("integer", "54321", "50000"),
    ("integer", "-54321", "-50000"),
    ("integer", "9999", "0"),
    ("numeric", "12345.67", "10000"),
    ("double precision", "54321.5", "50000"),
    ("real", "54321.5", "50000"),
    ("date", "1980-05-17", "1980-01-01"),
    ("date", "infinity", "9999-01-01"),
    ("timestamp without time zone", "1980-05-17 12:34", "1980-01-01 00:00:00"),
    ("text", "anything", "[redacted]"),
]


@pytest.mark.parametrize(("type_", "value", "shown"), BUCKETS)
def test_bucket_keeps_the_year_or_the_size(type_: str, value: str, shown: str, session: Session) -> None:
    assert masked(session, "bucket", "salary", type_, [value])[0][1] == shown


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("type_", EXTREMES)
def test_a_mask_is_immutable_so_that_an_index_can_be_built_over_it(mask: str, type_: str, session: Session) -> None:
    """PostgreSQL builds indexes over immutable expressions only. What sets the session cannot then change a mask."""
    expression = MASKS[mask](Column("c", type_, type_), "email", "c")
    with session.transaction(force_rollback=True):
        session.execute(f"CREATE TABLE t (c {type_})")
        session.execute(f"CREATE INDEX ON t ((1)) WHERE ({expression}) IS NOT NULL")


def test_a_constant_of_a_mask_is_quoted() -> None:
    assert quote_text("it's") == "'it''s'"
    with pytest.raises(ValueError, match="backslash"):
        quote_text("\\")


def test_a_type_that_nobody_listed_has_no_family() -> None:
    assert family_of(Column("c", "public.mood", "public.mood")) == "other"
