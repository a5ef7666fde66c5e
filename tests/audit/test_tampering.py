"""History cannot be rewritten (P6): what somebody with every right on the database does, and what finds it.

Tiles, checkpoints and projection are there, as in a log that has run for a while. The last test replaces all of it:
nothing in the database shows that, and only a checkpoint that was given away before does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from audit.batches import read_head, write_batch
from audit.entries import Draft, draft_entry
from audit.following import catch_up
from audit.merkle import Frontier
from audit.payloads import seal_payload
from audit.transparency import checkpoints, keys, tiles
from audit.transparency.notes import Signer
from audit.verification.findings import Noted, Report
from audit.verification.inspection import Scope, verify_ledger
from audit.verification.kept import noted_by

SIZE = 530


class Intruder:
    """A session that the triggers do not stop."""

    def __init__(self, session: psycopg.Connection) -> None:
        self.execute = session.execute

    def leaves(self) -> list[bytes]:
        return [bytes(leaf) for (leaf,) in self.execute("SELECT leaf FROM audit_entry ORDER BY index").fetchall()]

    def rehash(self) -> None:
        """Makes leaves, head and tiles fit the headers that are there now."""
        self.execute(r"UPDATE audit_entry SET leaf = sha256('\x00'::bytea || header)")
        frontier = Frontier()
        for leaf in self.leaves():
            frontier.append(leaf)
        self.execute("UPDATE audit_head SET size = %s, frontier = %s", (frontier.size, frontier.to_bytes()))
        self.execute("DELETE FROM audit_tile")
        tiles.bring_up_to_date()

    def replace(self, index: int, old: str, new: str) -> None:
        self.execute(
            "UPDATE audit_entry SET header = convert_to(replace(convert_from(header, 'UTF8'), %s, %s), 'UTF8')"
            " WHERE index = %s",
            (old, new, index),
        )


@pytest.fixture
def intruder(control_db: str) -> Iterator[Intruder]:
    record(300)
    checkpoints.latest()
    record(SIZE - 300)
    catch_up()
    tiles.bring_up_to_date()
    checkpoints.latest()
    with psycopg.connect(control_db, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        yield Intruder(session)


def record(count: int, who: str = "bot") -> None:
    """In one batch, as many callers at once would give."""
    drafts = [draft(number, f"agent:{who}-{number}") for number in range(count)]
    with transaction.atomic(), connection.cursor() as cursor:
        assert write_batch(cursor, read_head(cursor, lock=True), drafts)


def draft(number: int, principal: str) -> Draft:
    payload = seal_payload({"sql": f"SELECT {number}"}, principal) if number % 10 == 0 else None
    fields = {"verdict": "deny", "relations": ["public.a"], "sql_normal": f"SELECT {number % 3}"}
    return draft_entry("statement.denied", {"principal": principal, **fields}, payload)


def fault(scope: Scope | None = None) -> str:
    return str(verify_ledger(scope=scope).fault)


def test_an_untouched_log_with_tiles_and_checkpoints_is_intact(intruder: Intruder):
    report = verify_ledger()
    assert report.fault is None
    assert (report.count, report.checkpoints) == (SIZE, 2)
    assert report.signed_by == (keys.current_key().verifier_key,)


# --- Entries ------------------------------------------------------------------------------------------------------


def test_p6_an_edited_entry_is_found(intruder: Intruder):
    intruder.replace(200, '"deny"', '"allow"')
    assert fault() == "entry 200: its header does not hash to its leaf: one of the two was changed"


def test_p6_an_edited_entry_with_a_fitting_leaf_is_found_by_its_tile(intruder: Intruder):
    intruder.replace(200, '"deny"', '"allow"')
    intruder.execute(r"UPDATE audit_entry SET leaf = sha256('\x00'::bytea || header) WHERE index = 200")
    intruder.execute("UPDATE audit_searchentry SET verdict = 'allow' WHERE index = 200")
    assert fault().startswith("entry 200: its leaf is not the one in tile 0/0")


def test_p6_an_edited_entry_with_fitting_leaf_and_tiles_is_found_by_the_checkpoint(intruder: Intruder):
    intruder.replace(200, '"deny"', '"allow"')
    intruder.execute("UPDATE audit_searchentry SET verdict = 'allow' WHERE index = 200")
    intruder.rehash()
    assert fault().startswith("the checkpoint of 300 entries: its root is not that of the entries")


def test_p6_a_deleted_entry_is_found(intruder: Intruder):
    intruder.execute("DELETE FROM audit_entry WHERE index = 256")
    assert fault() == "entry 256: is missing; the next entry that is there has index 257"


def test_p6_reordered_entries_are_found(intruder: Intruder):
    intruder.execute("UPDATE audit_entry SET index = 10000 + index WHERE index IN (4, 9)")
    intruder.execute("UPDATE audit_entry SET index = 10013 - index WHERE index > 10000")
    assert fault().startswith("entry 4: its header was written for another place")


def test_p6_an_inserted_entry_is_found(intruder: Intruder):
    intruder.execute("UPDATE audit_entry SET index = 10000 + index WHERE index >= 100")
    intruder.execute("UPDATE audit_entry SET index = index - 9999 WHERE index > 10000")
    intruder.execute("INSERT INTO audit_entry SELECT 100, time, kind, header, leaf FROM audit_entry WHERE index = 99")
    assert fault().startswith("entry 100: its header was written for another place")


def test_p6_a_cut_tail_is_found(intruder: Intruder):
    intruder.execute("DELETE FROM audit_entry WHERE index >= 520")
    assert fault() == f"entry 520: is missing: the head says {SIZE} entries, the log ends here"


def test_p6_a_tail_cut_with_its_head_is_found_by_the_checkpoint_that_was_left(intruder: Intruder):
    for table in ("entry", "payload", "searchentry", "searchterm"):
        intruder.execute(f"DELETE FROM audit_{table} WHERE index >= 520")
    intruder.execute("UPDATE audit_follower SET next = 520")
    intruder.rehash()
    assert fault() == f"entry 520: is missing: the log had {SIZE} entries when a checkpoint of it was signed"


def test_p6_swapped_payloads_are_found(intruder: Intruder):
    intruder.execute("UPDATE audit_payload SET index = -index WHERE index IN (10, 20)")
    intruder.execute("UPDATE audit_payload SET index = 30 + index WHERE index IN (-10, -20)")
    assert fault().startswith("entry 10: its payload was changed")


def test_p6_a_payload_deleted_without_an_erasure_is_found(intruder: Intruder):
    intruder.execute("DELETE FROM audit_payload WHERE index = 20")
    assert fault() == "entry 20: its payload is missing, and no entry says that its key was erased"


# --- What hostile hands leave behind ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"[]", "written for another place"),
        (b'{"index":3.0}', "written for another place"),
        (b'{"index":true}', "written for another place"),
        (b'{"index": 3}', "not spelled canonically"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 50_000, "cannot be read"),
        (b"x" * 70_000, "70000 bytes long"),
        (b'{"index":3,"kind":"statement.denied","relations":[[]],"time":"x"}', "the column time"),
    ],
)
def test_p6_nonsense_for_a_header_is_a_fault_and_no_traceback(intruder: Intruder, header: bytes, said: str):
    intruder.execute("UPDATE audit_entry SET header = %s WHERE index = 3", (header,))
    intruder.rehash()
    found = verify_ledger().fault
    assert found is not None
    assert (found.index, said in found.what) == (3, True), found


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET \"time\" = 'infinity' WHERE index = 3",
        "UPDATE audit_entry SET \"time\" = '4000-01-01 BC' WHERE index = 3",
        "UPDATE audit_entry SET kind = repeat('x', 1000000) WHERE index = 3",
        "UPDATE audit_searchentry SET \"time\" = '-infinity' WHERE index = 3",
        "UPDATE audit_entry SET leaf = '' WHERE index = 3",
        "ALTER TABLE audit_entry ALTER header DROP NOT NULL; UPDATE audit_entry SET header = NULL WHERE index = 3;",
        "ALTER TABLE audit_entry ALTER leaf DROP NOT NULL; UPDATE audit_entry SET leaf = NULL WHERE index = 3;",
    ],
)
def test_p6_values_that_python_cannot_hold_are_faults(intruder: Intruder, change: str):
    intruder.execute("BEGIN")
    intruder.execute(change)
    intruder.execute("COMMIT")
    try:
        found = verify_ledger().fault
    finally:
        intruder.execute("DELETE FROM audit_entry WHERE index = 3")
        intruder.execute("ALTER TABLE audit_entry ALTER header SET NOT NULL, ALTER leaf SET NOT NULL")
    assert found is not None
    assert found.index == 3


# --- Tiles and checkpoints ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE audit_tile SET hashes = overlay(hashes PLACING sha256('x') FROM 33) WHERE number = 1",
         "entry 257: its leaf is not the one in tile 0/1"),
        ("UPDATE audit_tile SET root = sha256('x') WHERE number = 1", "tile 0/1: its root is not that of its hashes"),
        ("UPDATE audit_tile SET hashes = '' WHERE number = 1", "tile 0/1: has 0 bytes"),
        ("DELETE FROM audit_tile WHERE number = 0", "tile 0/0: is missing"),
        ("INSERT INTO audit_tile SELECT 0, 2, hashes, root FROM audit_tile WHERE number = 1",
         "tile 0/2: there is no such tile"),
        ("INSERT INTO audit_tile SELECT 9, 0, hashes, root FROM audit_tile WHERE number = 1", "tile 9/0: there is no such"),
        ("UPDATE audit_checkpoint SET root = sha256('x') WHERE size = 300", "the checkpoint of 300 entries: its note says"),
        ("UPDATE audit_checkpoint SET note = 'x' WHERE size = 300", "the checkpoint of 300 entries: its note is not right"),
        ("UPDATE audit_checkpoint SET note = replace(note, '— ', '— x') WHERE size = 300", "not signed by a key"),
        ("UPDATE audit_logkey SET public = sha256('x')", "the list of the log's keys"),
    ],
)  # fmt: skip
def test_p6_edited_tiles_checkpoints_and_keys_are_found(intruder: Intruder, change: str, said: str):
    intruder.execute(change)
    assert said in fault()


def test_p6_a_checkpoint_re_signed_with_another_key_is_found_by_who_knows_the_key(intruder: Intruder):
    known = keys.current_key().verifier_key
    intruder.execute("DELETE FROM audit_checkpoint")
    intruder.execute("DELETE FROM audit_logkey")
    checkpoints.latest()
    assert verify_ledger().intact
    assert "is signed by" in fault(Scope(signers=(known,)))


def test_p6_a_log_without_checkpoints_is_not_signed_with_any_key(intruder: Intruder):
    known = keys.current_key().verifier_key
    assert verify_ledger(scope=Scope(signers=(known,))).fault is None
    intruder.execute("DELETE FROM audit_checkpoint")
    assert fault(Scope(signers=(known,))) == "the newest checkpoint: none is stored, so none that your key signed"


def test_p6_a_key_that_no_entry_tells_of_is_found(intruder: Intruder):
    keys.rotate("user:root")
    assert verify_ledger().fault is None
    other = Signer(keys.current_key().name, Ed25519PrivateKey.generate()).verifier_key
    intruder.execute(
        "INSERT INTO audit_logkey (id, name, public, sealed, created_at) VALUES (%s, %s, %s, '', now())",
        (other.id.hex(), other.name, other.public),
    )
    assert fault() == f"the log's key {other}: no entry says that the log got it"


# --- Everything replaced ------------------------------------------------------------------------------------------


def rewrite_everything(intruder: Intruder) -> None:
    """A shorter, friendlier story, with a head, tiles and checkpoints of its own, signed with the log's own key."""
    for table in ("entry", "payload", "tile", "checkpoint", "searchentry", "searchterm", "searchtext", "follower"):
        intruder.execute(f"DELETE FROM audit_{table}")
    intruder.execute("UPDATE audit_head SET size = 0, frontier = '', epoch = epoch + 1")
    record(300, "angel")
    checkpoints.latest()
    record(SIZE - 300, "angel")
    catch_up()
    tiles.bring_up_to_date()
    checkpoints.latest()


def test_p6_a_log_replaced_as_a_whole_is_found_only_thanks_to_a_checkpoint_published_before(
    intruder: Intruder, tmp_path: Path
):
    published = checkpoints.note_of(checkpoints.latest())
    (tmp_path / "kept").write_text(published)
    rewrite_everything(intruder)
    assert verify_ledger().intact
    assert run() == 0
    with pytest.raises(CommandError, match="do not have the root of the checkpoint"):
        call_command("ledger", "verify", "--checkpoint", str(tmp_path / "kept"), stdout=StringIO())


def test_p6_a_log_replaced_from_some_entry_on_is_found_by_what_is_after_a_trusted_checkpoint(intruder: Intruder):
    trusted = noted_by(checkpoints.at(300).note, keys.verifier_keys(), "of a friend")  # type: ignore[union-attr]
    assert verify_ledger(scope=Scope(since=trusted)).intact
    rewrite_everything(intruder)
    assert "do not have the root of a friend" in fault(Scope(since=trusted))


# --- Parts of the log ---------------------------------------------------------------------------------------------


def test_entries_before_a_trusted_checkpoint_are_not_read_again(intruder: Intruder):
    trusted = Noted(300, bytes(checkpoints.at(300).root))  # type: ignore[union-attr]
    intruder.replace(100, '"deny"', '"allow"')
    report = verify_ledger(scope=Scope(since=trusted))
    assert (report.intact, report.first, report.count) == (True, 256, SIZE - 256)
    assert verify_ledger().fault is not None


def test_a_range_is_verified_with_the_hashes_of_all_others(intruder: Intruder):
    intruder.replace(400, '"deny"', '"allow"')
    report = verify_ledger(scope=Scope(within=(10, 90)))
    assert (report.intact, report.first, report.end) == (True, 0, 256)
    assert fault(Scope(within=(390, 410))).startswith("entry 400:")


def test_two_processes_find_what_one_finds(intruder: Intruder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("audit.verification.workers.WORTH_TWO", 10)
    monkeypatch.setattr("audit.verification.inspection.SPAN", 256)
    assert verify_ledger() == one_process()
    intruder.replace(400, '"deny"', '"allow"')
    assert verify_ledger() == one_process()
    assert one_process().count == 400


def one_process() -> Report:
    return verify_ledger(processes=1)


def test_the_command_prints_json_for_scripts(intruder: Intruder):
    out = StringIO()
    call_command("ledger", "verify", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert (said["intact"], said["size"], said["fault"]) == (True, SIZE, None)


def run() -> int:
    call_command("ledger", "verify", stdout=StringIO())
    return 0
