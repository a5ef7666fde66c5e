"""Kept rows that leave again, and what is broken off: both leave a trace."""

from __future__ import annotations

import pytest

from audit import ledger
from audit.models import Entry
from gateway import queries
from gateway.models import Query, QueryState
from gateway.pipeline import submit
from gateway.release import replay
from governance.errors import ServiceUnavailable
from tests.factories import Cast


def down(*_: object, **__: object) -> None:
    raise ledger.LedgerUnavailable("down")


def test_a_result_that_is_read_again_is_recorded_with_who_reads_it(cast: Cast) -> None:
    query = submit(cast.submission("SELECT id FROM orders LIMIT 3")).query
    assert replay(cast.principal(cast.alice), query, "web") is not None
    entry = Entry.objects.get(kind="result.read").fields
    assert (entry["principal"], entry["door"], entry["rows"]) == ("user:alice", "web", 3)
    assert entry["query"] == str(query.pk)


def test_the_same_submission_again_is_recorded_as_a_reading(cast: Cast) -> None:
    for _ in range(2):
        submit(cast.submission("SELECT 1", idempotency_key="once"))
    kinds = list(
        Entry.objects.filter(kind__regex="^(statement|result)").order_by("index").values_list("kind", flat=True)
    )
    assert kinds == ["statement.intent", "statement.outcome", "result.read"]


def test_no_kept_row_leaves_unrecorded(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    query = submit(cast.submission("SELECT 1")).query
    monkeypatch.setattr(ledger, "append", down)
    with pytest.raises(ServiceUnavailable, match="none leaves"):
        replay(cast.principal(cast.bot), query, "rest")


def running(cast: Cast) -> Query:
    query = submit(cast.submission("SELECT 1")).query
    Query.objects.filter(pk=query.pk).update(state=QueryState.RUNNING)
    query.refresh_from_db()
    return query


def test_who_breaks_a_statement_off_is_recorded(cast: Cast) -> None:
    query = running(cast)
    queries.cancel(cast.principal(cast.alice), query)
    entry = Entry.objects.get(kind="statement.cancelled").fields
    assert (entry["actor"], entry["principal"]) == ("user:alice", "agent:analyst-bot")


def test_a_statement_can_be_broken_off_while_nothing_can_be_recorded(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = running(cast)
    monkeypatch.setattr(ledger, "append", down)
    queries.cancel(cast.principal(cast.bot), query)
