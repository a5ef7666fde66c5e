"""Disks that fail under the ledger: nothing runs without a durable intent, and the target's own log shows it (P3)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.audit.faults.cluster import FAULTS, Cluster, cluster
from tests.fixtures import ground

TARGET = """
CREATE TABLE orders (id integer PRIMARY KEY, status text);
INSERT INTO orders SELECT n, 'open' FROM generate_series(1, 40) n;
"""


class Gateway:
    """A gateway process under load (gateway_load.py) and what it has said."""

    def __init__(self, control: str, target: str) -> None:
        self.environment = {**os.environ, "DATABASE_URL": control, "DJANGO_SETTINGS_MODULE": "config.settings"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.audit.faults.gateway_load", target],
            env=self.environment, cwd=ground.REPOSITORY, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self._said: list[str] = []
        self._reader = threading.Thread(target=self._said.extend, args=[self._process.stdout])
        self._reader.start()

    def count(self, word: str) -> int:
        return sum(line.startswith(word) for line in self._said)

    def wait_for(self, word: str, more: int) -> None:
        wanted, deadline = self.count(word) + more, time.monotonic() + 60
        while self.count(word) < wanted:
            assert time.monotonic() < deadline, f"not {more} times {word!r} after:\n{self._said[-5:]}"
            time.sleep(0.02)

    def end(self) -> set[str]:
        """The markers of all that was said to have run."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._reader.join()
        return {line.split()[1] for line in self._said if line.startswith("ran ")}

    def verify(self) -> str:
        command = [sys.executable, "manage.py", "ledger", "verify"]
        done = subprocess.run(command, env=self.environment, cwd=ground.REPOSITORY, capture_output=True, text=True)
        return done.stdout + done.stderr


@pytest.fixture
def target() -> Iterator[Cluster]:
    with cluster(log_statement="all") as made:
        with psycopg.connect(made.url(), autocommit=True) as session:
            session.execute(TARGET)
        yield made


def executed(target: Cluster) -> set[str]:
    """The markers of all statements that reached the target, by its own log."""
    lines = (line for line in target.log.read_text().splitlines() if "LOG:  statement" in line or "execute" in line)
    return {marker for line in lines for marker in re.findall(r"'(mark-\d+-\d+)'", line)}


def changed(target: Cluster) -> set[str]:
    with psycopg.connect(target.url()) as session:
        return {status for (status,) in session.execute("SELECT status FROM orders WHERE status <> 'open'")}


def intents(control: str) -> set[str]:
    with psycopg.connect(control) as session:
        rows = session.execute("SELECT header FROM audit_entry WHERE kind = 'statement.intent'").fetchall()
    return {json.loads(bytes(header))["purpose"] for (header,) in rows}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", FAULTS)
def test_p3_with_a_failing_disk_nothing_runs_without_a_durable_intent(target: Cluster, fault: str):
    with cluster(faulty=True) as control:
        gateway = Gateway(control.url(), target.url())
        gateway.wait_for("ran", 20)
        with control.failing(fault):
            fill(control) if fault == "data disk full" else None
            gateway.wait_for("refused", 3)
        control.restart()
        gateway.wait_for("ran", 10)
        ran = gateway.end()
        recorded = intents(control.url())
        assert executed(target) <= recorded
        assert changed(target) <= recorded
        assert ran <= recorded
        assert "The ledger is intact" in gateway.verify()


def fill(control: Cluster) -> None:
    """New pages are what a full disk refuses first."""
    with psycopg.connect(control.url(), autocommit=True) as session, pytest.raises(psycopg.errors.DiskFull):
        session.execute("CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 10000)")


@pytest.mark.timeout(240)
def test_p3_a_control_database_restarted_under_load_loses_nothing_that_ran(target: Cluster):
    with cluster() as control:
        gateway = Gateway(control.url(), target.url())
        for _ in range(3):
            gateway.wait_for("ran", 10)
            control.restart()
        gateway.wait_for("ran", 10)
        ran = gateway.end()
        recorded = intents(control.url())
        assert executed(target) | changed(target) | ran <= recorded
        assert "The ledger is intact" in gateway.verify()
