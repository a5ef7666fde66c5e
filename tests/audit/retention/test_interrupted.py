"""Processes that are killed in the middle of erasing and archiving: nothing is lost, and the next run finishes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from audit import ledger
from audit.models import Archive, Entry, Head, Payload, SubjectKey
from audit.reading import entries_between, entry_at, payload_of
from audit.retention.archives import archive, delete_moved
from audit.retention.erasure import erase
from tests.audit.retention.filling import fill


def start(url: str, code: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    prepared = f"import sys, django; django.setup()\n{code}"
    return subprocess.Popen([sys.executable, "-c", prepared, *arguments], env=environment)


def kill_once(process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)  # what is waited for is in the other process's transaction
    process.kill()
    process.wait(10)


ERASE = """
from audit.retention import erasure
halt = sys.argv[1]
def stop(*_, **__):
    while True: pass
setattr(erasure, halt, stop)
erasure.erase("agent:a", actor="user:root", reason="x")
"""


@pytest.mark.parametrize(
    ("halt", "destroyed"), [("destroy", False), ("delete_payloads", True)], ids=["before the key", "before payloads"]
)
def test_an_erasure_that_was_killed_is_finished_by_the_next(control_db: str, halt: str, destroyed: bool):
    ledger.append("statement.denied", principal="agent:a", payload={"a": 1})
    field = "erased_at__isnull" if destroyed else "retired_at__isnull"
    process = start(control_db, ERASE, halt)
    kill_once(process, lambda: SubjectKey.objects.filter(**{field: False}).exists())
    assert Payload.objects.count() == 1
    if not destroyed:
        entry = entry_at(0, with_payload=True)
        assert entry is not None
        assert payload_of(entry) == {"a": 1}
    erase("agent:a", actor="user:root", reason="x")
    assert not Payload.objects.exists()
    assert Entry.objects.filter(kind="subject.erased").count() == 1


ARCHIVE = """
from django.utils import timezone
from audit.retention import archives
place, halt = sys.argv[1:]
def stop(*_, **__):
    while True: pass
def after(name):
    real = getattr(archives, name)
    def stopping(*arguments, **options):
        real(*arguments, **options)
        stop()
    setattr(archives, name, stopping)
after(halt)
archives.archive(timezone.now(), actor="user:root", destination=place)
"""


@pytest.mark.parametrize("halt", ["write_archive", "_read_back", "_record"])
def test_archiving_that_was_killed_is_finished_by_the_next(control_db: str, tmp_path: Path, halt: str):
    fill(300)
    recorded = halt == "_record"
    process = start(control_db, ARCHIVE, str(tmp_path), halt)
    kill_once(process, lambda: Archive.objects.exists() if recorded else any(tmp_path.glob("*.parquet")))
    assert Head.objects.get().first == (256 if recorded else 0)
    assert [entry.index for entry in entries_between(0, 300)] == list(range(300))
    assert Entry.objects.filter(index__lt=256).count() == 256
    moved, _ = archive(timezone.now(), actor="user:root", destination=str(tmp_path))
    assert len(moved) == (0 if recorded else 1)
    assert Archive.objects.count() == 1
    assert not Entry.objects.filter(index__lt=256).exists()
    assert [entry.index for entry in entries_between(0, 300)] == list(range(300))
    assert delete_moved() == 0
