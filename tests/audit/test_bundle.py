"""The evidence bundle: what the stand-alone verifier accepts, alone, and what it refuses."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cryptography
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import ledger
from audit.evidence import countersign_verify
from audit.evidence.bundle import VERIFIER, Question, write_bundle
from audit.evidence.covering import spans_without
from audit.evidence.sealing import sealed_zip
from audit.merkle import root_of
from audit.retention.erasure import erase
from audit.transparency import checkpoints, keys, proofs
from tests.audit.retention.filling import fill_and_archive

pytestmark = pytest.mark.usefixtures("control_db")

SIZE = 30


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where an auditor stands: a folder with `cryptography` and what it needs, and nothing of ours."""
    folder = tmp_path_factory.mktemp("bare")
    site = Path(cryptography.__file__).parent.parent
    for found in (*site.glob("cryptography"), *site.glob("cffi"), *site.glob("_cffi_backend*")):
        (folder / found.name).symlink_to(found)
    return {"PYTHONPATH": str(folder), "PATH": os.environ["PATH"]}


Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def check(bare: dict[str, str], tmp_path: Path) -> Check:
    """Runs the verifier from a folder of its own, without site packages."""
    verifier = tmp_path / "taken_along.py"
    verifier.write_bytes(VERIFIER.read_bytes())

    def run(bundle: Path, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-S", "-P", str(verifier), str(bundle), *options]
        return subprocess.run(command, env=bare, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    return run


def outcome(bundle: Path, *options: str) -> int:
    """The same in this process: quick enough for hundreds."""
    return countersign_verify.main([str(bundle), *options])


def fill(count: int = SIZE) -> None:
    for number in range(count):
        ledger.append("statement.denied", principal=f"agent:bot-{number}", payload={"sql": f"SELECT {number}"})


def bundle_of(path: Path, first: int = 0, end: int = SIZE, indexes: list[int] | None = None, **more: bool) -> Path:
    question = Question(first, end, {"principal": "agent:bot"}, "user:olaf", **more)
    with path.open("wb") as target:
        write_bundle(target, question, None if indexes is None else [indexes])
    return path


def contents(bundle: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sealed(path: Path, files: dict[str, bytes], again: str | None = None) -> Path:
    """A bundle that somebody put together again, with a right seal."""
    with path.open("wb") as target, sealed_zip(target) as archive:
        for name, content in files.items():
            archive.add(name, content)
        if again:
            archive.add(again, files[again])
    return path


def resigned(files: dict[str, bytes]) -> dict[str, bytes]:
    """With a manifest that fits the files, signed with the log's key: only what it claims can be wrong."""
    manifest = json.loads(files["manifest.json"])
    for name in manifest["files"]:
        manifest["files"][name] = {"sha256": hashlib.sha256(files[name]).hexdigest(), "bytes": len(files[name])}
    return with_manifest(files, manifest)


def with_manifest(files: dict[str, bytes], manifest: dict[str, object]) -> dict[str, bytes]:
    content = json.dumps(manifest).encode()
    text = f"{manifest['log']} evidence\nsha256 {hashlib.sha256(content).hexdigest()}\n"
    note = "\n".join([text, *(str(signer.sign(text)) for signer in keys.signers(())), ""])
    return files | {"manifest.json": content, "manifest.note": note.encode()}


# --- What is accepted ---------------------------------------------------------------------------------------------


def test_a_whole_range_verifies_with_python_and_cryptography_only(tmp_path: Path, check: Check):
    fill()
    done = check(bundle_of(tmp_path / "b.zip"), "--key", keys.current_key().verifier_key)
    assert (done.returncode, done.stderr) == (0, "")
    assert "signed with your key" in done.stdout
    assert f"all that the log has from entry 0 to {SIZE - 1}" in done.stdout


def test_the_verifier_in_the_bundle_verifies_it(tmp_path: Path, bare: dict[str, str]):
    fill()
    bundle = bundle_of(tmp_path / "b.zip")
    verifier = tmp_path / "out.py"
    verifier.write_bytes(contents(bundle)["countersign_verify.py"])
    assert subprocess.run([sys.executable, "-S", str(verifier), str(bundle)], env=bare, check=False).returncode == 0


def test_without_a_key_the_verdict_says_that_nobody_vouches_for_it(tmp_path: Path, check: Check):
    fill(3)
    done = check(bundle_of(tmp_path / "b.zip", 0, 3))
    assert done.returncode == 0
    assert "WHOSE KEY IT IS" in done.stdout
    assert "no key of yours vouches for it" in done.stdout.splitlines()[-1]
    assert "WHETHER SOMEBODY ELSE SAW THE SAME LOG" in done.stdout


def test_a_selection_verifies_and_does_not_claim_to_be_complete(tmp_path: Path, check: Check):
    fill()
    done = check(bundle_of(tmp_path / "b.zip", 2, SIZE, [3, 4, 17]))
    assert done.returncode == 0
    assert "3 entries" in done.stdout
    assert "WHETHER ALL IS HERE" in done.stdout


def test_a_range_in_the_middle_carries_only_the_hashes_at_its_sides(tmp_path: Path, check: Check):
    fill(600)
    bundle = bundle_of(tmp_path / "b.zip", 100, 500)
    assert check(bundle).returncode == 0
    assert len(contents(bundle)["hashes.txt"].split()) < 20


@settings(max_examples=60)
@given(st.integers(1, 300).flatmap(lambda size: st.tuples(st.just(size), st.sets(st.integers(0, size - 1)))))
def test_any_selection_of_any_log_gives_the_root(case: tuple[int, set[int]]):
    """What is left out comes as hashes, in the order in which going down the tree meets it."""
    size, selected = case
    leaves = [hashlib.sha256(bytes([number % 256, number // 256])).digest() for number in range(size)]
    hashes = iter([root_of(leaves[start:end]).hex().encode() for start, end in spans_without(sorted(selected), size)])

    class Given:
        waiting = sorted(selected)
        index = waiting[0] if waiting else None

        def take(self) -> bytes:
            leaf = leaves[self.waiting.pop(0)]
            self.index = self.waiting[0] if self.waiting else None
            return leaf

    assert countersign_verify.fold(0, size, Given(), hashes) == root_of(leaves)  # type: ignore[arg-type]
    assert next(hashes, None) is None


@pytest.mark.parametrize("seed", range(4))
def test_random_selections_from_the_log_verify(tmp_path: Path, seed: int):
    fill(270)
    chosen = sorted(random.Random(seed).sample(range(270), k=(1, 7, 100, 269)[seed]))
    assert outcome(bundle_of(tmp_path / "b.zip", 0, 270, chosen)) == 0


def test_an_answer_with_no_entries_verifies(tmp_path: Path):
    fill(5)
    assert outcome(bundle_of(tmp_path / "b.zip", 0, 5, [])) == 0


def test_payloads_are_in_it_only_if_asked_for(tmp_path: Path, check: Check):
    fill(5)
    assert "payloads.jsonl" not in contents(bundle_of(tmp_path / "a.zip", 0, 5))
    bundle = bundle_of(tmp_path / "b.zip", 0, 5, payloads=True)
    assert b'{"index": 3, "payload": {"sql": "SELECT 3"}}' in contents(bundle)["payloads.jsonl"]
    assert "THE CONTENT OF 5 PAYLOADS" in check(bundle).stdout


def test_open_intents_of_the_range_come_with_a_selection(tmp_path: Path):
    fill(3)
    fields: dict[str, Any] = {
        "principal": "agent:a",
        "datasource": "shop",
        "query": "3f1c1f2e-8f0b-4f7e-9d6f-0c6f5b1f2a3d",
    }
    intent = ledger.append("statement.intent", **fields).index
    fill(3)
    bundle = bundle_of(tmp_path / "b.zip", 0, 7, [1])
    assert json.loads(contents(bundle)["manifest.json"])["context"]["open_intents"] == [intent]
    assert b'"context": true' in contents(bundle)["entries.jsonl"]
    assert outcome(bundle) == 0


def test_archived_entries_are_proved_as_all_others(tmp_path: Path, check: Check):
    """And what was erased and archived since comes with them."""
    fill_and_archive(600, tmp_path)
    erasure = erase("agent:bot-1", actor="user:root", reason="asked for").entry
    bundle = bundle_of(tmp_path / "b.zip", 200, 560, [201, 300, 555], payloads=True)
    assert check(bundle).returncode == 0
    assert json.loads(contents(bundle)["manifest.json"])["context"] == {
        "archives": [600], "erasures": [erasure], "open_intents": []
    }  # fmt: skip
    assert outcome(bundle_of(tmp_path / "c.zip", 0, 600)) == 0


def test_payloads_that_were_erased_are_told_of(tmp_path: Path):
    fill(4)
    erase("agent:bot-2", actor="user:root", reason="asked for")
    bundle = bundle_of(tmp_path / "b.zip", 0, 4, payloads=True)
    lines = [json.loads(line) for line in contents(bundle)["payloads.jsonl"].splitlines()]
    assert [(line["index"], "problem" in line) for line in lines] == [(0, False), (1, False), (2, True), (3, False)]
    assert outcome(bundle) == 0


def test_the_same_log_and_question_give_the_same_entries_and_hashes(tmp_path: Path):
    fill(10)
    one, other = (contents(bundle_of(tmp_path / name, 2, 8)) for name in ("a.zip", "b.zip"))
    assert {name for name in one if one[name] != other[name]} <= {"manifest.json", "manifest.note", "README.txt"}


def test_it_is_written_as_a_stream(tmp_path: Path):
    fill(5)

    class Pipe(io.RawIOBase):
        taken = bytearray()

        def write(self, data: Any) -> int:
            self.taken += data
            return len(data)

    write_bundle(Pipe(), Question(0, 5, {}, "user:olaf"))
    (tmp_path / "b.zip").write_bytes(Pipe.taken)
    assert outcome(tmp_path / "b.zip") == 0


# --- Keys and checkpoints that come another way -------------------------------------------------------------------


def test_another_key_than_the_log_s_is_refused(tmp_path: Path, check: Check):
    fill(3)
    bundle = bundle_of(tmp_path / "b.zip", 0, 3)
    name, public = "example.com/other", b"\x01" + bytes(range(32))
    key_id = hashlib.sha256(name.encode() + b"\n" + public).hexdigest()[:8]
    done = check(bundle, "--key", f"{name}+{key_id}+{base64.b64encode(public).decode()}")
    assert done.returncode == 1
    assert "not signed by a key that you gave" in done.stdout


def test_a_key_that_is_none_cannot_be_checked_with(tmp_path: Path, check: Check):
    fill(3)
    done = check(bundle_of(tmp_path / "b.zip", 0, 3), "--key", "what?")
    assert (done.returncode, "is not a verifier key" in done.stdout) == (2, True)


def test_a_checkpoint_kept_from_earlier_is_found_again(tmp_path: Path, check: Check):
    fill(7)
    (tmp_path / "kept").write_text(checkpoints.note_of(checkpoints.latest()))
    fill(7)
    done = check(bundle_of(tmp_path / "b.zip", 0, 14), "--checkpoint", str(tmp_path / "kept"))
    assert done.returncode == 0
    assert "(7 entries)" in done.stdout


def test_a_checkpoint_that_the_bundle_does_not_know_needs_a_proof(tmp_path: Path, check: Check):
    fill(7)
    bundle = bundle_of(tmp_path / "b.zip", 0, 7)
    fill(7)
    (tmp_path / "kept").write_text(checkpoints.note_of(checkpoints.latest()))
    done = check(bundle, "--checkpoint", str(tmp_path / "kept"))
    assert (done.returncode, "from=7&to=14" in done.stdout) == (2, True)
    proof = [one.hex() for one in proofs.consistency(7, 14).hashes]
    (tmp_path / "proof").write_text(json.dumps({"from": 7, "to": 14, "proof": proof}))
    more = ("--checkpoint", str(tmp_path / "kept"), "--consistency", str(tmp_path / "proof"))
    assert check(bundle, *more).returncode == 0


# --- What is refused ----------------------------------------------------------------------------------------------


def test_one_changed_byte_anywhere_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    fill(12)
    bundle = bundle_of(tmp_path / "b.zip", 0, 12, payloads=True)
    good = bundle.read_bytes()
    for place in random.Random(1).sample(range(len(good)), k=300):
        changed = bytearray(good)
        changed[place] ^= 1 << place % 8
        bundle.write_bytes(changed)
        assert outcome(bundle) == 1, place
    assert "Traceback" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    ["README.txt", "checkpoint.txt", "consistency.json", "countersign_verify.py", "entries.jsonl", "hashes.txt",
     "keys.json", "manifest.json", "manifest.note", "payloads.jsonl"],
)  # fmt: skip
def test_a_byte_changed_in_a_file_is_found_although_the_zip_file_was_made_anew(tmp_path: Path, name: str):
    fill(6)
    checkpoints.latest()
    fill(6)
    files = contents(bundle_of(tmp_path / "b.zip", 2, 11, [3, 5, 8], payloads=True))
    places = random.Random(name).sample(range(len(files[name])), k=min(40, len(files[name])))
    for place in places:
        changed = bytearray(files[name])
        changed[place] ^= 1 << place % 7
        assert outcome(sealed(tmp_path / "c.zip", files | {name: bytes(changed)})) == 1, place


def changed_line(files: dict[str, bytes], number: int, old: str, new: str) -> dict[str, bytes]:
    lines = files["entries.jsonl"].decode().split("\n")
    assert old in lines[number]
    lines[number] = lines[number].replace(old, new)
    return files | {"entries.jsonl": "\n".join(lines).encode()}


def without_line(files: dict[str, bytes], number: int) -> dict[str, bytes]:
    lines = files["entries.jsonl"].split(b"\n")
    return files | {"entries.jsonl": b"\n".join(lines[:number] + lines[number + 1 :])}


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (lambda files: changed_line(files, 3, "bot-3", "bot-4"), "do not give the root of the checkpoint"),
        (lambda files: changed_line(files, 3, '"index": 3', '"index": 4'), "entry 3 is missing"),
        (lambda files: without_line(files, 4), "entry 4 is missing"),
        (lambda files: without_line(files, 9), "entry 9 is missing"),
        (lambda files: files | {"hashes.txt": b"00" * 32 + b"\n"}, "hashes.txt holds more than is needed"),
        (lambda files: files | {"entries.jsonl": files["entries.jsonl"] * 2}, "comes after entry 9"),
    ],
)
def test_p6_even_who_holds_the_key_cannot_make_a_bundle_that_the_checkpoint_does_not_prove(
    tmp_path: Path, check: Check, forge: Callable[[dict[str, bytes]], dict[str, bytes]], said: str
):
    fill(10)
    files = contents(bundle_of(tmp_path / "b.zip", 0, 10))
    done = check(sealed(tmp_path / "c.zip", resigned(forge(files))))
    assert (done.returncode, said in done.stdout) == (1, True), done.stdout


def test_a_selection_cannot_be_passed_off_as_complete(tmp_path: Path, check: Check):
    fill(10)
    files = contents(bundle_of(tmp_path / "b.zip", 0, 10, [0, 1, 2, 4]))
    manifest = json.loads(files["manifest.json"]) | {"complete": True}
    done = check(sealed(tmp_path / "c.zip", with_manifest(files, manifest)))
    assert (done.returncode, "entry 3 is missing" in done.stdout) == (1, True)


def test_a_manifest_that_nobody_signed_is_refused(tmp_path: Path, check: Check):
    fill(4)
    files = contents(bundle_of(tmp_path / "b.zip", 0, 4))
    changed = files["manifest.json"].replace(b"user:olaf", b"user:rita")
    done = check(sealed(tmp_path / "c.zip", files | {"manifest.json": changed}))
    assert (done.returncode, "not the one that was signed" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"../../etc/passwd": b"x"}, "does not belong"),
        ({"extra.txt": b"x"}, "does not belong"),
        ({"payloads.jsonl": b""}, "not those of the manifest"),
        ({"entries.jsonl": b"x" * 5_000_000}, "a line that is longer"),
        ({"entries.jsonl": b"[" * 100_000 + b"\n"}, "is not JSON"),
        ({"entries.jsonl": b'{"index": 0, "index": 0, "header": ""}\n'}, "says something twice"),
        ({"keys.json": b"[]"}, "keys.json"),
        ({"manifest.json": bytes(20_000_000)}, "larger than"),
        ({"manifest.json": b"[]"}, "does not hold an object"),
    ],
)
def test_a_hostile_bundle_is_refused_with_a_reason(tmp_path: Path, check: Check, files: dict[str, bytes], said: str):
    fill(3)
    good = contents(bundle_of(tmp_path / "b.zip", 0, 3))
    done = check(sealed(tmp_path / "c.zip", good | files))
    assert (done.returncode, done.stderr, said in done.stdout) == (1, "", True), done.stdout


def test_a_missing_file_is_named(tmp_path: Path, check: Check):
    fill(3)
    files = contents(bundle_of(tmp_path / "b.zip", 0, 3))
    del files["hashes.txt"]
    done = check(sealed(tmp_path / "c.zip", files))
    assert (done.returncode, "hashes.txt" in done.stdout) == (1, True)


def test_a_file_that_is_there_twice_is_refused(tmp_path: Path, check: Check):
    fill(3)
    files = contents(bundle_of(tmp_path / "b.zip", 0, 3))
    path = tmp_path / "c.zip"
    with pytest.warns(UserWarning, match="Duplicate"):
        sealed(path, files, again="keys.json")
    done = check(path)
    assert (done.returncode, "in it twice" in done.stdout) == (1, True)


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 500, bytes(1000)])
def test_something_else_is_no_bundle(tmp_path: Path, check: Check, content: bytes):
    (tmp_path / "b.zip").write_bytes(content)
    assert check(tmp_path / "b.zip").returncode == 1


def test_a_file_that_is_not_there_cannot_be_checked(tmp_path: Path, check: Check):
    assert check(tmp_path / "nothing.zip").returncode == 2


def test_a_range_that_the_log_does_not_have_gives_no_bundle(tmp_path: Path):
    fill(3)
    with pytest.raises(ValueError, match="the log has 3 entries"):
        bundle_of(tmp_path / "b.zip", 0, 4)


def test_the_verifier_runs_on_older_pythons_too():
    """Nothing newer than Python 3.9 in its grammar."""
    ast.parse(VERIFIER.read_text(), feature_version=(3, 9))
