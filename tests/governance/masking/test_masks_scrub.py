"""Scrubbing: what identifies somebody or opens something goes, the rest of a text stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.masking.masks.scrub import LONGEST, STEPS, replaced
from tests.fixtures.databases import MakeTarget
from tests.governance.masking.trying import Session, a_mask, connected, one, shown

SCRUB = a_mask("scrub", "free_text")


@pytest.fixture(scope="module")
def session(target_database: MakeTarget) -> Iterator[Session]:
    with connected(target_database().admin_dsn) as session:
        yield session


FOUND = {
    "[email]": [
        "jane.doe+x@mail.example.com", "Jörg@exämple.de", '"jane doe"@example.com', "a@localhost", "O'Neil_7@x.co.uk",
    ],
    "[phone]": [
        "+46 70-123 45 67", "+1 (555) 123-4567", "+442071838750", "0046 70 123 456", "070-123 45 67", "0171/2345678",
        "(0171) 2345678", "(555) 123-4567", "555-123-4567", "555.123.4567",
    ],
    "[number]": [
        "4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111", "378282246310005", "6304000000000000000",
        "SE35 5000 0000 0549 1000 0003", "DE89370400440532013000", "GB82WEST12345698765432", "gb82 WEST 1234 5698 7654 32",
        "123-45-6789", "123 45 6789", "19800517-1234", "800517-1234", "800517+123A", "QQ 12 34 56 C", "QQ123456C", "12345678Z",
        "X1234567L", "RSSMRA85T10A562S", "123.456.789-09", "1234 5678 9012",
    ],
    "[address]": [
        "10.1.2.3", "255.255.255.255", "fe80::1:2:3", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "00:1A:2b:3c:4d:5e",
        "aa-bb-cc-dd-ee-ff",
    ],
    "[secret]": [
        "password=hunter2", "Password: hunter2", "PASSWD = 'two words'", "api_key=x", "API key: y",
        "access-key: q", "pwd:abc", "PIN: 1234", "cvv=123", "Authorization: Basic dXNlcjpwYXNz",
        "Bearer abcdefghijklmnop12", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def_", "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "github_pat_11ABCDEFG0abcdefghij", "glpat-abcdefghij1234567890",
        "xoxb-123456789012-abcdefghij", "sk_live_abcdefghijklmnop", "sk-proj-abcdefghijklmnopqrst", "hf_abcdefghijklmnop",
        "AIzaSyA1234567890abcdefghijklmnopqrstuvw", "npm_abcdefghijklmnopqrstuvwxyz0123456789",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIabc+def/=\n-----END RSA PRIVATE KEY-----",
    ],
}  # fmt: skip
EVERY = [(value, replacement) for replacement, values in FOUND.items() for value in values]


@pytest.mark.parametrize(("value", "replacement"), EVERY)
def test_what_identifies_or_opens_is_replaced_and_the_rest_stays(
    session: Session, value: str, replacement: str
) -> None:
    assert one(session, "text", value, SCRUB) == replacement
    assert one(session, "text", f"ask {value} soon", SCRUB) == f"ask {replacement} soon"


def test_what_a_secret_is_called_may_stay_in_part(session: Session) -> None:
    assert one(session, "text", '{"token": "abc"}', SCRUB) == '{"[secret]}'
    assert one(session, "text", "client_secret=z", SCRUB) == "client_[secret]"


def test_a_private_key_without_an_end_takes_the_rest_of_the_text(session: Session) -> None:
    assert one(session, "text", "key\n-----BEGIN PRIVATE KEY-----\nMIIabc def", SCRUB) == "key\n[secret]"


def test_credentials_in_an_address_go_and_the_host_stays(session: Session) -> None:
    assert (
        one(session, "text", "see https://jane:p@ss/word@host.example/x", SCRUB) == "see https://[secret]host.example/x"
    )
    assert one(session, "text", "postgres://app@db/shop", SCRUB) == "postgres://[secret]db/shop"


ORDINARY = [
    "plain words only here",
    "Order 12345678 of 3 items, 100.50 EUR, shipped on 2024-01-02 at 10:20:30",
    "SKU AB-1234, version 1.2.3, 15 % off, #42, @handle, 24/7",
    "see https://example.com/a/b?c=d for more",
    "monkeys and keys: none of them spin; tokens and passwords are words",
    "6ba7b810",
    "",
]


@pytest.mark.parametrize("value", ORDINARY)
def test_ordinary_text_stays(session: Session, value: str) -> None:
    assert one(session, "text", value, SCRUB) == value


def test_null_stays_null(session: Session) -> None:
    assert shown(session, "text", [None], SCRUB) == [None]


def test_a_text_fits_its_column(session: Session) -> None:
    assert one(session, "character varying(5)", "a@b.c", SCRUB) == "[emai"
    assert one(session, "character(12)", "a@b.c", SCRUB) == "[email]"


@pytest.mark.parametrize("type_", ["json", "jsonb"])
def test_json_in_which_something_is_found_is_redacted_whole(session: Session, type_: str) -> None:
    values = ['{"a": "plain"}', '{"a": ["b@c.org"]}', '{"password": "x"}', '{"n": 4111111111111111}', "null"]
    redacted = '"[redacted]"'
    assert shown(session, type_, values, SCRUB) == ['{"a": "plain"}', redacted, redacted, redacted, "null"]


def test_json_escapes_hide_nothing(session: Session) -> None:
    assert one(session, "json", r'"b\u0040c.org"', SCRUB) == '"[redacted]"'
    assert one(session, "json", r'"https:\/\/u:p@h"', SCRUB) == '"[redacted]"'


def test_an_array_in_which_something_is_found_is_redacted_whole(session: Session) -> None:
    assert shown(session, "text[]", ["{a,b}", "{a,b@c.org}"], SCRUB) == ["{a,b}", "{}"]


def test_a_text_too_long_to_be_searched_is_not_shown(session: Session) -> None:
    assert one(session, "text", "x" * (LONGEST + 1), SCRUB) == "[too long to be scrubbed]"


PIECES = st.sampled_from(
    [value for value, _ in EVERY] + ["", " ", "word", "=", ":", "@", "12", "0", "-", "é", "\n", "("]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=6))
def test_the_quick_look_lets_nothing_through_that_a_full_search_finds(session: Session, pieces: list[str]) -> None:
    text = " ".join(pieces)
    row = session.execute(f"SELECT {replaced('c', 0)} FROM (SELECT %s::text AS c) t", [text]).fetchone()
    assert row == (one(session, "text", text, SCRUB),)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.sampled_from(EVERY), around=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
)
def test_what_is_scrubbed_holds_nothing_more_to_be_found(session: Session, value: tuple[str, str], around: str) -> None:
    once = one(session, "text", f"{around} {value[0]} {around}", SCRUB)
    assert once is not None
    assert value[0] not in once


HOSTILE = ["a", "a@", "0 ", "0", "0-", "-----BEGIN PRIVATE KEY-----", '"', '"a', "://a:", "a:", "1.", "password", "pwd='",
           "+ (", "AB12", "eyJ", "sk-.", "[", "00 "]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_grows_with_the_length_of_the_text_and_no_more(session: Session, piece: str) -> None:
    """A pattern whose cost grew with the square of the length would need hours for this."""
    text = (piece * 300_000)[:300_000]
    assert one(session, "text", f"{text} =:@1.1.1", SCRUB)


def test_no_replacement_can_be_found_again() -> None:
    assert {replacement for _, replacement in STEPS} == {*FOUND, "://[secret]"}
