"""What must hold for any statement: layout, comments and constants change nothing that matters, and no text fails."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.analysis.facts import Facts
from governance.analysis.parse import COMMENTS, Token, parse
from governance.analysis.tree import same_tree
from governance.errors import Unreadable
from tests.corpus.attempts import load
from tests.governance.analysis.shop import facts


def is_readable(sql: str) -> bool:
    try:
        return bool(parse(sql).fingerprint)
    except Unreadable:
        return False


ORDINARY = [step for attempt in load("ordinary") for step in attempt.steps if is_readable(step)]
ALL = [
    step
    for folder in ("ordinary", "leaks", "evasions")
    for one in load(folder)
    for step in one.steps
    if is_readable(step)
]
GAPS = st.sampled_from(
    [" ", "\n", "\t", " \r\n", "/* ; DELETE FROM orders */", "/* /* */ ' */", "-- ' \"\n", "/*é😀*/", "\n--;\n"]
)
QUICK = settings(max_examples=200, deadline=None)


def tokens_of(sql: str) -> list[Token]:
    return [token for token in parse(sql).tokens if token.name not in COMMENTS]


def without_places(found: Facts) -> Facts:
    return replace(
        found,
        normal="",
        hazards=tuple(replace(hazard, place=None) for hazard in found.hazards),
        unknown=tuple(replace(unknown, place=None) for unknown in found.unknown),
    )


@QUICK
@given(st.sampled_from(ALL), st.data())
def test_white_space_and_comments_between_tokens_change_no_fact(sql: str, data: st.DataObject) -> None:
    changed = f" {data.draw(GAPS)}".join(sql[token.start : token.end] for token in tokens_of(sql))
    assert same_tree(parse(sql).statement, parse(changed).statement)
    assert without_places(facts(changed)) == without_places(facts(sql))


@QUICK
@given(st.sampled_from(ORDINARY), st.integers(0, 2**31 - 1))
def test_the_fingerprint_does_not_depend_on_numbers(sql: str, number: int) -> None:
    changed = "".join(
        sql[before : token.start] + (str(number) if token.name == "ICONST" else sql[token.start : token.end])
        for before, token in _with_start_of_gap(sql)
    )
    assert parse(changed).fingerprint == parse(sql).fingerprint


def _with_start_of_gap(sql: str) -> list[tuple[int, Token]]:
    tokens = parse(sql).tokens
    return list(zip([0, *(token.end for token in tokens)], tokens, strict=False))


@QUICK
@given(st.text(st.characters(exclude_characters="\x00'", exclude_categories=["Cs"]), max_size=40))
def test_a_text_constant_never_shows_in_the_normal_text(secret: str) -> None:
    found = facts(
        f"SELECT id /* {secret.replace('*', '').replace('/', '')} */ FROM customers WHERE email = 'mark{secret}mark'"
    )
    assert found.normal == "SELECT id   FROM customers WHERE email = ?"


@QUICK
@given(
    st.text(max_size=100)
    | st.lists(st.sampled_from("SELECT ( ) , 'x' 1 + FROM orders WHERE ; $1 . * NOT \" -- /*".split())).map(" ".join)
)
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    with suppress(Unreadable):
        assert facts(text).fingerprint
