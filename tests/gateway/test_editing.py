"""Editing what waits: decided again, reviews void, and an edit that is refused changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from approvals import services
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.models import Impact, Request, Revision
from approvals.states import State
from audit.models import Entry
from audit.search import entry_with_payload
from gateway import editing
from gateway.models import Query, QueryState
from gateway.pipeline import submit
from governance.errors import Denied, Unreadable
from tests.factories import Cast, make_user

BEFORE = "DELETE FROM orders"
AFTER = "DELETE FROM orders WHERE status = 'done'"


@pytest.fixture
def query(cast: Cast) -> Query:
    return submit(cast.submission(BEFORE)).query


def edit(cast: Cast, query: Query, sql: str = AFTER, who: Any = None, params: tuple[Any, ...] = ()) -> Query:
    fresh = Query.objects.select_related("datasource", "agent__owner", "user", "request__agent").get(pk=query.pk)
    return editing.edit(cast.principal(who or cast.bot), fresh, sql, params)


def request_of(query: Query) -> Request:
    assert query.request_id is not None
    return Request.objects.get(pk=query.request_id)


def as_it_is(query: Query) -> tuple[Any, ...]:
    request, kept = request_of(query), Query.objects.get(pk=query.pk)
    return (
        *(getattr(request, name) for name in ("sql", "params", "digest", "revision", "state", "expires_at", "facts")),
        *(getattr(kept, name) for name in ("sql", "params", "digest", "state", "facts", "decision")),
    )


@pytest.mark.parametrize("who", ["bot", "alice"])
def test_whoever_asked_and_the_owner_edit(cast: Cast, query: Query, who: str) -> None:
    edit(cast, query, who=getattr(cast, who))
    request, kept = request_of(query), Query.objects.get(pk=query.pk)
    assert (request.sql, request.revision, request.state) == (AFTER, 2, State.PENDING)
    assert (kept.sql, kept.state, kept.digest) == (AFTER, QueryState.PARKED, request.digest)


@pytest.mark.parametrize("who", ["rita", "olaf", "mallory"])
def test_nobody_else_edits(cast: Cast, query: Query, who: str) -> None:
    before = as_it_is(query)
    with pytest.raises(UnknownRequest):
        edit(cast, query, who=getattr(cast, who))
    assert as_it_is(query) == before


def test_p5_an_administrator_does_not_edit_what_others_asked(cast: Cast, query: Query) -> None:
    with pytest.raises(UnknownRequest):
        edit(cast, query, who=make_user("root", "dba", is_administrator=True))


def test_p4_an_edit_voids_the_approvals_that_were_given(cast: Cast, query: Query) -> None:
    request = request_of(query)
    Request.objects.filter(pk=request.pk).update(required=[{"group": "dba", "quorum": 2}])
    services.review(request.pk, cast.principal(cast.rita), "approve", "")
    edit(cast, query)
    request = request_of(query)
    assert services.lacking(request) == {"dba": 1}
    rita = cast.principal(cast.rita)
    assert services.review(request.pk, rita, "approve", "", revision=2).state == State.APPROVED


@pytest.mark.parametrize("seen", [None, 1])
def test_p4_nobody_approves_an_edited_text_without_saying_that_they_read_it(
    cast: Cast, query: Query, seen: int | None
) -> None:
    """Else whoever reads a harmless text could approve another, put in its place between reading and approving."""
    request = request_of(query)
    edit(cast, query)
    with pytest.raises(ReviewRefused, match="edited"):
        services.review(request.pk, cast.principal(cast.rita), "approve", "", revision=seen)


def test_p5_who_no_longer_owns_the_agent_does_not_change_what_it_asks_for(cast: Cast, query: Query) -> None:
    cast.bot.owner = cast.mallory
    cast.bot.save()
    with pytest.raises(UnknownRequest):
        edit(cast, Query.objects.get(pk=query.pk), who=cast.alice)
    assert edit(cast, Query.objects.get(pk=query.pk), who=cast.mallory).digest != query.digest


def test_p4_one_changed_parameter_is_another_digest(cast: Cast) -> None:
    query = submit(cast.submission("UPDATE orders SET status = 'open' WHERE total > $1", params=(10,))).query
    digest = query.digest
    edit(cast, query, "UPDATE orders SET status = 'open' WHERE total > $1", params=(11,))
    assert request_of(query).digest != digest


def test_each_revision_is_kept(cast: Cast, query: Query) -> None:
    edit(cast, query, who=cast.alice)
    kept = Revision.objects.filter(request=query.request_id).values_list("number", "by")
    assert list(kept) == [(1, "agent:analyst-bot"), (2, "user:alice")]
    assert [one.sql for one in Revision.objects.filter(request=query.request_id)] == [BEFORE, AFTER]


def test_what_was_measured_of_the_earlier_statement_is_forgotten(cast: Cast, query: Query) -> None:
    request = request_of(query)
    Impact.objects.update_or_create(request=request, defaults={"state": "measured", "rows": 60})
    Request.objects.filter(pk=request.pk).update(row_bound=66)
    edit(cast, query)
    impact = Impact.objects.get(request=query.request_id)
    assert (impact.rows, impact.revision, request_of(query).row_bound) == (None, 2, None)


def test_the_ledger_tells_of_the_edit_and_seals_its_text(cast: Cast, query: Query) -> None:
    edit(cast, query, "DELETE FROM orders WHERE status = 'secret word'", who=cast.alice)
    entry = Entry.objects.get(kind="request.edited")
    assert (entry.fields["actor"], entry.fields["revision"]) == ("user:alice", 2)
    assert b"secret word" not in bytes(entry.header)
    detail = entry_with_payload(entry.index)
    assert detail is not None
    assert detail.payload is not None
    assert "secret word" in str(detail.payload["sql"])


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        pytest.param("DROP TABLE orders", Denied, id="denied"),
        pytest.param("DELETE FROM", Unreadable, id="unreadable"),
        pytest.param("DELETE FROM orders WHERE id = 1", editing.NothingToReview, id="needs no review"),
        pytest.param(BEFORE, ReviewRefused, id="the same"),
    ],
)
def test_an_edit_that_is_refused_changes_nothing(cast: Cast, query: Query, sql: str, error: type[Exception]) -> None:
    before = as_it_is(query)
    with pytest.raises(error):
        edit(cast, query, sql)
    assert as_it_is(query) == before


@pytest.mark.parametrize(("sql", "code"), [("DROP TABLE orders", "denied"), ("DELETE FROM", "unreadable")])
def test_p3_an_edit_that_policy_refuses_is_in_the_ledger(cast: Cast, query: Query, sql: str, code: str) -> None:
    with pytest.raises((Denied, Unreadable)):
        edit(cast, query, sql, who=cast.alice)
    entry = Entry.objects.get(kind="statement.denied")
    assert (entry.fields["code"], entry.fields["actor"], entry.fields["request"]) == (
        code, "user:alice", str(query.request_id)
    )  # fmt: skip


def test_what_is_decided_cannot_be_edited(cast: Cast, query: Query) -> None:
    assert query.request_id is not None
    services.review(query.request_id, cast.principal(cast.rita), "approve", "")
    with pytest.raises(ReviewRefused, match="approved"):
        edit(cast, query)


def test_of_two_edits_at_once_the_second_is_told(cast: Cast, query: Query) -> None:
    stale = Query.objects.select_related("datasource", "agent__owner", "user", "request__agent").get(pk=query.pk)
    edit(cast, query)
    with pytest.raises(ReviewRefused, match="edited meanwhile"):
        editing.edit(cast.principal(cast.bot), stale, "DELETE FROM orders WHERE total > 3", ())
    assert request_of(query).revision == 2
