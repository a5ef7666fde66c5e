"""GET audit/entries: every filter under the name that the pages use, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from audit import ledger
from tests.api.conftest import Caller
from tests.factories import Cast

FIELDS = {
    "principal": "agent:other",
    "on_behalf_of": "user:eve",
    "datasource": "shop",
    "relations": ["public.orders"],
    "classes": ["email"],
    "policies": ["no-drops"],
    "verdict": "deny",
    "risk": 70,
    "run": "run-7",
    "fingerprint": "a0ead580058af585",
    "sql_normal": "DROP TABLE orders",
}


@pytest.fixture
def rita(call: Any, cast: Cast) -> Caller:
    caller: Caller = call(cast.rita)
    return caller


@pytest.mark.parametrize(
    "asked",
    [
        "on_behalf_of=user:eve", "class=email", "policy=no-drops", "risk_min=70", "relation=public.orders&text=drop",
        "kind=signin.failed&kind=statement.denied&run=run-7", "verdict=allow&verdict=deny&principal=agent:other",
        "fingerprint=a0ead580058af585&datasource=shop",
    ],
)  # fmt: skip
def test_an_entry_is_found_by_each_filter(rita: Caller, asked: str) -> None:
    index = ledger.append("statement.denied", **FIELDS).index  # type: ignore[arg-type]
    ledger.append("statement.denied", principal="agent:third")
    answer = rita.get(f"audit/entries?{asked}").json()
    assert [entry["index"] for entry in answer["results"]] == [index]
    assert (answer["behind"], answer["archived"]) == (0, 0)


def test_an_entry_is_found_by_who_decided_and_how_it_ended(rita: Caller) -> None:
    request = "7b0e1ad2-19ab-4d5c-9a44-0a5f1f3f7d11"
    index = ledger.append("review.given", request=request, actor="user:dora", status="rejected").index
    found = rita.get(f"audit/entries?actor=user:dora&status=rejected&request={request}").json()["results"]
    assert [entry["index"] for entry in found] == [index]


@pytest.mark.parametrize(
    "wrong", ["colour=red", "kind=statement.eaten", "verdict=perhaps", "risk_min=101", "risk_min=high", "data_class=x"]
)
def test_what_is_no_filter_is_refused_by_name(rita: Caller, wrong: str) -> None:
    answer = rita.get(f"audit/entries?{wrong}")
    assert answer.status_code == 400
    assert wrong.partition("=")[0] in answer.text


def test_a_filter_with_too_many_values_is_refused(rita: Caller) -> None:
    assert rita.get("audit/entries?" + "&".join(f"run={number}" for number in range(41))).status_code == 400


def test_an_agent_cannot_ask_for_what_others_did(bot: Caller) -> None:
    ledger.append("statement.denied", **FIELDS)  # type: ignore[arg-type]
    assert bot.get("audit/entries?principal=agent:other&run=run-7").json()["results"] == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("limit=1.5", "limit"), ("limit=1e1", "limit"), ("before=9e3", "before"), ("risk_min=50.5", "risk_min"),
        ("limit=" + "9" * 5000, "limit"), ("text=" + "a" * 201, "text"), ("text=a&text=b", "text"),
        ("since=2026-01-01&since=2025-01-01", "since"), ("before=9&after=2", "after"),
        ("since=2026-01-02&until=2026-01-01", "until"),
    ],
)  # fmt: skip
def test_what_would_be_read_as_something_else_is_refused(rita: Caller, wrong: str, named: str) -> None:
    answer = rita.get(f"audit/entries?{wrong}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [named])
