"""What an approved statement changed can be taken back: exactly, by a request of its own, and only where nobody changed it since."""

from __future__ import annotations

import pytest

from approvals.models import Request, UndoChunk, UndoLog
from approvals.states import State
from tests.gateway.undo.conftest import Ground, executed

CHANGES = [
    pytest.param("UPDATE orders SET total = total * 2, status = 'x' WHERE status = 'open'", id="update"),
    pytest.param("DELETE FROM orders WHERE status = 'open'", id="delete"),
    pytest.param("INSERT INTO orders SELECT id + 100, 1, total, 'new' FROM orders WHERE id < 20", id="insert"),
    pytest.param(
        "INSERT INTO orders SELECT id + 50, 1, total, 'new' FROM orders WHERE id < 20 ON CONFLICT (id) DO UPDATE SET status = 'up'",
        id="insert or update",
    ),
    pytest.param(
        "MERGE INTO orders o USING (SELECT id + 50 AS id, status FROM orders) s ON o.id = s.id"
        " WHEN MATCHED AND s.status = 'open' THEN DELETE WHEN MATCHED THEN UPDATE SET total = 1"
        " WHEN NOT MATCHED THEN INSERT VALUES (s.id, 1, 1, 'merged')",
        id="merge",
    ),
]


@pytest.mark.parametrize("sql", CHANGES)
def test_what_was_changed_is_restored_byte_for_byte(ground: Ground, sql: str) -> None:
    before = ground.table("orders")
    request = executed(ground.run(sql))
    assert ground.table("orders") != before
    executed(ground.take_back(request))
    assert ground.table("orders") == before


@pytest.mark.parametrize("sql", CHANGES)
def test_what_was_taken_back_can_be_done_again(ground: Ground, sql: str) -> None:
    request = executed(ground.run(sql))
    changed = ground.table("orders")
    back = executed(ground.take_back(request))
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
    request = executed(ground.run("UPDATE orders SET total = total + 1 WHERE status = 'open'"))
    ground.shop.admin.execute("UPDATE orders SET total = 5 WHERE id IN (4, 8)")
    asked = ground.revert(request, only_unchanged=True)
    assert (asked.rows, asked.left_out) == (13, 2)
    executed(ground.approve(asked.request))
    ground.shop.admin.execute("UPDATE orders SET total = id * 1.5 WHERE id IN (4, 8)")
    assert ground.table("orders") == before


def test_an_undo_needs_as_many_reviews_as_the_change(ground: Ground) -> None:
    request = executed(ground.run("DELETE FROM orders WHERE status = 'open'"))
    asked = ground.revert(request).request
    assert asked.state == State.PENDING
    assert {(one["group"], one["quorum"]) for one in asked.required} >= {
        (one["group"], one["quorum"]) for one in request.required
    }
    assert (asked.reverts_id, asked.row_bound, asked.row_floor) == (request.pk, 15, 15)
    assert Request.objects.get(pk=asked.pk).owner_id == ground.cast.alice.pk
