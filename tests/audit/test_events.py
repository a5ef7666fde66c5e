"""The registry of event kinds, and what an event must look like before it may be recorded."""

from __future__ import annotations

import ast
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.entries import LARGEST_HEADER, EntryTooLarge, draft_entry
from audit.events import KINDS, RESERVED, EventError, check_event, clean_text, register

QUERY = "3f1c1f2e-8f0b-4f7e-9d6f-0c6f5b1f2a3d"


def test_a_kind_registered_twice_is_refused():
    with pytest.raises(EventError, match="twice"):
        register("statement.intent", "Again")


def test_a_reserved_field_cannot_be_registered():
    with pytest.raises(EventError, match="leaf"):
        register("statement.reserved", "Reserved", optional=["leaf"])
    assert "statement.reserved" not in KINDS


def test_no_registered_kind_uses_a_reserved_field():
    assert not [kind.name for kind in KINDS.values() if RESERVED & (kind.required | kind.optional)]


def test_an_unknown_kind_is_refused():
    with pytest.raises(EventError, match=r"'statement\.guessed' is not a registered kind"):
        check_event("statement.guessed", {})


def test_a_missing_field_is_named():
    with pytest.raises(EventError, match=r"statement\.denied: the field principal is missing"):
        check_event("statement.denied", {"principal": None})


def test_an_unknown_field_is_named():
    with pytest.raises(EventError, match=r"statement\.denied: there is no field 'colour'"):
        check_event("statement.denied", {"principal": "agent:a", "colour": "red"})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("verdict", "maybe", "verdict must be one of allow, review, deny"),
        ("risk", 101, "risk must be a whole number"),
        ("risk", True, "risk must be a whole number"),
        ("query", "not-a-uuid", "query must be a UUID"),
        ("query", QUERY.upper(), "query must be a UUID in lower case"),
        ("run", 7, "run must be text"),
        ("run", "x" * 301, "run must be at most 300"),
        ("relations", "public.orders", "relations must be a list"),
        ("relations", [1], "relations holds a name that must be text"),
        ("relations", ["public.orders"] * 501, "relations must be a list of at most 500"),
    ],
)
def test_a_query_column_of_the_wrong_shape_is_refused(field: str, value: object, message: str):
    with pytest.raises(EventError, match=message):
        check_event("statement.denied", {"principal": "agent:a", field: value})


def test_fields_that_are_none_are_left_out():
    assert check_event("statement.denied", {"principal": "agent:a", "run": None}) == {"principal": "agent:a"}


def test_uuids_and_tuples_are_recorded_as_text_and_lists():
    fields = check_event(
        "statement.denied", {"principal": "agent:a", "query": uuid.UUID(QUERY), "relations": ("public.a",)}
    )
    assert fields == {"principal": "agent:a", "query": QUERY, "relations": ["public.a"]}


def test_a_header_that_is_too_large_names_its_largest_field():
    with pytest.raises(EntryTooLarge, match="'sql_normal'"):
        draft_entry("statement.denied", {"principal": "agent:a", "sql_normal": "x" * LARGEST_HEADER})


def test_the_largest_header_fits_the_bundles_of_a_transparency_log():
    draft_entry("statement.denied", {"principal": "agent:a", "sql_normal": "x" * (LARGEST_HEADER - 200)})
    assert LARGEST_HEADER < 65_535


def test_text_from_outside_is_made_fit_for_a_field():
    assert clean_text("a\x00b\ud800c") == "a\ufffdb?c"
    assert clean_text("x" * 400, 150) == "x" * 149 + "…"


def calls_of_the_ledger() -> Iterator[tuple[str, ast.Call]]:
    root = Path(__file__).parents[2]
    for package in ("audit", "governance", "approvals", "gateway"):
        for path in (root / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ("ledger.append", "ledger.append_within"):
                    yield f"{path.relative_to(root)}:{node.lineno}", node


def test_every_call_of_the_ledger_names_registered_kinds_and_fields():
    wrong = []
    for place, call in calls_of_the_ledger():
        if not isinstance(call.args[0], ast.Constant):
            continue
        name = str(call.args[0].value)
        kind = KINDS.get(name)
        given = {keyword.arg for keyword in call.keywords if keyword.arg not in (None, "payload")}
        allowed = kind.checks.keys() if kind else frozenset()
        if not given <= allowed:
            wrong.append(f"{place}: {name} {given - allowed if kind else 'is not registered'}")
    assert wrong == []


def test_the_documentation_lists_every_kind():
    page = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text()
    assert [name for name in KINDS if f"`{name}`" not in page] == []
