"""What somebody makes of a true bundle who has no key of the log: other signers, other layouts, other words (P6)."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.evidence import countersign_verify
from audit.transparency import checkpoints, keys
from audit.transparency.notes import Signer, parse
from tests.audit.test_bundle import bundle_of, contents, fill, resigned, sealed, with_manifest

pytestmark = pytest.mark.usefixtures("control_db")

INTRUDER = "example.com/intruder"


def outcome(capsys: pytest.CaptureFixture[str], bundle: Path, *options: str) -> tuple[int, str]:
    code = countersign_verify.main([str(bundle), *options])
    return code, capsys.readouterr().out


def taken_over(files: dict[str, bytes], manifest: dict[str, object], name: str = INTRUDER) -> dict[str, bytes]:
    """Signed a second time by somebody whose key was added to those of the log."""
    signer = Signer(name, Ed25519PrivateKey.generate())
    head = parse(files["checkpoint.txt"].decode())
    note = files["checkpoint.txt"] + f"{signer.sign(head.text)}\n".encode()
    listed = [*json.loads(files["keys.json"]), {"key": str(signer.verifier_key)}]
    files = files | {"checkpoint.txt": note, "keys.json": json.dumps(listed).encode()}
    digests = {
        one: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for one, content in files.items()
        if not one.startswith("manifest.")
    }
    content = json.dumps(manifest | {"files": digests}).encode()
    text = f"{manifest['log']} evidence\nsha256 {hashlib.sha256(content).hexdigest()}\n"
    return files | {"manifest.json": content, "manifest.note": f"{text}\n{signer.sign(text)}\n".encode()}


def forged(tmp_path: Path, name: str = INTRUDER) -> Path:
    fill(6)
    files = contents(bundle_of(tmp_path / "b.zip", 0, 6))
    manifest = json.loads(files["manifest.json"]) | {"made_by": "user:nobody"}
    return sealed(tmp_path / "c.zip", taken_over(files, manifest, name))


def test_p6_a_manifest_by_somebody_who_added_a_signature_to_the_checkpoint_is_not_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    code, said = outcome(capsys, forged(tmp_path), "--key", keys.current_key().verifier_key)
    assert (code, "signed with another key than you gave" in said, "is right" in said) == (2, True, False)


def test_after_the_log_s_key_was_rotated_both_keys_vouch_for_the_handing_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    fill(4)
    old = keys.current_key().verifier_key
    checkpoints.latest()
    new = keys.rotate("user:root").verifier_key
    bundle = bundle_of(tmp_path / "b.zip", 0, 4)
    assert outcome(capsys, bundle, "--key", old)[0] == 2
    code, said = outcome(capsys, bundle, "--key", old, "--key", new)
    assert (code, f"signed with your key {new}" in said) == (0, True)


def test_a_key_s_name_cannot_write_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code, said = outcome(capsys, forged(tmp_path, "example.com/\u202elog"))
    assert (code, said.isascii(), "not a verifier key" in said) == (1, True, True)


def test_an_entry_that_nobody_asked_for_is_not_passed_off_as_context(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    fill(6)
    files = contents(bundle_of(tmp_path / "b.zip", 0, 6, [0, 1, 4]))
    lines = files["entries.jsonl"].splitlines(keepends=True)
    lines[1] = json.dumps(json.loads(lines[1]) | {"context": True}).encode() + b"\n"
    files = resigned(files | {"entries.jsonl": b"".join(lines)})
    files = with_manifest(files, json.loads(files["manifest.json"]) | {"entries": 2})
    code, said = outcome(capsys, sealed(tmp_path / "c.zip", files))
    assert (code, "neither what was asked for" in said) == (1, True)


# --- The zip file ---------------------------------------------------------------------------------------------------


def hidden() -> bytes:
    """A file as it stands in a zip file, which programs find that unpack from the beginning on."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("entries.jsonl", b'{"index": 0, "header": "something else"}\n')
        return target.getvalue()[: archive.fp.tell() if archive.fp else 0]


def resealed(content: bytes) -> bytes:
    return content[:-64] + hashlib.sha256(content[:-71]).hexdigest().encode()


def in_front(content: bytes) -> bytes:
    return hidden() + content


def in_front_and_counted(content: bytes) -> bytes:
    """With all offsets set right, so that the zip file is a proper one."""
    more, moved = hidden(), bytearray(content)
    start = struct.unpack("<L", content[-77:-73])[0]
    place = start
    while content[place : place + 4] == b"PK\x01\x02":
        name, extra, comment = struct.unpack("<HHH", content[place + 28 : place + 34])
        offset = struct.unpack("<L", content[place + 42 : place + 46])[0]
        moved[place + 42 : place + 46] = struct.pack("<L", offset + len(more))
        place += 46 + name + extra + comment
    moved[-77:-73] = struct.pack("<L", start + len(more))
    return more + bytes(moved)


def before_the_list(content: bytes) -> bytes:
    more, start = hidden(), struct.unpack("<L", content[-77:-73])[0]
    moved = content[:start] + more + content[start:]
    return moved[:-77] + struct.pack("<L", start + len(more)) + moved[-73:]


def after_the_list(content: bytes) -> bytes:
    return content[:-93] + hidden() + content[-93:]


def as_a_link(content: bytes) -> bytes:
    place = struct.unpack("<L", content[-77:-73])[0]
    return content[: place + 38] + struct.pack("<L", 0o120777 << 16) + content[place + 42 :]


@pytest.mark.parametrize("change", [in_front, in_front_and_counted, before_the_list, after_the_list, as_a_link])
def test_p6_a_zip_file_has_no_room_for_what_other_programs_would_unpack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[bytes], bytes]
):
    fill(3)
    path = bundle_of(tmp_path / "b.zip", 0, 3)
    path.write_bytes(resealed(path.read_bytes()))
    assert outcome(capsys, path)[0] == 0
    path.write_bytes(resealed(change(path.read_bytes())))
    code, said = outcome(capsys, path)
    assert (code, "WRONG" in said) == (1, True), said
