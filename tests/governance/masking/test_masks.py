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
from governance.masking.errors import MaskingImpossible
from governance.masking.masks import MASKS, masked_value
from governance.masking.masks.pseudonym import INNER, OUTER
from governance.masking.types import Family, family_of, limit_of, quote_text
from governance.policy.decision import MaskedColumn
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
    "text[]": ["{}", "{a,NULL}", "{{a,b},{c,d}}", '{"a@b.org","\\"\\\\"}'],
    "character varying[]": ["{a}"],
    "integer[]": ["{1,2}"],
    "public.mood[]": ["{sad}"],
    "inet": ["10.0.0.1", "255.255.255.255/8", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    "cidr": ["10.0.0.0/8", "::/0"],
    "macaddr": ["ff:ff:ff:ff:ff:ff"],
    "macaddr8": ["ff:ff:ff:ff:ff:ff:ff:ff"],
    "interval": ["1 day", "-178000000 years"],
    "interval day to second(3)": ["1 day 02:03:04.567"],
    "money": ["0", "92233720368547758.07", "-92233720368547758.08", "12345.67"],
    "numeric(2,2)": ["0.99", "-0.99"],
    "numeric(2,-3)": ["99000", "-99000"],
    "numeric(30,0)": ["999999999999999999999999999999"],
    "time without time zone": ["00:00", "24:00", "23:59:59.999999"],
    "time(0) with time zone": ["00:00+15:59", "24:00-15:59"],
    "timestamp(0) with time zone": TIMES,
    "bit(8)": ["00000000", "11111111"],
    "bit varying(3)": ["", "101"],
    "int4range": ["[1,5)", "empty"],
    "tstzmultirange": ["{}", "{(,2024-01-01)}"],
    "xml": ["<a/>"],
    "tsvector": ["'a' 'b'"],
    "oid": ["0", "4294967295"],
    '"char"': ["", "a"],
    "point": ["(1,2)"],
    "public.mood": ["sad"],
    "public.point_of": ["(1,x)"],
    "public.citext": TEXT,
}
EVERYTHING = [(mask, type_) for mask in MASKS for type_ in EXTREMES]
# The embedded server has no extension `citext`; this is what it is made of.
TYPES = """
CREATE TYPE mood AS ENUM ('sad');
CREATE TYPE point_of AS (x integer, y text);
CREATE TYPE citext;
CREATE FUNCTION citextin(cstring) RETURNS citext AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION citextout(citext) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE citext (INPUT = citextin, OUTPUT = citextout, LIKE = text, CATEGORY = 'S', COLLATABLE = true);
CREATE CAST (citext AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (text AS citext) WITHOUT FUNCTION AS ASSIGNMENT;
"""
KEY = ["36" * 64, "5c" * 64]


@pytest.fixture(scope="module")
def session(target_database: MakeTarget) -> Iterator[Session]:
    database = target_database()
    with psycopg.connect(database.admin_dsn, autocommit=True) as session:
        session.execute(TYPES)
        session.execute(f"SELECT set_config('{INNER}', %s, false), set_config('{OUTER}', %s, false)", KEY)
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


@pytest.mark.parametrize(("mask", "type_"), EVERYTHING)
def test_a_mask_keeps_the_type_and_never_fails(mask: str, type_: str, session: Session) -> None:
    expected = session.execute(f"SELECT pg_typeof(NULL::{type_})::text").fetchone()
    for data_class in BUILT_IN:
        found = masked(session, mask, data_class, type_, [*EXTREMES[type_], None])
        assert {shown for shown, _ in found} == {expected[0] if expected else ""}


DOMAINS = ["text", "character varying(20)", "integer", "numeric(5,2)", "date", "jsonb", "public.mood"]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("type_", DOMAINS)
def test_a_domain_that_forbids_the_mask_is_left_for_its_base_type(mask: str, type_: str, session: Session) -> None:
    value = EXTREMES[type_][-1]
    with session.transaction(force_rollback=True):
        session.execute(f"CREATE DOMAIN strict AS {type_} NOT NULL CHECK (VALUE::text = {quote_text(value)})")
        session.execute("CREATE TABLE t (c strict)")
        session.execute("INSERT INTO t VALUES (%s)", [value])
        column = Column("c", "public.strict", type_)
        row = session.execute(f"SELECT pg_typeof({MASKS[mask](column, 'email', 't.c')})::text FROM t").fetchone()
    assert row == ("mood" if type_ == "public.mood" else family_name(type_),)


def family_name(type_: str) -> str:
    return type_.partition("(")[0]


OPAQUE = [(mask, type_) for mask in ("redact", "null") for type_ in EXTREMES]


@pytest.mark.parametrize(("mask", "type_"), OPAQUE)
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


def whole(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(str)


# A value as PostgreSQL reads it, by type.
ANY_VALUE: dict[str, st.SearchStrategy[str]] = {
    "text": LETTERS,
    "public.citext": LETTERS,
    "character varying(7)": LETTERS.map(lambda text: text[:7]),
    "character(7)": LETTERS.map(lambda text: text[:7]),
    "smallint": whole(-(2**15), 2**15 - 1),
    "integer": whole(-(2**31), 2**31 - 1),
    "bigint": whole(-(2**63), 2**63 - 1),
    "numeric": st.decimals(allow_nan=False).map(str),
    "numeric(38,10)": st.decimals(-(10**27), 10**27, places=10, allow_nan=False).map(str),
    "numeric(28,0)": whole(-(10**28) + 1, 10**28 - 1),
    "real": st.floats(width=32).map(repr),
    "double precision": st.floats().map(repr),
    "money": whole(-92233720368547758, 92233720368547757),
    "date": st.dates().map(str),
    "time without time zone": st.times().map(str),
    "timestamp without time zone": st.datetimes().map(str),
    "timestamp with time zone": st.datetimes().map(lambda moment: f"{moment}+00"),
    "interval": st.timedeltas().map(lambda span: f"{span.days} days {span.seconds} seconds"),
    "uuid": st.uuids().map(str),
    "bytea": st.binary().map(lambda data: "\\x" + data.hex()),
    "inet": st.ip_addresses().map(str),
    "boolean": st.booleans().map(str),
    "bit varying(9)": st.text("01", max_size=9),
}


@settings(RUNS, max_examples=400)
@given(data=st.data(), mask=st.sampled_from(sorted(MASKS)), data_class=st.sampled_from(sorted(BUILT_IN)))
def test_no_value_of_any_type_makes_a_mask_fail(
    session: Session, data: st.DataObject, mask: str, data_class: str
) -> None:
    type_ = data.draw(st.sampled_from(sorted(ANY_VALUE)))
    value = data.draw(ANY_VALUE[type_] | st.none())
    ((kept, _),) = masked(session, mask, data_class, type_, [value])
    assert (kept,) == session.execute(f"SELECT pg_typeof(NULL::{type_})::text").fetchone()


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
    ("text", "1980-05-17", "1980-01-01"),
    ("text", "1980-05-17T10:20:30Z", "1980-01-01"),
    ("text", "1980-05-17 of Jane Doe", "[redacted]"),
    ("money", "54321.00", "$50,000.00"),
    ("money", "-54321.00", "-$50,000.00"),
]


@pytest.mark.parametrize(("type_", "value", "shown"), BUCKETS)
def test_bucket_keeps_the_year_or_the_size(type_: str, value: str, shown: str, session: Session) -> None:
    assert masked(session, "bucket", "salary", type_, [value])[0][1] == shown


# What depends on a setting, or on the encoding of the database, is stable: it holds for the statement.
STABLE = {("scrub", "json"), ("scrub", "text[]"), ("scrub", "character varying[]")}
IMMUTABLE = [(mask, type_) for mask, type_ in EVERYTHING if mask != "pseudonym" and (mask, type_) not in STABLE]


@pytest.mark.parametrize(("mask", "type_"), IMMUTABLE)
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


@pytest.mark.parametrize("mask", MASKS)
def test_no_mask_is_volatile_so_that_the_planner_still_merges_the_sub_select(mask: str, session: Session) -> None:
    with session.transaction(force_rollback=True):
        session.execute("CREATE TABLE t (id integer PRIMARY KEY, c text); SET LOCAL enable_seqscan = off")
        inner = f"SELECT id, {MASKS[mask](Column('c', 'text', 'text'), 'email', 'c')} AS c FROM t"
        plan = session.execute(f"EXPLAIN SELECT c FROM ({inner}) t WHERE id = 1").fetchall()
    assert "t_pkey" in str(plan)
    assert "Subquery Scan" not in str(plan)


def test_a_masked_column_compares_with_a_column_of_another_collation(session: Session) -> None:
    with session.transaction(force_rollback=True):
        session.execute(
            'CREATE TABLE t (c text COLLATE "POSIX", d text COLLATE "ucs_basic"); INSERT INTO t VALUES (1, 2)'
        )
        for mask in MASKS:
            expression = MASKS[mask](Column("c", "text", "text"), "phone", "c")
            session.execute(f"SELECT * FROM (SELECT {expression} AS c, d::text FROM t) x WHERE c = 'x' ORDER BY c")


def test_a_type_that_nobody_listed_has_no_family() -> None:
    assert family_of(Column("c", "public.mood", "public.mood")) == "other"
    assert family_of(Column("c", "intervals", "intervals")) == "other"


def test_the_length_of_a_text_is_known() -> None:
    lengths = {"text": None, "character varying": None, "character varying(7)": 7, "character(3)": 3, "name": 63}
    assert {type_: limit_of(Column("c", type_, type_)) for type_ in lengths} == lengths
    assert family_of(Column("c", "interval(3)", "interval(3)")) is Family.INTERVAL


# --- The registry -----------------------------------------------------------------------------------------------------


def a_mask(mask: str, path: str = "") -> MaskedColumn:
    return MaskedColumn("public", "people", "c", "email", mask, path)


def test_of_several_masks_the_strictest_is_taken() -> None:
    column = Column("c", "text", "text")
    assert masked_value(column, [a_mask("partial"), a_mask("null")], "c") == "NULL::text"


def test_a_mask_on_the_whole_column_outweighs_those_inside_it() -> None:
    column = Column("c", "jsonb", "jsonb")
    assert masked_value(column, [a_mask("null", "$.a"), a_mask("redact")], "c") == """'"[redacted]"'::jsonb"""


@pytest.mark.parametrize(
    ("type_", "masks", "reason"),
    [
        ("text", [], "no mask for c"),
        ("text", [a_mask("blur")], "no mask named 'blur'"),
        ("text", [a_mask("redact", "$.a")], "cannot sit on a place"),
        ("jsonb", [a_mask("redact", "$.a?(@.b)")], "not understood"),
        ("jsonb", [a_mask("redact", "$")], "not understood"),
    ],
)
def test_what_cannot_be_masked_is_refused(type_: str, masks: list[MaskedColumn], reason: str) -> None:
    with pytest.raises(MaskingImpossible, match=reason):
        masked_value(Column("c", type_, type_), masks, "c")
