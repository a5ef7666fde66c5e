"""Several processes, killed processes, forked processes, and a database that goes away."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from audit import ledger
from audit.models import Entry
from audit.verification.inspection import verify_ledger
from tests.fixtures.databases import server_url

ENDLESS = 1_000_000


def start_appender(url: str, name: str, threads: int, entries: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-m", "tests.audit.appender", name, str(threads), str(entries)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)


def record() -> ledger.Receipt:
    return ledger.append("statement.denied", principal="agent:a")


def test_three_processes_share_one_log_without_gap_or_fork(control_db: str):
    appenders = [start_appender(control_db, f"process-{number}", 4, 50) for number in range(3)]
    acknowledged = [int(line) for appender in appenders for line in appender.communicate()[0].split()]
    assert [appender.returncode for appender in appenders] == [0, 0, 0]
    assert sorted(acknowledged) == list(range(600))
    assert verify_ledger().intact


@pytest.mark.parametrize("after", [1, 40, 200])
def test_p3_a_killed_process_loses_no_acknowledged_entry(control_db: str, after: int):
    appender = start_appender(control_db, "killed", 4, ENDLESS)
    assert appender.stdout is not None
    lines = [appender.stdout.readline() for _ in range(after)]
    appender.kill()
    lines += appender.communicate()[0].splitlines(keepends=True)
    acknowledged = {int(line) for line in lines if line.endswith(b"\n")}
    assert len(acknowledged) >= after
    # Its last statement may still be on the way in a server process that has not noticed.
    record()
    assert acknowledged <= set(Entry.objects.values_list("index", flat=True))
    assert verify_ledger().intact


def _append_in_child(results) -> None:
    connection.close()
    results.put(record().index)
    ledger.close()


def test_a_forked_child_has_a_sequencer_of_its_own(control_db: str):
    record()
    context = get_context("fork")
    results = context.SimpleQueue()
    child = context.Process(target=_append_in_child, args=(results,))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert results.get() == 1
    assert record().index == 2
    assert verify_ledger().intact


@contextmanager
def unreachable(name: str) -> Iterator[None]:
    """The control database accepts nobody, and has sent everybody away."""
    database = sql.Identifier(name)
    with psycopg.connect(server_url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database))
        try:
            server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])
            yield
        finally:
            server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))


def test_p3_a_ledger_that_is_down_refuses_and_recovers_by_itself(control_db: str):
    record()
    with unreachable(str(connection.settings_dict["NAME"])):
        with pytest.raises(ledger.LedgerUnavailable, match="does not answer") as refusal:
            record()
        assert not refusal.value.ambiguous
        with pytest.raises(ledger.LedgerUnavailable, match="cannot write"):
            ledger.check()
    assert record().index == 1
    ledger.check()
    connection.close()
    # Idle connections of this process's pool died in the outage too; the gateway drops them when it tells of one.
    getattr(connection, "close_pool")()  # noqa: B009  not in the stubs
    assert verify_ledger().intact
