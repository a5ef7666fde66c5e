"""Turns: one process at a time, in order, past nothing that is missing; and the real worker."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import orjson
import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from audit.forwarding import administration, running, tasks
from audit.models import Forwarder, Head
from tests.audit.forwarding.conftest import Grow
from tests.audit.forwarding.receivers import Webhook
from tests.audit.retention.filling import fill_and_archive
from tests.fixtures.servers import Start


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(tasks, "publish", names.append)
    return names


def test_a_second_process_finds_it_taken(grow: Grow, hook: Webhook, control_db: str):
    administration.add("hook", "webhook", hook.address, actor="test")
    with psycopg.connect(control_db) as other, running._alone("hook"):
        pid = connection.connection.info.backend_pid
        key = other.execute(
            "SELECT classid::bigint, objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND pid = %s", [pid]
        ).fetchone()
        assert key is not None
        assert key[0] == running.LOCKS
    with psycopg.connect(control_db) as other:
        taken = key[1] - 2**32 if key[1] >= 2**31 else key[1]
        other.execute("SELECT pg_advisory_lock(%s::int, %s::int)", [running.LOCKS, taken])
        assert not running.work("hook")
        assert hook.asked == []
        other.execute("SELECT pg_advisory_unlock_all()")
    running.work("hook")
    assert len(hook.taken) == 1


def test_a_process_that_was_overtaken_moves_nothing(grow: Grow):
    administration.add("file", "file", "log.ndjson", actor="test")
    ours = Forwarder.objects.get()
    Forwarder.objects.update(next=1)
    with pytest.raises(running.NotOurs):
        running._move(ours, next=0, sending=None)
    assert Forwarder.objects.get().next == 1


def test_a_turn_ends_and_says_that_more_is_left(grow: Grow, hook: Webhook, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("audit.forwarding.webhook.WebhookDoor.most_lines", 1)
    administration.add("hook", "webhook", hook.address, actor="test")
    grow(2)
    assert running.work("hook", seconds=0)
    assert hook.indexes == [0]


def test_archived_entries_are_sent_like_the_rest(grow: Grow, folder: Path, tmp_path: Path):
    fill_and_archive(600, tmp_path)
    administration.add("file", "file", "log.ndjson", actor="test")
    size = grow(1)
    assert Head.objects.get(id=1).first > 0
    running.work("file")
    lines = (folder / "log.ndjson").read_bytes().splitlines()
    assert [orjson.loads(line)["index"] for line in lines] == list(range(size))


def test_nothing_is_sent_past_an_entry_that_is_missing(grow: Grow, hook: Webhook, control_db: str):
    administration.add("hook", "webhook", hook.address, actor="test")
    grow(4)
    with psycopg.connect(control_db, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        session.execute("DELETE FROM audit_entry WHERE index = 2")
    running.work("hook")
    assert hook.indexes == [0, 1]
    assert "entry 2 is missing from the ledger" in Forwarder.objects.get().problem


def test_only_those_with_work_that_may_go_get_a_turn(grow: Grow, published: list[str]):
    for name in ("behind", "paused", "pausing", "done"):
        administration.add(name, "file", f"{name}.ndjson", actor="test")
    size = grow(1)
    administration.switch("paused", active=False, actor="test")
    Forwarder.objects.filter(name="pausing").update(retry_at=timezone.now() + timedelta(minutes=1))
    Forwarder.objects.filter(name="done").update(next=size + 1)
    assert tasks.forward() == 1
    assert published == ["behind"]


def test_one_that_is_down_does_not_slow_another(grow: Grow, hook: Webhook, folder: Path, start_worker: Start):
    hook.answers = [0]
    administration.add("hangs", "webhook", hook.address, actor="test")
    administration.add("works", "file", "log.ndjson", actor="test")
    size = grow(20)
    worker = start_worker(COUNTERSIGN_FORWARD_DIR=str(folder))  # type: ignore[call-arg]
    tasks.forward()
    deadline = time.monotonic() + 30
    while Forwarder.objects.get(name="works").next < size and time.monotonic() < deadline:
        time.sleep(0.05)
    worker.kill()
    assert Forwarder.objects.get(name="works").next == size
    assert Forwarder.objects.get(name="hangs").next == 0
