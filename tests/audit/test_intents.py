"""Which intents are open: those that no later entry about the same query has closed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from audit import intents, ledger
from audit.intents import open_intents

pytestmark = pytest.mark.usefixtures("control_db")


def intend(query: str | None = None, **fields: Any) -> tuple[int, str]:
    query = query or str(uuid.uuid4())
    receipt = ledger.append("statement.intent", principal="agent:a", datasource="shop", query=query, **fields)
    return receipt.index, query


def close(query: str, kind: str = "statement.outcome") -> int:
    fields: dict[str, Any] = {"query": query, "status": "executed"}
    if kind == "statement.outcome":
        fields |= {"principal": "agent:a", "datasource": "shop"}
    else:
        fields |= {"request": str(uuid.uuid4())}
    return ledger.append(kind, **fields).index


def found(first: int = 0, end: int = 1000, until: int | None = None) -> list[int]:
    return [intent.index for intent in open_intents(first, end, until=until)]


@pytest.mark.parametrize("kind", ["statement.outcome", "execution.finished"])
def test_an_intent_is_open_until_an_entry_says_how_its_query_ended(kind: str):
    index, query = intend()
    other, _ = intend()
    assert found() == [index, other]
    close(query, kind)
    assert found() == [other]


def test_what_ended_an_earlier_attempt_does_not_close_a_later_one():
    _, query = intend()
    close(query, "execution.finished")
    second, _ = intend(query)
    assert found() == [second]


def test_an_open_intent_says_whose_it_is():
    request = str(uuid.uuid4())
    index, query = intend(request=request, environment="prod")
    (intent,) = open_intents(0, 1)
    assert (intent.index, intent.query, intent.request) == (index, query, request)
    assert (intent.principal, intent.datasource, intent.environment) == ("agent:a", "shop", "prod")


def test_only_the_range_is_looked_at_and_its_end_may_be_anywhere(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(intents, "SPAN", 2)
    opened = [intend() for _ in range(5)]
    close(opened[1][1])
    assert found(1, 4) == [2, 3]
    assert found(0, 5) == [0, 2, 3, 4]


def test_what_was_open_at_a_moment_can_be_asked():
    index, query = intend()
    closed = close(query)
    assert found(until=closed) == [index]
    assert found(until=closed + 1) == []
