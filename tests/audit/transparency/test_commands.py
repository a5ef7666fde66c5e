"""`manage.py ledger checkpoint`, `key`, `witness`: what they print, and what they refuse."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry, Witness
from audit.transparency import keys
from audit.transparency.notes import VerifierKey, parse, verify
from tests.audit.transparency.conftest import Grow, Tamper
from tests.audit.transparency.witness_server import Cosigner

pytestmark = pytest.mark.usefixtures("control_db")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("ledger", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_checkpoint_prints_the_signed_note(grow: Grow):
    size = grow(2)
    note = run("checkpoint")
    assert verify(note, keys.verifier_keys())
    assert parse(note).text.split("\n")[1] == str(size)


def test_checkpoint_is_written_to_a_new_file_and_over_no_other(grow: Grow, tmp_path: Path):
    grow()
    path = tmp_path / "checkpoint"
    assert run("checkpoint", "--output", str(path)) == f"Written to {path}\n"
    assert verify(path.read_text(), keys.verifier_keys())
    with pytest.raises(CommandError, match="Name a file that is not there yet"):
        run("checkpoint", "--output", str(path))


def test_checkpoint_refuses_a_log_that_contradicts_the_last(grow: Grow, tamper: Tamper):
    grow(2)
    run("checkpoint")
    tamper("UPDATE audit_head SET frontier = sha256('x')")
    with pytest.raises(CommandError, match="NOTHING WAS SIGNED"):
        run("checkpoint")


def test_publish_says_what_each_witness_answered(grow: Grow, tmp_path: Path):
    gone = tmp_path / "gone"
    gone.mkdir()
    run("witness", "add", "gone", "--kind", "directory", "--address", str(gone))
    run("witness", "add", "office", "--kind", "directory", "--address", str(tmp_path))
    gone.rmdir()
    said = run("checkpoint", "--publish")
    assert "office: has it" in said
    assert "gone: there is no folder" in said


def test_keys_are_listed_as_verifiers_take_them():
    assert VerifierKey.parse(run("key", "list").split()[0]) == keys.current_key().verifier


def test_rotating_prints_the_new_key_and_lists_both():
    old = keys.current_key()
    new = run("key", "rotate", "--reason", "yearly").strip().split("\n")[-1]
    listed = run("key", "list")
    assert new in listed.split("\n")[0]
    assert old.verifier_key in listed
    assert Entry.objects.get().fields["actor"] == "command line"


def test_a_witness_is_added_listed_switched_and_removed(tmp_path: Path):
    assert "There is no witness" in run("witness", "list")
    run("witness", "add", "office", "--kind", "directory", "--address", str(tmp_path))
    assert "waits for its first checkpoint" in run("witness", "list")
    run("witness", "off", "office")
    assert "off, has 0 entries" in run("witness", "list")
    run("witness", "on", "office")
    run("checkpoint", "--publish")
    assert "entries" in run("witness", "list")
    run("witness", "remove", "office")
    assert not Witness.objects.exists()


def test_a_cosigning_witness_is_added_with_its_key():
    key = str(Cosigner().verifier_key)
    run("witness", "add", "w1", "--kind", "tlog-witness", "--address", "https://w.example.com", "--verifier-key", key)
    assert Witness.objects.get().verifier_key == key


def test_the_secret_key_of_a_store_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COUNTERSIGN_WITNESS_SECRET_KEY", "secret")
    run("witness", "add", "s", "--kind", "s3", "--address", "s3://kept/one", "--access-key", "key")
    assert Witness.objects.get().sealed


@pytest.mark.parametrize("verb", ["on", "off", "remove"])
def test_a_witness_that_is_not_there_is_told(verb: str):
    with pytest.raises(CommandError, match="There is no witness named 'nobody'"):
        run("witness", verb, "nobody")
