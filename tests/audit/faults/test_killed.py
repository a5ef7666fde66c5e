"""Processes that append are killed, stopped and woken: what was acknowledged stays, in one order, without a gap."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from audit import ledger
from audit.models import Entry
from audit.verification.inspection import verify_ledger
from tests.audit.test_processes import ENDLESS, start_appender

# As many as one has patience for: COUNTERSIGN_KILLS=5000 pytest tests/audit/faults/test_killed.py
KILLS = int(os.environ.get("COUNTERSIGN_KILLS", "200"))
ROUNDS = 4


def recorded() -> list[int]:
    return list(Entry.objects.order_by("index").values_list("index", flat=True))


def kill_many(url: str, kills: int, threads: int, seed: int) -> list[int]:
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-m", "tests.audit.faults.nursery", str(kills), str(threads), str(seed)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    told: list[int] = json.loads(done.stdout)
    return told


@pytest.mark.timeout(60 + KILLS * 2)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_p3_killed_processes_lose_no_acknowledged_entry_leave_no_gap_and_no_fork(control_db: str, number: int):
    acknowledged = kill_many(control_db, -(-KILLS // ROUNDS), threads=1 + 2 * number, seed=number)
    assert len(acknowledged) >= KILLS // ROUNDS
    ledger.append("statement.denied", principal="agent:afterwards")
    indexes = recorded()
    assert indexes == list(range(len(indexes)))
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(indexes)
    assert verify_ledger().fault is None


def test_a_stopped_writer_that_comes_back_is_fenced(control_db: str):
    appender = start_appender(control_db, "sleeper", 4, ENDLESS)
    assert appender.stdout is not None
    try:
        told = [appender.stdout.readline()]
        for _ in range(5):
            os.kill(appender.pid, signal.SIGSTOP)
            before = recorded()[-1]
            # It may have a batch on its way, even hold the head: others wait for that, never for ever.
            others = append_somehow(20)
            assert len(others) == 20
            assert min(others) > before
            os.kill(appender.pid, signal.SIGCONT)
            told.append(appender.stdout.readline())
    finally:
        appender.kill()
    told += appender.communicate()[0].splitlines(keepends=True)
    indexes = recorded()
    assert indexes == list(range(len(indexes)))
    assert {int(line) for line in told if line.endswith(b"\n")} <= set(indexes)
    assert verify_ledger().fault is None


def append_somehow(count: int) -> list[int]:
    indexes: list[int] = []
    deadline = time.monotonic() + 60
    while len(indexes) < count and time.monotonic() < deadline:
        try:
            indexes.append(ledger.append("statement.denied", principal="agent:other").index)
        except ledger.LedgerUnavailable:
            continue
    return indexes


STOP_WITHIN = """
import os, signal, django
django.setup()
from django.db import connection, transaction
from audit import ledger
with transaction.atomic():
    ledger.append_within("statement.denied", principal="agent:sleeper")
    print("holds", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_process_that_stops_with_the_head_in_hand_loses_it(control_db: str):
    """Stopped in the middle of a change: its session ends, its change never happened, and everybody else goes on."""
    environment = {**os.environ, "DATABASE_URL": control_db, "DJANGO_SETTINGS_MODULE": "config.settings"}
    stopped = subprocess.Popen([sys.executable, "-c", STOP_WITHIN], env=environment, stdout=subprocess.PIPE)
    assert stopped.stdout is not None
    try:
        assert stopped.stdout.readline() == b"holds\n"
        assert append_somehow(1) == [0]
    finally:
        stopped.kill()
        stopped.communicate()
    assert [entry.fields["principal"] for entry in Entry.objects.all()] == ["agent:other"]
