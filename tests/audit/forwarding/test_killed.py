"""Senders that die at any moment: nothing is lost, and what comes twice is known by its index."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson

from audit.forwarding import administration
from audit.models import Forwarder
from tests.audit.forwarding.conftest import Grow
from tests.audit.forwarding.receivers import Authority, Webhook, syslog_server, without_repeats
from tests.fixtures import ground

KILLS = 20
ENTRIES = 1000


def forward_with_kills(name: str, database: str, folder: Path) -> int:
    """How many senders were killed in the middle of it."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database,
        "COUNTERSIGN_FORWARD_DIR": str(folder),
    }
    command = [sys.executable, "-m", "tests.audit.forwarding.nursery", name, str(KILLS), "7"]
    done = subprocess.run(
        command, cwd=ground.REPOSITORY, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_a_file_is_exactly_the_log_although_its_writers_were_killed(control_db: str, grow: Grow, folder: Path):
    administration.add("file", "file", "log.ndjson", actor="test", most_bytes=15_000)
    size = grow(ENTRIES)
    assert forward_with_kills("file", control_db, folder) >= KILLS // 2
    lines = [line for path in sorted(folder.iterdir(), key=first_index) for line in path.read_bytes().splitlines()]
    assert [orjson.loads(line)["index"] for line in lines] == list(range(size))
    assert len(list(folder.iterdir())) > 5


def first_index(path: Path) -> int:
    return int(orjson.loads(path.read_bytes().partition(b"\n")[0])["index"])


def test_a_webhook_gets_the_log_although_its_senders_were_killed(
    control_db: str, grow: Grow, folder: Path, hook: Webhook
):
    administration.add("hook", "webhook", hook.address, actor="test")
    size = grow(ENTRIES)
    assert forward_with_kills("hook", control_db, folder) >= KILLS // 2
    assert without_repeats(hook.indexes) == list(range(size))
    assert_repeats_are_the_same(hook)
    assert Forwarder.objects.get().sending is None


def assert_repeats_are_the_same(hook: Webhook) -> None:
    """A batch that comes again has the delivery id and the bytes that it had."""
    bodies: dict[str, bytes] = {}
    firsts: dict[int, str] = {}
    for one in hook.taken:
        assert bodies.setdefault(one.id, one.body) == one.body
        assert firsts.setdefault(one.indexes[0], one.id) == one.id


def test_syslog_gets_the_log_although_its_senders_were_killed(
    control_db: str, grow: Grow, folder: Path, authority: Authority, tmp_path: Path
):
    with syslog_server(authority.issue("127.0.0.1"), folder=tmp_path) as server:
        certificates = {"ca": authority.certificate}
        administration.add("siem", "syslog", server.address, actor="test", certificates=certificates)
        size = grow(ENTRIES)
        assert forward_with_kills("siem", control_db, folder) >= KILLS // 2
        assert without_repeats(server.indexes) == list(range(size))
