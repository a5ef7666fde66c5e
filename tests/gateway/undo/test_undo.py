"""What an approved statement changed can be taken back: exactly, by a request of its own, where nobody changed it since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from approvals import services as approvals
from approvals.errors import ReviewRefused
from approvals.models import Request, UndoChunk, UndoLog
from approvals.states import State
from audit.models import Entry, Payload
from audit.payloads import open_payload
from gateway import erasure, execution
from gateway.drivers import postgres
from gateway.models import Query, QueryState, Result
from gateway.pipeline import submit
from gateway.undo import NoUndo, capture, emptying, revert
from governance.errors import GatewayError
from governance.policy import store as policy_store
from tests.factories import make_user
from tests.gateway.undo.conftest import Ground, executed

OPEN = "status = 'open'"
CHANGES = [
    pytest.param(f"UPDATE orders SET total = total * 2, status = 'x' WHERE {OPEN}", id="update"),
    pytest.param(f"DELETE FROM orders WHERE {OPEN}", id="delete"),
    pytest.param("INSERT INTO orders SELECT id + 100, 1, total, 'new' FROM orders WHERE id < 20", id="insert"),
    pytest.param(
        "INSERT INTO orders SELECT id + 50, 1, total, 'new' FROM orders WHERE id < 20"
        " ON CONFLICT (id) DO UPDATE SET status = 'up'",
        id="insert or update",
    ),
]


def entries(kind: str) -> list[dict[str, Any]]:
    return [entry.fields for entry in Entry.objects.filter(kind=kind).order_by("index")]


@pytest.mark.parametrize("sql", CHANGES)
def test_what_was_changed_is_restored_byte_for_byte_and_can_be_done_again(ground: Ground, sql: str) -> None:
    before = ground.table("orders")
    request = executed(ground.run(sql))
    changed = ground.table("orders")
    assert changed != before
    back = executed(ground.take_back(request))
    assert ground.table("orders") == before
    executed(ground.take_back(back))
    assert ground.table("orders") == changed


@pytest.mark.parametrize("sql", CHANGES)
def test_one_row_that_was_changed_since_keeps_all_from_being_restored(ground: Ground, sql: str) -> None:
    request = executed(ground.run(sql))
    asked = ground.revert(request)
    images = [image for chunk in UndoChunk.objects.filter(log__request=request) for image in chunk.content]
    key = next((before or after)[0] for before, after in images if before != after)
    ground.shop.admin.execute(
        "INSERT INTO orders VALUES (%s, 2, 77, 'since') ON CONFLICT (id) DO UPDATE SET total = 77, status = 'since'",
        [key],
    )
    since = ground.table("orders")
    back = ground.approve(asked.request)
    assert back.state == State.DRIFTED
    assert "1 has changed since" in back.drift[0]["detail"]
    assert ground.table("orders") == since
    assert not UndoLog.objects.filter(request=back).exists()


def test_only_rows_that_nobody_changed_since_can_be_asked_for(ground: Ground) -> None:
    before = ground.table("orders")
    request = executed(ground.run(f"UPDATE orders SET total = total + 1 WHERE {OPEN}"))
    ground.shop.admin.execute("UPDATE orders SET total = 5 WHERE id IN (4, 8)")
    asked = ground.revert(request, only_unchanged=True)
    assert (asked.rows, asked.left_out) == (13, 2)
    executed(ground.approve(asked.request))
    ground.shop.admin.execute("UPDATE orders SET total = id * 1.5 WHERE id IN (4, 8)")
    assert ground.table("orders") == before


def test_a_server_before_18_keeps_the_rows_by_looking_first(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "SHOWS_BOTH", 190_000)
    before = ground.table("orders")
    request = executed(
        ground.run("UPDATE orders SET total = $1 WHERE status = $2 RETURNING id", params=("7.50", "open"))
    )
    assert Result.objects.get(query=request.query).content["rows"] == [[n] for n in range(4, 61, 4)]
    executed(ground.take_back(request))
    assert ground.table("orders") == before


# --- What is seen -------------------------------------------------------------------------------------------------


def test_p2_what_the_statement_returns_itself_is_masked_and_bounded_as_ever(ground: Ground) -> None:
    sql = "UPDATE customers SET plan = 'gone' RETURNING id, email, old.plan"
    request = executed(ground.run(sql))
    content = Result.objects.get(query=request.query).content
    assert [column["name"] for column in content["columns"]] == ["id", "email", "plan"]
    assert [column["masked"] for column in content["columns"]] == [False, True, False]
    assert "person1@" not in str(content)
    assert all(len(row) == 3 for row in content["rows"])
    images = [image for chunk in UndoChunk.objects.filter(log__request=request) for image in chunk.content]
    assert "person1@example.com" in str(images)


def test_p2_no_value_of_an_undo_is_in_the_open(ground: Ground) -> None:
    request = executed(ground.run("DELETE FROM cards WHERE id < 10"))
    asked = ground.revert(request).request
    assert "4111111111110001" in str(asked.params)
    sealed = {one.index: (one.key, bytes(one.nonce), bytes(one.ciphertext)) for one in Payload.objects.all()}
    recorded = [(entry.fields, open_payload(entry.fields, sealed.get(entry.index))) for entry in Entry.objects.all()]
    assert asked.sql.splitlines()[0] in str(recorded)
    assert "4111111111110001" not in str(recorded)
    with pytest.raises(ReviewRefused):
        approvals.edit(asked.pk, ground.cast.principal(ground.cast.alice), None, revision=1)  # type: ignore[arg-type]


def test_the_ledger_tells_what_was_kept_and_what_was_asked_back(ground: Ground) -> None:
    request = executed(ground.run(f"DELETE FROM orders WHERE {OPEN}"))
    asked = ground.revert(request).request
    (kept,) = entries("undo.kept")
    assert (kept["rows"], kept["relation"], kept["action"]) == (15, "public.orders", "delete")
    assert kept["transaction_id"] == request.xid
    (requested,) = entries("undo.requested")
    assert (requested["request"], requested["reverts"], requested["rows"]) == (str(request.pk), str(asked.pk), 15)


# --- Who, and when ------------------------------------------------------------------------------------------------


def test_p5_who_asks_to_take_it_back_does_not_review_that(ground: Ground) -> None:
    request = executed(ground.run(f"DELETE FROM orders WHERE {OPEN}"))
    cast = ground.cast
    asked = asked_by(ground, cast.rita, request)
    assert not approvals.may_review(asked, cast.principal(cast.rita)).allowed
    assert approvals.may_review(asked, cast.principal(cast.dora)).allowed


def asked_by(ground: Ground, who: Any, request: Request) -> Request:
    return revert(ground.cast.principal(who), request.pk).request


def test_an_undo_goes_to_people_even_where_policy_would_let_it_pass(ground: Ground) -> None:
    request = executed(ground.run(f"DELETE FROM orders WHERE {OPEN}"))
    policy_store.activate('@id("all") permit (principal, action, resource);', author="test", comment="all may")
    asked = ground.revert(request).request
    assert asked.state == State.PENDING
    assert {(one["group"], one["quorum"]) for one in asked.required} == {
        (one["group"], one["quorum"]) for one in request.required
    }
    assert (asked.reverts_id, asked.row_bound, asked.row_floor) == (request.pk, 15, 15)


def test_agents_auditors_and_strangers_cannot_ask_for_it(ground: Ground) -> None:
    request = executed(ground.run(f"DELETE FROM orders WHERE {OPEN}"))
    for who, refusal in ((ground.cast.bot, NoUndo), (ground.cast.olaf, NoUndo), (ground.cast.mallory, Exception)):
        with pytest.raises(refusal):
            asked_by(ground, who, request)
    assert Request.objects.count() == 1
    assert asked_by(ground, make_user("root", is_administrator=True), request)


def test_it_is_asked_for_once(ground: Ground) -> None:
    request = executed(ground.run(f"DELETE FROM orders WHERE {OPEN}"))
    asked = ground.revert(request).request
    with pytest.raises(NoUndo, match="is pending"):
        ground.revert(request)
    approvals.review(asked.pk, ground.cast.principal(ground.cast.rita), "reject", "not needed")
    assert ground.revert(request).rows == 15


def test_a_column_more_is_no_longer_what_was_kept(ground: Ground) -> None:
    request = executed(ground.run(f"DELETE FROM orders WHERE {OPEN}"))
    ground.shop.admin.execute("ALTER TABLE orders ADD COLUMN note text")
    with pytest.raises(NoUndo, match="not those that were kept"):
        ground.revert(request)
    ground.shop.admin.execute("ALTER TABLE orders DROP COLUMN note")
    assert ground.revert(request).rows == 15


# --- Keeping ------------------------------------------------------------------------------------------------------


class Died(BaseException):
    """Stands for the end of the process."""


def test_what_an_aborted_attempt_kept_goes_with_it(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    query = submit(ground.cast.submission(f"DELETE FROM orders WHERE {OPEN}")).query
    assert query.request is not None
    approvals.review(query.request.pk, ground.cast.principal(ground.cast.rita), "approve", "")

    commit = postgres._commit

    def die(connection: Any) -> None:
        if not connection.read_only:
            raise Died
        commit(connection)

    with monkeypatch.context() as crash:
        crash.setattr(postgres, "_commit", die)
        with pytest.raises(Died):
            execution.execute_request(query.request.pk)
    kept = UndoLog.objects.get()
    assert kept.row_count == 15
    assert execution.reconcile(query.request.pk) == State.APPROVED
    assert not UndoLog.objects.exists()
    execution.execute_request(query.request.pk)
    assert UndoLog.objects.get().xid != kept.xid


def test_p4_without_the_rows_that_were_promised_nothing_is_committed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ground.table("orders")

    def fewer(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(capture.Capture, "_images", fewer)
    request = ground.run(f"DELETE FROM orders WHERE {OPEN}")
    assert request.state == State.FAILED
    assert (request.outcome or {})["problem"]["code"] == "undo-not-kept"
    assert ground.table("orders") == before
    assert Query.objects.get(request=request).state == QueryState.FAILED


def test_more_rows_than_are_kept_run_without_an_undo(ground: Ground, settings: Any) -> None:
    settings.UNDO_ROWS = 10
    request = executed(ground.run(f"DELETE FROM orders WHERE {OPEN}"))
    assert not UndoLog.objects.exists()
    with pytest.raises(NoUndo, match="No rows are kept"):
        ground.revert(request)


def test_p4_an_undo_that_would_not_restore_exactly_is_rolled_back(ground: Ground) -> None:
    request = executed(ground.run(f"UPDATE orders SET total = 0 WHERE {OPEN}"))
    asked = ground.revert(request).request
    log = UndoLog.objects.get(request=request)
    chunk = log.chunks.get()
    chunk.content[0][0][2] = "99.99"  # what was kept says one thing, the approved statement another
    chunk.save()
    changed = ground.table("orders")
    back = ground.approve(asked)
    assert back.state == State.FAILED
    assert ground.table("orders") == changed


def test_the_rows_are_deleted_when_their_time_is_over_and_so_are_those_of_undos(ground: Ground) -> None:
    request = executed(ground.run(f"DELETE FROM orders WHERE {OPEN}"))
    back = executed(ground.take_back(request))
    assert emptying.empty_due() == 0
    past = timezone.now() - timedelta(days=8)
    UndoLog.objects.update(expires_at=past)
    Request.objects.update(finished_at=past)
    assert emptying.empty_due() == 2
    assert not UndoChunk.objects.exists()
    assert [entry["reason"] for entry in entries("undo.emptied")] == ["their time is over"] * 2
    back.refresh_from_db()
    assert back.params == back.query.params == back.revisions.get().params == []
    with pytest.raises(NoUndo):
        ground.revert(request)


def test_erasing_a_subject_deletes_the_rows_it_changed(ground: Ground) -> None:
    request = executed(ground.run(f"DELETE FROM orders WHERE {OPEN}"))
    back = executed(ground.take_back(request))
    erasure.empty(request.requester, timezone.now())
    assert not UndoChunk.objects.exists()
    back.refresh_from_db()
    assert back.params == []


def test_policy_that_denies_it_keeps_no_rows_in_the_denial(ground: Ground) -> None:
    request = executed(ground.run("DELETE FROM cards WHERE id < 10"))
    policy_store.activate(
        '@id("all") permit (principal, action, resource);'
        ' @id("no-writes") forbid (principal, action == Action::"write", resource);',
        author="test",
        comment="read only",
    )
    with pytest.raises(GatewayError):
        ground.revert(request)
    assert Query.objects.latest("created_at").params == []


def test_an_error_is_shown_where_it_stands_in_the_text_that_was_sent(ground: Ground) -> None:
    sql = "UPDATE orders SET status = nosuch WHERE status = 'open' RETURNING id"
    request = ground.run(sql)
    assert (request.query.problem or {})["place"] == sql.index("nosuch")
