"""What may be gone: erased payloads and archived entries, but only those that an entry tells of (P6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command

from audit import ledger
from audit.canonical import encode
from audit.events import clean_text
from audit.merkle import leaf_hash
from audit.models import Archive, Entry, SubjectKey
from audit.retention.erasure import erase
from audit.transparency import tiles
from audit.verification.inspection import Scope, verify_ledger
from audit.verification.recording import standing, verify_and_record
from tests.audit.retention.filling import fill, fill_and_archive

Tamper = Callable[..., Any]


@pytest.fixture
def tamper(control_db: str) -> Iterator[Tamper]:
    with psycopg.connect(control_db, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        yield session.execute


def fault(scope: Scope | None = None) -> str:
    return str(verify_ledger(scope=scope).fault)


# --- Erased -------------------------------------------------------------------------------------------------------


def test_payloads_of_an_erased_subject_may_be_missing(tamper: Tamper):
    fill(20)
    erase("agent:bot-1", actor="user:root", reason="asked for")
    assert verify_ledger().fault is None
    assert verify_ledger(scope=Scope(within=(0, 5))).fault is None


def test_p6_payloads_of_other_subjects_may_not(tamper: Tamper):
    fill(20)
    erase("agent:bot-1", actor="user:root", reason="asked for")
    tamper("DELETE FROM audit_payload WHERE index = 4")
    assert fault().startswith("entry 4: its payload is missing, and no entry says")


def test_p6_an_erasure_that_no_entry_tells_of_is_found(tamper: Tamper):
    fill(20)
    tamper("UPDATE audit_subjectkey SET sealed = NULL, erased_at = now()")
    tamper("DELETE FROM audit_payload")
    assert fault().startswith("entry 0: its payload is missing")


def test_p6_a_destroyed_key_that_no_entry_tells_of_is_found_although_payloads_are_there(tamper: Tamper):
    fill(20)
    tamper("UPDATE audit_subjectkey SET sealed = NULL, erased_at = now() WHERE subject = 'agent:bot-1'")
    assert "of 'agent:bot-1': was destroyed, and no entry says so" in fault()


def test_p6_a_key_that_was_put_back_after_its_erasure_is_found(tamper: Tamper):
    fill(20)
    tamper("CREATE TABLE kept AS SELECT * FROM audit_subjectkey")
    try:
        erase("agent:bot-1", actor="user:root", reason="asked for")
        tamper("DELETE FROM audit_subjectkey")
        tamper("INSERT INTO audit_subjectkey SELECT * FROM kept")
        assert "of 'agent:bot-1': is there, and an entry says that it was destroyed" in fault()
        tamper("DELETE FROM audit_subjectkey")
        assert "the key that opens its payload is gone" in fault()
    finally:
        tamper("DROP TABLE kept")


def test_an_erasure_is_still_known_when_its_entry_was_archived(tamper: Tamper, tmp_path: Path):
    fill(20)
    erase("agent:bot-1", actor="user:root", reason="asked for")
    fill_and_archive(300, tmp_path)
    assert not Entry.objects.filter(kind="subject.erased").exists()
    assert verify_ledger(scope=Scope(archives=True)).fault is None


def test_p6_an_erasure_outside_of_the_range_is_believed_only_if_it_is_in_the_tree(tamper: Tamper):
    fill(600)
    tiles.bring_up_to_date()
    key = SubjectKey.objects.get(subject="agent:bot-1").id
    said = encode({"index": 3, "kind": "subject.erased", "keys": [str(key)]})
    tamper(
        "UPDATE audit_entry SET kind = 'subject.erased', header = %s, leaf = %s WHERE index = 3",
        (said, leaf_hash(said)),
    )
    tamper("DELETE FROM audit_payload WHERE key = %s", (key,))
    assert "its payload is missing, and no entry says" in fault(Scope(within=(256, 512)))


# --- Archived -----------------------------------------------------------------------------------------------------


def test_a_log_whose_beginning_is_in_archives_is_intact(tamper: Tamper, tmp_path: Path):
    fill_and_archive(600, tmp_path)
    report = verify_ledger(scope=Scope(archives=True))
    assert report.fault is None
    assert (report.archived, report.count) == (512, report.size)


def test_archived_twice_it_is_still_intact(tamper: Tamper, tmp_path: Path):
    fill_and_archive(300, tmp_path)
    fill_and_archive(800, tmp_path)
    assert verify_ledger(scope=Scope(archives=True)).fault is None


def test_what_an_interrupted_move_left_behind_is_no_fault(tamper: Tamper, tmp_path: Path):
    fill(600)
    tamper("CREATE TABLE kept AS SELECT * FROM audit_entry WHERE index BETWEEN 100 AND 120")
    try:
        fill_and_archive(2, tmp_path)
        tamper("INSERT INTO audit_entry SELECT * FROM kept")
        assert verify_ledger().fault is None
        tamper("UPDATE audit_entry SET header = '{}' WHERE index = 110")
        assert fault().startswith("entry 110: its header does not hash")
    finally:
        tamper("DROP TABLE kept")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM audit_tile WHERE level = 0 AND number = 1", "tile 0/1: is missing"),
        ("UPDATE audit_tile SET hashes = overlay(hashes PLACING sha256('x') FROM 1) WHERE number = 1",
         "tile 0/1: its root is not that of its hashes"),
        ("UPDATE audit_head SET first = 600", "are gone, and no entry says that they were moved"),
        ("UPDATE audit_archive SET sha256 = repeat('0', 64)", "the list of archives names another file"),
        ("DELETE FROM audit_archive", "the list of archives has none of them"),
        ("INSERT INTO audit_payload (index, nonce, ciphertext) SELECT 7, 'x', 'y'",
         "entry 7: was moved to an archive, and there is a row"),
        ("INSERT INTO audit_searchentry (index, kind, time) SELECT 7, 'signin.succeeded', now()",
         "entry 7: was moved to an archive, and there is a row"),
    ],
)  # fmt: skip
def test_p6_archived_entries_are_still_held_to_the_tree(tamper: Tamper, tmp_path: Path, change: str, said: str):
    fill_and_archive(600, tmp_path)
    tamper(change)
    assert said in fault()


def test_p6_a_changed_archive_is_found_when_archives_are_read(tamper: Tamper, tmp_path: Path):
    fill_and_archive(600, tmp_path)
    path = Path(Archive.objects.get().address)
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert verify_ledger().fault is None
    assert "is not the file that was written" in fault(Scope(archives=True))


def test_p6_entries_are_not_gone_because_the_list_of_archives_says_so(tamper: Tamper):
    """Without one more entry, and with triggers off: only the list and the head were changed."""
    fill(600)
    tiles.bring_up_to_date()
    tamper("UPDATE audit_head SET first = 512")
    for table in ("audit_entry", "audit_payload", "audit_searchentry", "audit_searchterm"):
        tamper(f"DELETE FROM {table} WHERE index < 512")
    tamper("INSERT INTO audit_archive SELECT 0, 512, '/nowhere', repeat('0', 64), 1, now(), now(), 5, now()")
    assert "cannot be read" in fault()
    tamper("UPDATE audit_archive SET entry = 600")
    assert "are gone, and no entry says that they were moved" in fault()


def test_p6_an_archive_is_held_to_an_entry_that_was_moved_itself(tamper: Tamper, tmp_path: Path):
    fill_and_archive(300, tmp_path)
    fill_and_archive(800, tmp_path)
    assert (Archive.objects.get(first=0).entry or 0) < Archive.objects.get(first=256).end
    assert verify_ledger().fault is None
    tamper("UPDATE audit_archive SET sha256 = repeat('0', 64) WHERE first = 0")
    assert "the list of archives names another file" in fault()


def test_p6_a_lost_archive_is_found_without_reading_them_all(tamper: Tamper, tmp_path: Path):
    fill_and_archive(600, tmp_path)
    Path(Archive.objects.get().address).unlink()
    assert "the file is not there" in fault()


def test_p6_a_lost_archive_is_found_when_archives_are_read(tamper: Tamper, tmp_path: Path):
    fill_and_archive(600, tmp_path)
    Path(Archive.objects.get().address).unlink()
    assert "cannot be read" in fault(Scope(archives=True))


# --- Asked for ----------------------------------------------------------------------------------------------------


def test_a_verification_that_was_asked_for_is_an_entry(control_db: str):
    fill(20)
    verify_and_record("user:root")
    entry = Entry.objects.get(kind="ledger.verified")
    assert (entry.fields["actor"], entry.fields["status"], entry.fields["size"]) == ("user:root", "intact", 20)
    told = standing()
    assert told is not None
    assert (told.state, told.status, told.entry, told.percent) == ("done", "intact", entry.index, 100)


def test_what_is_wrong_is_recorded_too(tamper: Tamper):
    fill(20)
    tamper("UPDATE audit_entry SET header = '{}' WHERE index = 7")
    verify_and_record("user:root")
    fields = Entry.objects.get(kind="ledger.verified").fields
    assert fields["status"] == "broken"
    assert fields["fault"].startswith("entry 7: ")


def test_a_verification_that_cannot_be_recorded_says_so(control_db: str, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise ledger.LedgerUnavailable("the disk is full")

    monkeypatch.setattr(ledger, "append", refuse)
    with pytest.raises(ledger.LedgerUnavailable):
        verify_and_record("user:root")
    told = standing()
    assert told is not None
    assert (told.state, clean_text("the disk is full") in told.problem) == ("failed", True)


def test_the_command_says_how_far_archives_were_verified(
    tamper: Tamper, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    fill_and_archive(600, tmp_path)
    call_command("ledger", "verify")
    assert "512 of them are in archives, of which only the hashes were used" in capsys.readouterr().out
    call_command("ledger", "verify", "--archives")
    assert "512 of them are in archives, whose files were read" in capsys.readouterr().out
