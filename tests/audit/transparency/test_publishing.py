"""Publishing with real processes: a worker does it when it is asked, and only one process at a time."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg

from audit.models import Checkpoint, Witness
from audit.transparency import keys, witnesses
from audit.transparency.notes import verify
from audit.transparency.publication import PUBLISHING_LOCK, publish
from audit.transparency.tasks import ask_to_publish
from tests.audit.transparency.conftest import Grow
from tests.fixtures.servers import Server

PATIENCE = 30


def test_a_worker_signs_and_gives_the_checkpoint_to_witnesses(celery_worker: Server, grow: Grow, tmp_path: Path):
    witnesses.add("office", "directory", str(tmp_path), actor="user:root")
    grow()
    assert ask_to_publish()
    deadline = time.monotonic() + PATIENCE
    while not Witness.objects.filter(size__gt=0).exists():
        assert time.monotonic() < deadline, celery_worker.output()[-2000:]
        time.sleep(0.05)
    assert verify((tmp_path / "checkpoint").read_text(), keys.verifier_keys())


def test_one_process_publishes_at_a_time(control_db: str, grow: Grow):
    grow()
    with psycopg.connect(control_db, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [PUBLISHING_LOCK])
        assert publish() is None
        assert not Checkpoint.objects.exists()
    assert wait_for_release() is not None


def wait_for_release() -> object:
    """The other session's locks end with it, a moment after it closed."""
    deadline = time.monotonic() + PATIENCE
    while (publication := publish()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return publication


def test_the_lock_is_given_back(grow: Grow):
    grow()
    assert publish() is not None
    assert publish() is not None
