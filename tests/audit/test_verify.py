"""History cannot be rewritten (P6): every way to change the tables behind the ledger's back is found and named."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from audit import ledger
from audit.following import COLUMNS, catch_up
from audit.merkle import Frontier
from audit.transparency import checkpoints, keys
from audit.transparency.heads import TreeHead
from audit.transparency.notes import Signer, sign
from audit.verification.findings import Noted
from audit.verification.inspection import verify_ledger

SIZE = 20
OTHER = {"risk": "99", "query": "gen_random_uuid()", "request": "gen_random_uuid()"}


@pytest.fixture
def tamper(control_db: str):
    """Twenty entries, and a session that the triggers do not stop: an administrator who covers something up."""
    for number in range(SIZE):
        ledger.append(
            "statement.denied",
            principal=f"agent:bot-{number}",
            verdict="deny",
            risk=10,
            relations=["public.a"],
            payload={"sql": f"SELECT {number}"},
        )
    catch_up()
    with psycopg.connect(control_db, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        yield session.execute


def fault() -> str:
    return str(verify_ledger().fault)


def test_an_untouched_ledger_is_intact(tamper):
    report = verify_ledger()
    assert (report.intact, report.count) == (True, SIZE)


def test_an_empty_ledger_is_intact(control_db: str):
    report = verify_ledger()
    assert (report.intact, report.count, report.root) == (True, 0, Frontier().root().hex())


def test_p6_an_edited_header_is_found(tamper):
    tamper("UPDATE audit_entry SET header = convert_to(replace(convert_from(header, 'UTF8'), 'deny', 'allow'), 'UTF8')"
           " WHERE index = 17")  # fmt: skip
    assert fault() == "entry 17: its header does not hash to its leaf: one of the two was changed"


@pytest.mark.parametrize("column", COLUMNS)
def test_p6_an_edited_column_is_found(tamper, column: str):
    tamper(
        f"UPDATE audit_searchentry SET {column} = {OTHER.get(column, chr(39) + 'changed' + chr(39))} WHERE index = 3"
    )
    assert fault().startswith(f"entry 3: the column {column} says ")


@pytest.mark.parametrize(("column", "value"), [("time", "time - interval '1 microsecond'"), ("kind", "'agent.added'")])
def test_p6_an_edited_time_or_kind_is_found(tamper, column: str, value: str):
    tamper(f'UPDATE audit_entry SET "{column}" = {value} WHERE index = 3')
    assert fault().startswith(f"entry 3: the column {column} says ")


def test_p6_an_edited_leaf_is_found(tamper):
    tamper("UPDATE audit_entry SET leaf = sha256('x') WHERE index = 5")
    assert fault().startswith("entry 5: its header does not hash to its leaf")


def test_p6_a_forged_entry_with_a_fitting_leaf_is_found(tamper):
    """The forger did everything right in one row: only the tree shows it, down to the sub-tree that it is in."""
    tamper("UPDATE audit_entry SET header = convert_to(replace(convert_from(header, 'UTF8'), 'bot-17', 'bot-99'), 'UTF8')"
           " WHERE index = 17")  # fmt: skip
    tamper("UPDATE audit_searchentry SET principal = 'agent:bot-99' WHERE index = 17")
    tamper(r"UPDATE audit_entry SET leaf = sha256('\x00'::bytea || header) WHERE index = 17")
    assert fault().startswith("entries 16 to 19: not what the head was computed from")


def test_p6_a_deleted_entry_is_found(tamper):
    tamper("DELETE FROM audit_entry WHERE index = 11")
    assert fault() == "entry 11: is missing; the next entry that is there has index 12"


def test_p6_a_deleted_first_entry_is_found(tamper):
    tamper("DELETE FROM audit_entry WHERE index = 0")
    assert fault().startswith("entry 0: is missing")


def test_p6_reordered_entries_are_found(tamper):
    tamper("UPDATE audit_entry SET index = 113 - index WHERE index IN (4, 9)")
    tamper("UPDATE audit_entry SET index = index - 100 WHERE index > 100")
    assert fault().startswith("entry 4: its header was written for another place")


def test_p6_a_closed_gap_is_found(tamper):
    """Deleted, and everything after it moved up."""
    tamper("DELETE FROM audit_entry WHERE index = 11")
    tamper("UPDATE audit_entry SET index = index + 1000 WHERE index > 11")
    tamper("UPDATE audit_entry SET index = index - 1001 WHERE index > 1000")
    assert fault().startswith("entry 11: its header was written for another place")


def test_p6_an_inserted_entry_is_found(tamper):
    tamper("INSERT INTO audit_entry (index, time, kind, header, leaf)"
           f" SELECT {SIZE}, time, kind, header, leaf FROM audit_entry WHERE index = 2")  # fmt: skip
    assert fault() == f"entry {SIZE}: is not part of the log: the head says {SIZE} entries"


def test_p6_a_cut_tail_is_found(tamper):
    tamper("DELETE FROM audit_entry WHERE index >= 17")
    assert fault() == f"entry 17: is missing: the head says {SIZE} entries, the log ends here"


def test_p6_a_tail_cut_together_with_the_head_is_found_from_a_root_kept_elsewhere(tamper):
    noted = Noted(SIZE, bytes.fromhex(verify_ledger().root))
    cut_log_and_head(tamper, 17)
    assert verify_ledger().intact
    assert (
        str(verify_ledger(noted).fault) == f"entry 17: is missing: the log had {SIZE} entries when its root was noted"
    )


def test_p6_a_log_rewritten_together_with_the_head_is_found_from_a_root_kept_elsewhere(tamper):
    noted = Noted(SIZE, bytes.fromhex(verify_ledger().root))
    cut_log_and_head(tamper, 17)
    for _ in range(10):
        ledger.append("statement.denied", principal="agent:another-story")
    assert verify_ledger().intact
    assert "do not have the root that was noted" in str(verify_ledger(noted).fault)


def cut_log_and_head(tamper, size: int) -> None:
    leaves = tamper(f"SELECT leaf FROM audit_entry WHERE index < {size} ORDER BY index").fetchall()
    frontier = Frontier()
    for (leaf,) in leaves:
        frontier.append(bytes(leaf))
    tamper(f"DELETE FROM audit_entry WHERE index >= {size}")
    for table in ("payload", "searchentry", "searchterm"):
        tamper(f"DELETE FROM audit_{table} WHERE index >= {size}")
    tamper(f"UPDATE audit_follower SET next = {size}")
    tamper("UPDATE audit_head SET size = %s, frontier = %s", (size, frontier.to_bytes()))


def test_p6_an_edited_head_is_found(tamper):
    tamper("UPDATE audit_head SET frontier = overlay(frontier PLACING sha256('x') FROM 33)")
    assert fault().startswith("entries 16 to 19: not what the head was computed from")


def test_p6_a_damaged_head_is_found(tamper):
    tamper("UPDATE audit_head SET size = size + 1")
    assert "the head was changed" in fault()


def test_p6_a_removed_head_is_found(tamper):
    tamper("DELETE FROM audit_head")
    assert "the ledger has no head" in fault()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE audit_payload SET ciphertext = sha256('x') WHERE index = 8", "entry 8: its payload was changed"),
        ("UPDATE audit_payload SET nonce = sha256('x') WHERE index = 8", "entry 8: its payload was changed"),
        ("DELETE FROM audit_payload WHERE index = 8", "entry 8: its payload is missing"),
        (
            f"INSERT INTO audit_payload SELECT {SIZE + 5}, nonce, ciphertext FROM audit_payload WHERE index = 8",
            f"entry {SIZE + 5}: there is a payload without an entry",
        ),
    ],
)
def test_p6_a_changed_payload_is_found(tamper, change: str, message: str):
    tamper(change)
    assert fault().startswith(message)


def test_p6_a_payload_added_to_an_entry_without_one_is_found(tamper):
    receipt = ledger.append("statement.denied", principal="agent:a")
    tamper(f"INSERT INTO audit_payload SELECT {receipt.index}, nonce, ciphertext FROM audit_payload WHERE index = 8")
    assert fault() == f"entry {receipt.index}: it has a payload that was not recorded with it"


def test_only_the_first_fault_is_reported_and_what_is_right_before_it_is_counted(tamper):
    tamper("UPDATE audit_searchentry SET principal = 'agent:x' WHERE index IN (6, 12)")
    report = verify_ledger()
    assert (report.count, report.fault.index if report.fault else None) == (6, 6)


# --- The command --------------------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("ledger", "verify", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_count_and_root(tamper):
    assert run() == f"The ledger is intact: {SIZE} entries, root {verify_ledger().root}\n"


def test_the_command_names_the_wrong_entry_and_exits_with_1(tamper):
    tamper("UPDATE audit_searchentry SET principal = 'agent:x' WHERE index = 17")
    with pytest.raises(CommandError, match=r"^entry 17: the column principal says 'agent:x'") as failure:
        run()
    assert failure.value.returncode == 1


def test_the_command_checks_a_root_that_was_noted(tamper):
    noted = f"{SIZE}:{verify_ledger().root}"
    ledger.append("statement.denied", principal="agent:later")
    assert "intact: 21 entries" in run("--expect", noted)
    with pytest.raises(CommandError, match="do not have the root"):
        run("--expect", f"{SIZE}:{'0' * 64}")


def test_the_command_refuses_a_noted_root_that_cannot_be_one():
    with pytest.raises(CommandError, match="must be SIZE:ROOT"):
        run("--expect", "abc")


def test_the_command_explains_itself(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        call_command("ledger", "verify", "--help")
    assert "the first wrong entry is named" in " ".join(capsys.readouterr().out.split())


def test_the_command_verifies_a_range(tamper):
    printed = run("--range", "3:7")
    assert "The ledger is intact" in printed
    with pytest.raises(CommandError, match=r"the log has the entries 0 to 19: a range of it cannot be 3:21"):
        run("--range", "3:21")
    with pytest.raises(CommandError, match="must be FIRST:END"):
        run("--range", "3")


def test_the_command_verifies_what_came_after_a_trusted_checkpoint(tamper, tmp_path: Path):
    (tmp_path / "kept").write_text(checkpoints.note_of(checkpoints.latest()))
    ledger.append("statement.denied", principal="agent:later")
    key = keys.current_key().verifier_key
    printed = run("--from-checkpoint", str(tmp_path / "kept"), "--key", key)
    assert f"The ledger is intact: {SIZE + 1} entries" in printed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is not a signed note"),
        (b"\xff", "cannot be read"),
        (None, "cannot be read"),
        (b"a\n\nb\n", "signature"),
    ],
)
def test_a_checkpoint_that_is_none_is_refused_and_named(tamper, tmp_path: Path, content: bytes | None, said: str):
    if content is not None:
        (tmp_path / "kept").write_bytes(content)
    with pytest.raises(CommandError, match=f"kept.*{said}"):
        run("--checkpoint", str(tmp_path / "kept"))


def test_a_checkpoint_of_another_log_is_refused(tamper, tmp_path: Path):
    signer = Signer("example.com/other", Ed25519PrivateKey.generate())
    (tmp_path / "kept").write_text(sign(str(TreeHead("example.com/other", SIZE, bytes(32))), [signer]))
    with pytest.raises(CommandError, match="not signed by a key that is known here"):
        run("--checkpoint", str(tmp_path / "kept"))
