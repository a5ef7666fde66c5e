"""Signed notes, checkpoints and cosignatures: the vectors of those who defined them, and all that is refused."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.transparency.heads import TreeHead, parse_checkpoint
from audit.transparency.notes import (
    COSIGNATURE,
    ED25519,
    LONGEST_NOTE,
    Note,
    NoteError,
    Signature,
    Signer,
    VerifierKey,
    cosigned_text,
    key_id,
    parse,
    parse_signatures,
    sign,
    verify,
)
from tests.audit.transparency.witness_server import Cosigner

# golang.org/x/mod/sumdb/note: its documentation and tests.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_KEY = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"  # its algorithm, 1, and the seed
NEUMANN_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NEUMANN_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
# C2SP signed-note, section on verifier keys.
EXAMPLE = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# C2SP tlog-cosignature: a checkpoint, the log's signature, a witness's.
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SOFA_LINES = (
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE"
    "+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ"
    "qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
# github.com/transparency-dev/formats, note_cosigv1_test.go: a witness's key, and one of the other algorithm.
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
TEST_KEY = "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6"

ROOT = bytes(range(32))


def signer(name: str = "example.com/log") -> Signer:
    return Signer(name, Ed25519PrivateKey.generate())


@pytest.mark.parametrize("text", [NEUMANN, EXAMPLE, REMORA, TEST_KEY])
def test_published_verifier_keys_are_read_and_written_back(text: str):
    assert str(VerifierKey.parse(text)) == text


def test_the_published_note_is_signed_byte_for_byte():
    seed = base64.b64decode(NEUMANN_KEY)[1:]
    neumann = Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(seed))
    assert str(neumann.verifier_key) == NEUMANN
    assert sign(NEUMANN_TEXT, [neumann]) == f"{NEUMANN_TEXT}\n{NEUMANN_LINE}\n"


@pytest.mark.parametrize(
    ("note", "key"), [(f"{NEUMANN_TEXT}\n{NEUMANN_LINE}\n", NEUMANN), (EXAMPLE_NOTE, EXAMPLE)], ids=["go", "c2sp"]
)
def test_published_notes_verify(note: str, key: str):
    assert [str(one.key) for one in verify(note, [VerifierKey.parse(key)])] == [key]


def test_the_published_cosigned_checkpoint_is_read():
    note = parse(f"{SOFA}\n{SOFA_LINES}")
    assert parse_checkpoint(note.text)[:2] == ("example.com/behind-the-sofa", 20852163)
    witness = note.signatures[1]
    assert (witness.name, int.from_bytes(witness.value[:8], "big")) == ("witness.example.com/w1", 1679315147)
    assert str(note) == f"{SOFA}\n{SOFA_LINES}"


def test_what_a_witness_signs_is_what_the_specification_shows():
    assert cosigned_text(SOFA, 1679315147) == f"cosignature/v1\ntime 1679315147\n{SOFA}"


def test_a_cosignature_verifies_and_tells_when_it_was_made():
    cosigner = Cosigner()
    verified = verify(Note(SOFA, (cosigner.sign(SOFA, 1679315147),)), [cosigner.verifier_key])
    assert [one.time for one in verified] == [datetime(2023, 3, 20, 12, 25, 47, tzinfo=UTC)]


def test_a_cosignature_with_another_time_is_refused():
    cosigner = Cosigner()
    made = cosigner.sign(SOFA)
    moved = Signature(made.name, made.key_id, (7).to_bytes(8, "big") + made.value[8:])
    with pytest.raises(NoteError, match="is not right"):
        verify(Note(SOFA, (moved,)), [cosigner.verifier_key])


def test_a_cosignature_from_beyond_time_is_refused():
    cosigner = Cosigner()
    with pytest.raises(NoteError, match="no time that there is"):
        verify(Note(SOFA, (cosigner.sign(SOFA, 2**62),)), [cosigner.verifier_key])


def test_one_key_in_both_roles_has_two_ids_that_do_not_stand_for_each_other():
    log = signer()
    other = VerifierKey(log.name, COSIGNATURE, log.verifier_key.public)
    assert key_id(log.name, ED25519, other.public) != other.id
    with pytest.raises(NoteError, match="not signed by a key that is known"):
        verify(sign("text\n", [log]), [other])


def test_signatures_by_other_keys_are_passed_over():
    ours, theirs = signer(), signer("example.com/other")
    verified = verify(sign("text\n", [theirs, ours]), [ours.verifier_key])
    assert [one.key for one in verified] == [ours.verifier_key]


def test_a_wrong_signature_by_a_known_key_fails_the_note_although_another_is_right():
    ours, also = signer(), signer("example.com/also")
    note = parse(sign("text\n", [ours, also]))
    bent = Signature(also.name, also.verifier_key.id, bytes(64))
    with pytest.raises(NoteError, match=r"example\.com/also"):
        verify(Note(note.text, (note.signatures[0], bent)), [ours.verifier_key, also.verifier_key])


def test_an_unsigned_change_is_refused():
    ours = signer()
    with pytest.raises(NoteError, match="is not right"):
        verify(sign("text\n", [ours]).replace("text", "test"), [ours.verifier_key])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "its id is c74f20a4"),
        ("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "not a verifier key"),
        ("bananas.example.com+12344556", "not a verifier key"),
        ("log.example.com+12345678+THIS_IS_NOT_BASE64!", "not a verifier key"),
        ("log.example.com+12345678+AwEB", "neither an Ed25519 key"),
        ("log.example.com+12345678+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX=", "not base64"),
        ("with space+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "cannot be the name"),
        ("", "not a verifier key"),
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str, complaint: str):
    with pytest.raises(NoteError, match=complaint):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        f"{NEUMANN_TEXT}{NEUMANN_LINE}\n",
        f"{NEUMANN_TEXT}\n{NEUMANN_LINE}",
        f"{NEUMANN_TEXT}\n\n",
        f"{NEUMANN_TEXT}\n- PeterNeumann x08go/ZJkuBS9UG=\n",
        f"{NEUMANN_TEXT}\n— Peter Neumann {NEUMANN_LINE.split()[2]}\n",
        f"{NEUMANN_TEXT}\n— Peter+Neumann {NEUMANN_LINE.split()[2]}\n",
        f"{NEUMANN_TEXT}\n— PeterNeumann eA==\n",
        f"{NEUMANN_TEXT}\n— PeterNeumann x08go_ZJ\n",
        f"{NEUMANN_TEXT}\n{NEUMANN_LINE}\nmore\n",
        f"bell \x07\n\n{NEUMANN_LINE}\n",
        f"return \r\n\n{NEUMANN_LINE}\n",
        f"{NEUMANN_TEXT}\n" + f"{NEUMANN_LINE}\n" * 101,
        f"{'x' * LONGEST_NOTE}\n\n{NEUMANN_LINE}\n",
    ],
)
def test_what_is_no_note_is_refused(note: str):
    with pytest.raises(NoteError):
        parse(note)


@pytest.mark.parametrize("text", ["", "no line break", "tab\there\n", "half \ud800\n"])
def test_what_can_be_no_text_of_a_note_is_not_signed(text: str):
    with pytest.raises(NoteError):
        sign(text, [signer()])


def test_the_text_may_hold_empty_lines():
    ours = signer()
    note = sign("one\n\ntwo\n\n", [ours])
    assert parse(note).text == "one\n\ntwo\n\n"
    assert verify(note, [ours.verifier_key])


@given(st.text())
def test_any_text_is_a_note_or_refused_and_never_anything_else(text: str):
    for read in (parse, parse_signatures, VerifierKey.parse, parse_checkpoint):
        try:
            read(text)
        except NoteError:
            continue


# --- Checkpoints --------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_written_as_the_specification_shows():
    assert str(parse_checkpoint(SOFA)) == SOFA
    assert str(TreeHead("example.com/log", 0, ROOT)).split("\n")[1] == "0"


def test_further_lines_of_a_checkpoint_are_tolerated():
    assert parse_checkpoint(f"{SOFA}extension\n") == parse_checkpoint(SOFA)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/log\n17\n",
        SOFA.removesuffix("\n"),
        SOFA.replace("20852163", "020852163"),
        SOFA.replace("20852163", "-1"),
        SOFA.replace("20852163", "9223372036854775808"),
        SOFA.replace("20852163", "٣"),
        SOFA.replace("CsUY", "CsU"),
        SOFA.replace("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "CsUY"),
        SOFA.replace("q2I=", "q2J="),
        f"\n{SOFA}",
        f"{SOFA}\n",
        f"{SOFA}\nmore\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str):
    with pytest.raises(NoteError):
        parse_checkpoint(text)
