"""The log's keys: made once, kept sealed, rotated with a hand-over, published for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from audit.models import Entry, LogKey
from audit.transparency import checkpoints, keys
from audit.transparency.notes import verify
from tests.audit.transparency.conftest import Grow, Tamper

pytestmark = pytest.mark.usefixtures("control_db")


def signed_by(note: str) -> set[str]:
    return {one.key.id.hex() for one in verify(note, keys.verifier_keys())}


def test_the_first_key_is_made_when_it_is_needed_and_names_the_log(settings):
    settings.COUNTERSIGN_LOG_NAME = "example.com/first"
    assert keys.published_keys() == []
    key = keys.current_key()
    assert (key.name, keys.origin()) == ("example.com/first", "example.com/first")
    assert keys.published_keys() == [key]
    assert key.verifier_key.startswith(f"example.com/first+{key.id}+")


def test_the_log_keeps_its_name_when_the_setting_changes(settings):
    name = keys.origin()
    settings.COUNTERSIGN_LOG_NAME = "example.com/renamed"
    assert keys.rotate("user:root").name == keys.origin() == name


def test_makers_of_the_first_key_agree():
    def make(_number: int) -> str:
        try:
            return keys.current_key().id
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(8)))) == 1
    assert LogKey.objects.count() == 1


def test_the_private_half_is_stored_sealed():
    keys.current_key()
    row = LogKey.objects.get()
    assert bytes(row.sealed)[:1] == b"\x01"
    assert len(bytes(row.sealed)) == 1 + 4 + 12 + 32 + 16


def test_a_key_that_does_not_open_signs_nothing_and_says_what_to_do(settings, grow: Grow):
    keys.current_key()
    grow()
    settings.COUNTERSIGN_ENCRYPTION_KEYS = ["another key, which sealed nothing at all"]
    with pytest.raises(keys.KeyUnusable, match="COUNTERSIGN_ENCRYPTION_KEYS"):
        checkpoints.latest()


def test_a_swapped_public_half_is_noticed(grow: Grow, tamper: Tamper):
    keys.current_key()
    grow()
    tamper("UPDATE audit_logkey SET public = sha256('other')")
    with pytest.raises(keys.KeyUnusable, match="its row was changed"):
        checkpoints.latest()


def test_rotation_is_an_entry_that_names_both_keys():
    old = keys.current_key()
    new = keys.rotate("user:root", "yearly")
    fields = Entry.objects.get(kind="key.rotated").fields
    assert (fields["previous"], fields["key"]) == (old.verifier_key, new.verifier_key)
    assert (fields["actor"], fields["reason"]) == ("user:root", "yearly")


def test_rotation_retires_the_old_key_and_publishes_both():
    old = keys.current_key()
    new = keys.rotate("user:root")
    assert [(key.id, key.retired_at is None) for key in keys.published_keys()] == [(new.id, True), (old.id, False)]
    assert keys.current_key() == new


def test_the_checkpoint_after_a_rotation_is_signed_by_both_and_the_next_by_the_new_alone(grow: Grow):
    grow()
    old = keys.current_key()
    assert signed_by(checkpoints.latest().note) == {old.id}
    new = keys.rotate("user:root")
    assert signed_by(checkpoints.latest().note) == {old.id, new.id}
    grow()
    assert signed_by(checkpoints.latest().note) == {new.id}


def test_two_rotations_hand_over_from_the_key_that_signed_last(grow: Grow):
    grow()
    first = keys.current_key()
    checkpoints.latest()
    keys.rotate("user:root")
    third = keys.rotate("user:root")
    assert signed_by(checkpoints.latest().note) == {first.id, third.id}


def test_after_the_hand_over_the_retired_private_key_is_gone(grow: Grow):
    grow()
    checkpoints.latest()
    old = keys.current_key()
    keys.rotate("user:root")
    assert bytes(LogKey.objects.get(pk=old.id).sealed)
    checkpoints.latest()
    assert bytes(LogKey.objects.get(pk=old.id).sealed) == b""


def test_old_checkpoints_verify_after_a_rotation(grow: Grow):
    grow()
    before = checkpoints.latest()
    keys.rotate("user:root")
    checkpoints.latest()
    assert verify(before.note, keys.verifier_keys())


def test_rotation_goes_on_when_the_old_key_is_lost(settings, grow: Grow):
    grow()
    checkpoints.latest()
    settings.COUNTERSIGN_ENCRYPTION_KEYS = ["the old encryption key was lost: another"]
    new = keys.rotate("user:root", "the old key cannot be opened")
    assert signed_by(checkpoints.latest().note) == {new.id}
