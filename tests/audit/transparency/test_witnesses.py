"""Witnesses: what each kind is given, what makes it refuse, and that only it can tell a rewritten log (P6)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.merkle import Frontier, leaf_hash
from audit.models import Checkpoint, Entry, LogKey, Witness
from audit.transparency import checkpoints, keys, witnesses
from audit.transparency.heads import TreeHead
from audit.transparency.notes import sign, verify
from audit.transparency.publication import publish
from audit.transparency.witnesses import WitnessRefused
from tests.audit.transparency import witness_server
from tests.audit.transparency.conftest import Grow, Tamper
from tests.audit.transparency.witness_server import Cosigner

pytestmark = pytest.mark.usefixtures("control_db")
ROOT = "user:root"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "kept"
    place.mkdir()
    witnesses.add("office", "directory", str(place), actor=ROOT)
    return place


@pytest.fixture
def witness(control_db: str) -> Iterator[witness_server.Witness]:
    """Another organisation's witness, which knows this log's name and key."""
    with witness_server.serving(witness_server.Witness(keys.verifier_keys(), keys.origin())) as server:
        server.trusted = [keys.current_key().verifier]
        key = str(server.cosigner.verifier_key)
        witnesses.add("w1", "tlog-witness", server.url, verifier_key=key, actor=ROOT)
        yield server


def published() -> Checkpoint:
    publication = publish(all_now=True)
    assert publication is not None
    return publication.checkpoint


def row(name: str) -> Witness:
    return Witness.objects.get(name=name)


def kept(folder: Path, name: str = "checkpoint") -> str:
    return (folder / name).read_text()


# --- A directory --------------------------------------------------------------------------------------------------


def test_a_directory_gets_the_newest_checkpoint_and_keeps_each(folder: Path, grow: Grow):
    first = published()
    grow(3)
    second = published()
    assert kept(folder) == kept(folder, f"checkpoints/{second.size}") == second.note
    assert kept(folder, f"checkpoints/{first.size}") == first.note
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint", "checkpoints"]


def test_what_a_witness_has_taken_is_noted(folder: Path):
    checkpoint = published()
    office = row("office")
    assert (office.size, office.failures, office.problem) == (checkpoint.size, 0, "")
    assert office.succeeded_at is not None


def test_a_directory_that_was_emptied_is_not_filled_again_in_silence(folder: Path, grow: Grow):
    published()
    shutil.rmtree(folder / "checkpoints")
    (folder / "checkpoint").unlink()
    grow()
    published()
    assert "somebody emptied it" in row("office").problem
    assert list(folder.iterdir()) == []


def test_a_share_that_is_not_mounted_is_no_empty_directory(folder: Path):
    folder.rmdir()
    published()
    assert "make it, or mount what belongs there" in row("office").problem
    assert not folder.exists()


def test_another_log_s_directory_is_left_alone(folder: Path):
    foreign = sign("example.com/other\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", keys.signers(()))
    (folder / "checkpoint").write_text(foreign)
    published()
    assert "example.com/other" in row("office").problem
    assert kept(folder) == foreign


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"not a note\n"])
def test_a_damaged_checkpoint_is_not_overwritten(folder: Path, content: bytes):
    (folder / "checkpoint").write_bytes(content)
    published()
    assert "this log never signed" in row("office").problem
    assert (folder / "checkpoint").read_bytes() == content


def test_another_note_of_the_same_size_is_not_overwritten(folder: Path, grow: Grow):
    size = grow()
    other = sign(str(TreeHead(keys.origin(), size, bytes(32))), keys.signers(()))
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / str(size)).write_text(other)
    checkpoint = published()
    assert checkpoint.size == size
    assert "the place knows another history" in row("office").problem
    assert kept(folder, f"checkpoints/{size}") == other
    assert not (folder / "checkpoint").exists()


def test_a_place_that_is_ahead_is_not_set_back(folder: Path, grow: Grow):
    early = published()
    grow(2)
    later = published()
    assert witnesses.give(row("office"), early)
    assert kept(folder) == later.note


def test_a_share_without_hard_links_is_served_too(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def no_links(*_: object) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    checkpoint = published()
    assert kept(folder, f"checkpoints/{checkpoint.size}") == checkpoint.note


def test_a_checkpoint_half_given_is_given_whole_the_next_time(folder: Path, grow: Grow):
    """The process ended after the copy was written and before the newest was replaced."""
    checkpoint = published()
    (folder / "checkpoint").unlink()
    Witness.objects.update(size=0)
    published()
    assert kept(folder) == checkpoint.note


# --- P6: the whole log replaced by a recomputed one ---------------------------------------------------------------


def replace_everything(tamper: Tamper) -> None:
    """Entries, leaves, head, tiles, stored checkpoints, all recomputed and signed with the stolen key."""
    frontier, roots = Frontier(), {}
    for entry in Entry.objects.order_by("index"):
        header = bytes(entry.header).replace(b"agent:thief", b"agent:clerk")
        frontier.append(leaf_hash(header))
        roots[entry.index + 1] = frontier.root()
        tamper(
            "UPDATE audit_entry SET header = %s, leaf = %s WHERE index = %s", (header, leaf_hash(header), entry.index)
        )
    tamper("UPDATE audit_head SET frontier = %s", (frontier.to_bytes(),))
    tamper("DELETE FROM audit_tile")
    for stored in Checkpoint.objects.all():
        note = sign(str(TreeHead(keys.origin(), stored.size, roots[stored.size])), keys.signers(()))
        change = "UPDATE audit_checkpoint SET root = %s, note = %s WHERE size = %s"
        tamper(change, (roots[stored.size], note, stored.size))


def test_p6_a_log_replaced_as_a_whole_is_found_by_the_checkpoint_kept_elsewhere(
    folder: Path, grow: Grow, tamper: Tamper
):
    grow(5, "thief")
    published()
    before = kept(folder)
    replace_everything(tamper)
    grow()
    checkpoints.check_head()  # the tables alone contradict nothing
    publication = publish(all_now=True)
    assert publication is not None
    assert (publication.reached, publication.failed) == ([], ["office"])
    assert "the place knows another history, nothing was written" in row("office").problem
    assert kept(folder) == before


def test_p6_verification_finds_a_replaced_log_by_the_kept_checkpoint_alone(folder: Path, grow: Grow, tamper: Tamper):
    grow(5, "thief")
    published()
    replace_everything(tamper)
    call_command("ledger", "verify", stdout=StringIO())
    with pytest.raises(CommandError, match="NOT intact"):
        call_command("ledger", "verify", "--checkpoint", str(folder / "checkpoint"), stdout=StringIO())


def test_p6_a_log_replaced_and_signed_with_a_new_key_is_found_too(folder: Path, grow: Grow, tamper: Tamper):
    grow(5, "thief")
    published()
    keys.rotate(ROOT)
    tamper("DELETE FROM audit_logkey WHERE retired_at IS NOT NULL")
    replace_everything(tamper)
    grow()
    published()
    assert row("office").failures == 1
    assert "nothing was written" in row("office").problem


def test_p6_a_replaced_log_is_refused_by_a_tlog_witness(witness: witness_server.Witness, grow: Grow, tamper: Tamper):
    grow(5, "thief")
    published()
    seen = witness.seen
    replace_everything(tamper)
    grow()
    published()
    assert "not how the history goes on" in row("w1").problem
    assert witness.seen == seen


def test_p6_a_witness_that_saw_more_than_there_is_tells(witness: witness_server.Witness, grow: Grow):
    grow()
    published()
    assert witness.seen is not None
    witness.seen = witness.seen._replace(size=1000)
    grow()
    published()
    assert "the log's end is gone" in row("w1").problem


# --- tlog-witness -------------------------------------------------------------------------------------------------


def test_a_cosignature_is_kept_with_the_checkpoint(witness: witness_server.Witness, grow: Grow):
    grow(3)
    checkpoint = published()
    stored = Checkpoint.objects.get(size=checkpoint.size)
    both = [keys.current_key().verifier, witness.cosigner.verifier_key]
    assert len(verify(checkpoints.note_of(stored), both)) == 2


def test_a_witness_is_given_a_proof_from_what_it_saw(witness: witness_server.Witness, grow: Grow):
    grow(3)
    first = published()
    grow(4)
    second = published()
    assert witness.size == second.size
    assert witness.asked[-1].startswith(f"old {first.size}\n")
    assert row("w1").size == second.size


def test_a_witness_that_says_how_far_it_is_is_asked_from_there(witness: witness_server.Witness, grow: Grow):
    grow(3)
    published()
    Witness.objects.update(size=0)
    grow(2)
    checkpoint = published()
    assert [body.split("\n")[0] for body in witness.asked][-2] == "old 0"
    assert (row("w1").size, witness.size) == (checkpoint.size, checkpoint.size)


def test_a_cosignature_of_another_is_not_kept(witness: witness_server.Witness, grow: Grow):
    witness.cosigner = Cosigner(witness.cosigner.name)
    grow()
    checkpoint = published()
    assert "cosignature was not kept" in row("w1").problem
    assert Checkpoint.objects.get(size=checkpoint.size).cosignatures == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, "text/plain", ""), "does not know the log"),
        ((403, "text/plain", ""), "does not know the key"),
        ((500, "text/plain", "out of\norder"), "HTTP 500: out of order"),
        ((301, "text/plain", ""), "HTTP 301"),
        ((200, "text/plain", ""), "cosignature was not kept"),
        ((200, "text/plain", "x" * 100_000), "cosignature was not kept"),
        ((409, "text/plain", "3\n"), "HTTP 409"),
        ((409, "text/x.tlog.size", "many\n"), "HTTP 409"),
        ((422, "text/plain", ""), "HTTP 422"),
    ],
)
def test_an_answer_that_is_no_cosignature_is_told(
    witness: witness_server.Witness, grow: Grow, answer: tuple[int, str, str], said: str
):
    witness.answer = answer
    grow()
    published()
    assert said in row("w1").problem


def test_a_witness_that_does_not_answer_does_not_keep_others_from_theirs(folder: Path, grow: Grow):
    key = str(Cosigner().verifier_key)
    witnesses.add("away", "tlog-witness", "http://127.0.0.1:9/", verifier_key=key, actor=ROOT)
    grow()
    publication = publish()
    assert publication is not None
    assert (publication.reached, publication.failed) == (["office"], ["away"])
    assert "refused" in row("away").problem


def test_places_get_the_cosignatures_of_those_who_sign(witness: witness_server.Witness, folder: Path, grow: Grow):
    grow()
    published()
    assert verify(kept(folder), [witness.cosigner.verifier_key])


def test_a_witness_knows_the_new_key_by_the_hand_over(witness: witness_server.Witness, grow: Grow):
    """It trusts the old key only; the checkpoint after a rotation carries both."""
    grow()
    published()
    keys.rotate(ROOT)
    checkpoint = published()
    assert row("w1").size == witness.size == checkpoint.size
    grow()
    published()
    assert "give its operator the log's verifier keys" in row("w1").problem
    witness.trusted.append(keys.current_key().verifier)
    assert published().size == witness.size


# --- Publishing ---------------------------------------------------------------------------------------------------


def test_each_publication_is_an_entry_with_who_was_reached(folder: Path, grow: Grow):
    grow()
    checkpoint = published()
    fields = Entry.objects.get(kind="checkpoint.published").fields
    assert (fields["size"], fields["root"]) == (checkpoint.size, bytes(checkpoint.root).hex())
    assert (fields["witnesses"], fields["failed"], fields["key"]) == (["office"], [], keys.current_key().id)


def test_publishing_comes_to_rest(folder: Path, grow: Grow):
    grow()
    first = published()
    assert published().size == first.size
    assert Entry.objects.filter(kind="checkpoint.published").count() == 1
    grow()
    assert published().size == first.size + 2


def test_without_witnesses_the_log_is_signed_and_nothing_is_recorded(grow: Grow):
    size = grow()
    assert published().size == size
    assert not Entry.objects.filter(kind="checkpoint.published").exists()


def test_a_witness_that_stays_away_is_recorded_once_and_asked_ever_less_often(folder: Path, grow: Grow):
    folder.rmdir()
    grow()
    publish()
    publish()
    assert row("office").failures == 1
    pauses = []
    for _ in range(3):
        Witness.objects.update(retry_at=timezone.now())
        publish()
        retry = row("office").retry_at
        assert retry is not None
        pauses.append(retry - timezone.now())
    assert pauses[0] < pauses[1] < pauses[2] <= timedelta(hours=1)
    assert Entry.objects.filter(kind="checkpoint.published").count() == 1


def test_a_witness_that_is_back_gets_what_it_missed(folder: Path, grow: Grow):
    folder.rmdir()
    grow()
    checkpoint = published()
    folder.mkdir()
    publication = publish(all_now=True)
    assert publication is not None
    assert publication.reached == ["office"]
    assert row("office").problem == ""
    assert kept(folder) == checkpoint.note


def test_a_witness_that_is_off_gets_nothing(folder: Path, grow: Grow):
    witnesses.switch("office", active=False, actor=ROOT)
    published()
    assert list(folder.iterdir()) == []
    witnesses.switch("office", active=True, actor=ROOT)
    published()
    assert (folder / "checkpoint").exists()


def test_nothing_is_given_to_anybody_when_the_log_contradicts_what_was_signed(
    folder: Path, grow: Grow, tamper: Tamper, caplog: pytest.LogCaptureFixture
):
    from audit.transparency.tasks import publish_checkpoint

    grow(3)
    published()
    before = kept(folder)
    tamper("UPDATE audit_head SET frontier = sha256('x') || sha256('y'), size = 6")
    publish_checkpoint()
    assert "NO CHECKPOINT IS SIGNED" in caplog.text
    assert kept(folder) == before


def test_the_scheduler_publishes_as_often_as_is_set(settings):
    from config.celery import app

    beat = settings.CELERY_BEAT_SCHEDULE["publish-checkpoints"]
    assert beat["schedule"] == settings.COUNTERSIGN_CHECKPOINT_SECONDS
    app.loader.import_default_modules()
    assert beat["task"] in app.tasks


# --- Administration -----------------------------------------------------------------------------------------------

COSIGNING = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
SIGNING = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


@pytest.mark.parametrize(
    ("name", "kind", "address", "verifier_key", "credentials", "field"),
    [
        ("Bad Name", "directory", "/usr", "", {}, "name"),
        ("a", "pigeon", "/usr", "", {}, "kind"),
        ("a", "directory", "relative", "", {}, "address"),
        ("a", "directory", "/nowhere/at/all", "", {}, "address"),
        ("a", "directory", "/usr", COSIGNING, {}, "verifier_key"),
        ("a", "directory", "/usr", "", {"region": "eu"}, "credentials"),
        ("a", "s3", "bucket/prefix", "", {}, "address"),
        ("a", "s3", "s3://bucket/../x", "", {}, "address"),
        ("a", "s3", "s3://bucket", "", {"access_key": "k"}, "credentials"),
        ("a", "s3", "s3://bucket", "", {"token": "k"}, "credentials"),
        ("a", "s3", "s3://bucket", "", {"endpoint": "ftp://x"}, "credentials"),
        ("a", "tlog-witness", "https://w.example.com", "", {}, "verifier_key"),
        ("a", "tlog-witness", "https://w.example.com", SIGNING, {}, "verifier_key"),
        ("a", "tlog-witness", "ftp://w.example.com", COSIGNING, {}, "address"),
        ("a", "tlog-witness", "https://me:secret@w.example.com", COSIGNING, {}, "address"),
        ("a", "tlog-witness", "https://w.example.com:99999999", COSIGNING, {}, "address"),
        ("a", "tlog-witness", "https://w.example.com/" + "x" * 300, COSIGNING, {}, "address"),
    ],
)
def test_what_cannot_be_a_witness_is_refused(
    name: str, kind: str, address: str, verifier_key: str, credentials: dict[str, str], field: str
):
    with pytest.raises(WitnessRefused) as refusal:
        witnesses.add(name, kind, address, verifier_key=verifier_key, credentials=credentials, actor=ROOT)
    assert refusal.value.field == field
    assert not Witness.objects.exists()
    assert not Entry.objects.exists()


def test_every_change_of_witnesses_is_an_entry(tmp_path: Path):
    witnesses.add("office", "directory", str(tmp_path), actor=ROOT)
    witnesses.switch("office", active=False, actor=ROOT)
    witnesses.switch("office", active=False, actor=ROOT)
    witnesses.remove("office", actor=ROOT)
    kinds = list(Entry.objects.values_list("kind", flat=True))
    assert kinds == ["witness.added", "witness.changed", "witness.removed"]
    assert Entry.objects.get(index=0).fields["address"] == str(tmp_path)


def test_a_name_is_given_once(folder: Path, tmp_path: Path):
    with pytest.raises(WitnessRefused, match="already"):
        witnesses.add("office", "directory", str(tmp_path), actor=ROOT)


def test_credentials_are_sealed_and_in_no_entry():
    secret = {"access_key": "an access key", "secret_key": "a very secret key"}
    witnesses.add("store", "s3", "s3://bucket/x", credentials=secret, actor=ROOT)
    sealed = bytes(row("store").sealed or b"")
    assert sealed
    assert b"secret key" not in sealed
    assert b"secret key" not in bytes(Entry.objects.get().header)


def test_a_witness_whose_credentials_do_not_open_is_told_and_keeps_no_other_from_its_copy(
    folder: Path, grow: Grow, settings: LazySettings
):
    witnesses.add("store", "s3", "s3://bucket/x", credentials={"region": "eu-north-1"}, actor=ROOT)
    keys.current_key()
    settings.COUNTERSIGN_ENCRYPTION_KEYS = ["another key", *settings.COUNTERSIGN_ENCRYPTION_KEYS]
    keys.rotate(ROOT)
    settings.COUNTERSIGN_ENCRYPTION_KEYS = settings.COUNTERSIGN_ENCRYPTION_KEYS[:1]
    LogKey.objects.filter(retired_at__isnull=False).update(sealed=b"")
    grow()
    publication = publish()
    assert publication is not None
    assert (publication.reached, publication.failed) == (["office"], ["store"])
    assert "no configured key opens the sealed value" in row("store").problem
    out = StringIO()
    call_command("ledger", "witness", "list", stdout=out)
    assert "no configured key opens" in out.getvalue()


def test_a_witness_that_is_not_there_is_named(folder: Path):
    with pytest.raises(WitnessRefused, match="Known: office"):
        witnesses.switch("nobody", active=True, actor=ROOT)
