"""A backup that was put back: what a process signs first is compared with what witnesses remember."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from audit.models import Checkpoint, Head, Witness
from audit.transparency import asking, checkpoints, keys, witnesses
from audit.transparency.checkpoints import HistoryDiffers
from audit.transparency.publication import publish
from audit.transparency.tasks import publish_checkpoint
from tests.audit.transparency.conftest import Grow, Tamper

ROOT = "user:root"


@pytest.fixture
def folder(control_db: str, tmp_path: Path) -> Path:
    witnesses.add("office", "directory", str(tmp_path), actor=ROOT)
    return tmp_path


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    start_anew(monkeypatch)


def start_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a new process: it has asked nobody yet."""
    monkeypatch.setattr(asking, "_asked", asking._Asked())


def put_back(tamper: Tamper, size: int, frontier: bytes) -> None:
    """The whole database as it was when the log had so many entries."""
    for table in ("entry", "payload"):
        tamper(f"DELETE FROM audit_{table} WHERE index >= %s", (size,))
    tamper("UPDATE audit_head SET size = %s, frontier = %s", (size, frontier))
    tamper("DELETE FROM audit_checkpoint WHERE size > %s", (size,))
    tamper("DELETE FROM audit_tile")
    tamper("UPDATE audit_witness SET size = %s", (size,))


@pytest.fixture
def restored(folder: Path, grow: Grow, tamper: Tamper, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of which the witness knows more than its database does."""
    grow(3)
    publish()
    head = Head.objects.get(id=1)
    size, frontier = head.size, bytes(head.frontier)
    checkpoints.latest()
    grow(5)
    publish()
    put_back(tamper, size, frontier)
    start_anew(monkeypatch)
    return folder


def test_a_process_signs_nothing_while_a_witness_holds_more_than_there_is(restored: Path, grow: Grow):
    before = Checkpoint.objects.count()
    grow()
    with pytest.raises(HistoryDiffers, match=r"witness office: it holds .* If a backup was put back"):
        checkpoints.latest()
    assert Checkpoint.objects.count() == before


def test_a_restored_log_that_outgrew_the_witness_is_not_signed_either(restored: Path, grow: Grow):
    grow(20)
    with pytest.raises(HistoryDiffers, match="does not go on from"):
        checkpoints.latest()


def test_a_fork_stays_refused_however_often_it_is_tried(restored: Path, grow: Grow):
    grow(20)
    for _ in range(2):
        with pytest.raises(HistoryDiffers):
            checkpoints.latest()


def test_publication_is_loud_and_the_witness_shown_as_failing(
    restored: Path, grow: Grow, caplog: pytest.LogCaptureFixture
):
    kept = (restored / "checkpoint").read_bytes()
    grow()
    publish_checkpoint()
    told = [record.levelno for record in caplog.records if "NO CHECKPOINT IS SIGNED" in record.getMessage()]
    assert told == [logging.CRITICAL]
    assert "does not go on from" in Witness.objects.get().problem
    assert (restored / "checkpoint").read_bytes() == kept


def test_a_backup_put_back_under_a_running_process_is_noticed(
    folder: Path, grow: Grow, tamper: Tamper, monkeypatch: pytest.MonkeyPatch
):
    grow(3)
    publish()
    head = Head.objects.get(id=1)
    grow(5)
    publish()
    checkpoints.latest()
    put_back(tamper, head.size, bytes(head.frontier))
    grow()
    with pytest.raises(HistoryDiffers, match="witness office"):
        checkpoints.latest()


def test_a_backup_of_before_a_rotation_is_noticed(restored: Path, grow: Grow, tamper: Tamper):
    """It does not know the key that signed what the witness holds."""
    note = (restored / "checkpoint").read_text()
    (restored / "checkpoint").write_text(note.replace("\u2014 ", "\u2014 later-", 1))
    grow()
    with pytest.raises(HistoryDiffers, match="witness office"):
        checkpoints.latest()


def test_a_witness_that_was_switched_off_is_not_asked(restored: Path, grow: Grow):
    witnesses.switch("office", active=False, actor=ROOT)
    size = grow()
    assert checkpoints.latest().size == size


def test_what_a_witness_holds_of_this_log_keeps_nobody_from_signing(
    folder: Path, grow: Grow, monkeypatch: pytest.MonkeyPatch
):
    grow(3)
    publish()
    start_anew(monkeypatch)
    size = grow()
    assert checkpoints.latest().size == size


def test_a_log_whose_checkpoints_were_lost_is_signed_if_it_goes_on_from_what_the_witness_holds(
    folder: Path, grow: Grow, tamper: Tamper
):
    grow(3)
    publish()
    tamper("DELETE FROM audit_checkpoint")
    size = grow()
    assert checkpoints.latest().size == size


def test_a_witness_that_cannot_be_reached_keeps_nobody_from_signing(
    restored: Path, grow: Grow, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    witnesses.switch("office", active=False, actor=ROOT)
    away = tmp_path / "away"
    away.mkdir()
    witnesses.add("away", "directory", str(away), actor=ROOT)
    away.rmdir()
    size = grow()
    assert checkpoints.latest().size == size
    assert "Witness away was not compared with before signing" in caplog.text


def test_a_witness_that_was_away_is_asked_when_it_is_back(restored: Path, grow: Grow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asking, "AGAIN_SECONDS", 0.0)
    kept = (restored / "checkpoint").read_bytes()
    (restored / "checkpoint").write_bytes(b"half of a")
    grow()
    checkpoints.latest()
    (restored / "checkpoint").write_bytes(kept)
    grow()
    with pytest.raises(HistoryDiffers, match="witness office"):
        checkpoints.latest()


def test_a_witness_is_asked_once(folder: Path, grow: Grow, monkeypatch: pytest.MonkeyPatch):
    grow()
    checkpoints.latest()
    (folder / "checkpoint").write_text(f"{keys.origin()}\n9000\n{'A' * 43}=\n\n\u2014 x AAAAAAAAAAAA\n")
    size = grow()
    assert checkpoints.latest().size == size
