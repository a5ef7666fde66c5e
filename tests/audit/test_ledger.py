"""The ledger's writers: durable, in one order, inside or outside a transaction, clear about what did not happen."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction

from audit import ledger
from audit.batches import NotDurable, read_head
from audit.events import EventError
from audit.following import catch_up
from audit.models import Entry, Head, Payload, SearchEntry, SearchTerm
from audit.payloads import unseal_payload
from audit.verification.inspection import verify_ledger

pytestmark = pytest.mark.usefixtures("control_db")


def record(number: int = 0) -> ledger.Receipt:
    return ledger.append("statement.denied", principal=f"agent:bot-{number}", verdict="deny", relations=["public.a"])


def test_the_first_entry_has_index_0():
    assert record().index == 0


def test_a_receipt_names_the_stored_leaf():
    receipt = record()
    assert bytes(Entry.objects.get(index=receipt.index).leaf).hex() == receipt.leaf


def test_what_entries_are_found_by_repeats_the_header():
    record(7)
    assert catch_up() == 0
    entry = SearchEntry.objects.get()
    assert (entry.principal, entry.verdict) == ("agent:bot-7", "deny")
    assert SearchTerm.objects.count() == 1


def test_the_payload_is_stored_encrypted_only():
    receipt = ledger.append("statement.denied", principal="agent:a", payload={"sql": "SELECT 'secret word'"})
    payload = Payload.objects.get(index=receipt.index)
    assert b"secret word" not in bytes(payload.ciphertext)
    assert unseal_payload(payload.key, bytes(payload.ciphertext)) == {"sql": "SELECT 'secret word'"}


def test_append_is_refused_inside_a_transaction():
    with transaction.atomic(), pytest.raises(RuntimeError, match="append_within"):
        record()


def test_append_within_is_refused_outside_a_transaction():
    with pytest.raises(RuntimeError, match="atomic"):
        ledger.append_within("statement.denied", principal="agent:a")


def test_append_within_goes_with_its_transaction():
    with transaction.atomic():
        ledger.append_within("statement.denied", principal="agent:a")
        transaction.set_rollback(True)
    assert not Entry.objects.exists()
    assert record().index == 0


def test_append_within_twice_in_one_transaction_keeps_the_order():
    with transaction.atomic():
        receipts = [ledger.append_within("statement.denied", principal=f"agent:{n}") for n in range(3)]
    assert [receipt.index for receipt in receipts] == [0, 1, 2]
    assert verify_ledger().intact


def test_both_ways_of_writing_share_one_log():
    for _ in range(5):
        record()
        with transaction.atomic():
            ledger.append_within("statement.denied", principal="agent:a")
    assert Head.objects.get().size == 10
    assert verify_ledger().intact


def test_threads_leave_no_gap_and_no_fork():
    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(record, range(400)))
    assert sorted(receipt.index for receipt in receipts) == list(range(400))
    assert verify_ledger().intact


def test_an_unregistered_event_is_refused_before_it_reaches_the_log():
    with pytest.raises(EventError, match=r"statement\.guessed"):
        ledger.append("statement.guessed", principal="agent:a")
    assert not Entry.objects.exists()


def test_time_does_not_go_backwards_when_the_clock_does():
    future = datetime.now(UTC) + timedelta(hours=1)
    Head.objects.update(time=future)
    assert record().time == future
    with transaction.atomic():
        assert ledger.append_within("statement.denied", principal="agent:a").time == future


def test_an_append_waits_for_a_transaction_that_has_appended():
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = ledger.append_within("statement.denied", principal="agent:a")
            second = pool.submit(record)
        assert second.result().index == first.index + 1
    assert verify_ledger().intact


def test_a_locked_head_is_a_certain_refusal_in_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ledger, "LOCK_TIMEOUT", "200")
    ledger.close()
    with transaction.atomic():
        Head.objects.select_for_update().get()
        with ThreadPoolExecutor(1) as pool, pytest.raises(ledger.LedgerUnavailable, match="lock timeout") as refusal:
            pool.submit(record).result()
    assert not refusal.value.ambiguous
    ledger.close()


def test_a_connection_lost_between_two_appends_is_replaced_unnoticed(control_db: str):
    record()
    end_sequencer_sessions(control_db)
    assert record().index == 1


def end_sequencer_sessions(url: str, query: str = "true") -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'countersign-ledger'"
            f" AND datname = current_database() AND {query}"
        )


def test_a_connection_lost_while_writing_is_an_ambiguous_refusal_and_then_recovers(control_db: str):
    record()
    with ThreadPoolExecutor(1) as pool, psycopg.connect(control_db) as blocker:
        blocker.execute("SELECT FROM audit_head FOR UPDATE")
        waiting = pool.submit(record)
        wait_until_blocked(control_db)
        end_sequencer_sessions(control_db)
        with pytest.raises(ledger.LedgerUnavailable, match="not known") as refusal:
            waiting.result()
    assert refusal.value.ambiguous
    assert record().index == 1
    assert Head.objects.get().epoch == 1
    assert verify_ledger().intact


def wait_until_blocked(url: str) -> None:
    """Until the sequencer's statement waits for a lock."""
    pause = threading.Event()
    with psycopg.connect(url, autocommit=True) as session:
        for _ in range(500):
            if session.execute("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1").fetchone():
                return
            pause.wait(0.01)
    raise AssertionError("no statement waits for a lock")


def test_a_head_moved_by_another_process_is_read_again(control_db: str):
    record()
    with transaction.atomic():
        ledger.append_within("statement.denied", principal="agent:other-process")
    assert record().index == 2
    assert verify_ledger().intact


def test_an_older_epoch_cannot_write():
    record()
    Head.objects.update(epoch=7)
    assert record().index == 1
    assert Head.objects.get().epoch == 7


def test_an_event_that_the_database_cannot_store_fails_alone(monkeypatch: pytest.MonkeyPatch, control_db: str):
    """Second line of defence: should a check be missing one day, one bad event must not fail those beside it."""
    monkeypatch.setattr("audit.entries.check_event", lambda kind, fields: dict(fields))
    record()
    with ThreadPoolExecutor(2) as pool, psycopg.connect(control_db) as blocker:
        blocker.execute("SELECT FROM audit_head FOR UPDATE")
        first = pool.submit(record)
        wait_until_blocked(control_db)
        bad = pool.submit(ledger.append, "statement.\x00", principal="agent:a")
        with ThreadPoolExecutor(1) as other:
            good = other.submit(record)
            blocker.rollback()
            assert good.result().index in (2, 3)
    assert first.result().index == 1
    with pytest.raises(ledger.LedgerUnavailable, match="NUL"):
        bad.result()


def test_a_caller_waits_for_a_bounded_time_and_learns_what_is_known(monkeypatch: pytest.MonkeyPatch, control_db: str):
    record()
    monkeypatch.setattr("audit.sequencer.LONGEST_WAIT", 0.3)
    monkeypatch.setattr("audit.ledger.ANSWER_TIMEOUT", 1.0)
    with ThreadPoolExecutor(2) as pool, psycopg.connect(control_db) as blocker:
        blocker.execute("SELECT FROM audit_head FOR UPDATE")
        taken = pool.submit(record, 1)
        wait_until_blocked(control_db)
        queued = pool.submit(record, 2)
        with pytest.raises(ledger.LedgerUnavailable, match="not known") as while_writing:
            taken.result()
        with pytest.raises(ledger.LedgerUnavailable, match="not recorded") as before_writing:
            queued.result()
        blocker.rollback()
    assert (while_writing.value.ambiguous, before_writing.value.ambiguous) == (True, False)
    monkeypatch.undo()
    record(3)
    assert [entry.fields["principal"] for entry in Entry.objects.all()] == ["agent:bot-0", "agent:bot-1", "agent:bot-3"]


class FakeCursor:
    """Answers like a server with these settings."""

    def __init__(self, **settings: str) -> None:
        safe = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
        self.row = (0, b"", 0, datetime.now(UTC), *(safe | settings).values())

    def execute(self, query: object, params: object = None) -> None:
        pass

    def fetchone(self) -> tuple[object, ...]:
        return self.row


@pytest.mark.parametrize(
    ("setting", "value"),
    [("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off"), ("synchronous_commit", "local")],
)
def test_settings_that_may_lose_what_was_acknowledged_are_refused(setting: str, value: str):
    with pytest.raises(NotDurable, match=f"{setting} = {value}; the ledger needs {setting} = on"):
        read_head(FakeCursor(**{setting: value}))


def test_a_database_that_may_lose_entries_is_refused(control_db: str):
    setting = "synchronous_commit"
    name = connection.settings_dict["NAME"]
    with psycopg.connect(control_db, autocommit=True) as session:
        session.execute(f'ALTER DATABASE "{name}" SET {setting} = off')
        try:
            ledger.close()
            with pytest.raises(ledger.LedgerUnavailable, match=f"{setting} = off"):
                record()
            with pytest.raises(ledger.LedgerUnavailable, match=f"{setting} = off"):
                ledger.check()
        finally:
            session.execute(f'ALTER DATABASE "{name}" RESET {setting}')
    assert record().index == 0


def test_check_passes_where_an_append_would():
    ledger.check()


def test_check_names_a_read_only_database(control_db: str):
    name = connection.settings_dict["NAME"]
    with psycopg.connect(control_db, autocommit=True) as session:
        session.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        try:
            with pytest.raises(ledger.LedgerUnavailable, match="read-only"):
                ledger.check()
        finally:
            session.execute("SET default_transaction_read_only = off")
            session.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')


async def test_tasks_append_while_their_event_loop_goes_on():
    receipts = await asyncio.gather(
        *(ledger.append_async("statement.denied", principal=f"agent:bot-{number}") for number in range(100))
    )
    assert sorted(receipt.index for receipt in receipts) == list(range(100))


async def test_a_task_waits_for_a_bounded_time(monkeypatch: pytest.MonkeyPatch, control_db: str):
    await ledger.append_async("statement.denied", principal="agent:a")
    monkeypatch.setattr("audit.sequencer.LONGEST_WAIT", 0.3)
    with psycopg.connect(control_db) as blocker:
        blocker.execute("SELECT FROM audit_head FOR UPDATE")
        with pytest.raises(ledger.LedgerUnavailable, match="not known"):
            await ledger.append_async("statement.denied", principal="agent:a")


def test_a_database_that_stops_answering_ends_the_wait(monkeypatch: pytest.MonkeyPatch):
    record()
    monkeypatch.setattr("audit.ledger.ANSWER_TIMEOUT", 0.3)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE application_name = 'countersign-ledger' AND datname = current_database()"
        )
        pids = [pid for (pid,) in cursor.fetchall()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ledger.LedgerUnavailable, match="not known") as refusal:
            record()
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    assert refusal.value.ambiguous
    monkeypatch.undo()
    record()
    assert verify_ledger().intact
