"""Payloads: sealed, tied to their entry, and able to hold whatever a statement's parameters are."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

import pytest

from audit.entries import SealedPayload
from audit.payloads import LARGEST_PAYLOAD, PURPOSE, PayloadTooLarge, open_payload, seal_payload, unseal_payload
from identity.sealing import UnsealError, seal


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (0.5, 0.5),
        (2**100, 2**100),
        (Decimal("1.10"), "1.10"),
        (b"\x00\xff", {"hex": "00ff"}),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (UUID(int=1), str(UUID(int=1))),
        ("a\x00b", "a\x00b"),
        ("half \ud800", "half \ud800"),
        ((1, 2), [1, 2]),
    ],
)
def test_any_parameter_can_be_kept(value: object, kept: object, control_db: str):
    assert opened(seal_payload({"value": value}, "user:ada")) == {"value": kept}


def opened(sealed: SealedPayload) -> dict[str, object]:
    assert sealed.key
    return unseal_payload(UUID(sealed.key), sealed.ciphertext)


def test_a_payload_from_before_subjects_keys_opens_with_the_installations():
    assert unseal_payload(None, seal(b'{"sql": "SELECT 1"}', PURPOSE)) == {"sql": "SELECT 1"}


def test_the_digest_covers_nonce_and_ciphertext_only(control_db: str):
    sealed = seal_payload({"card": "4111 1111 1111 1111"}, "user:ada")
    assert sealed.digest == sha256(sealed.nonce + sealed.ciphertext).hexdigest()


def test_the_same_payload_never_has_the_same_digest(control_db: str):
    assert seal_payload({"a": 1}, "user:ada").digest != seal_payload({"a": 1}, "user:ada").digest


def test_a_payload_that_is_too_large_is_refused():
    with pytest.raises(PayloadTooLarge, match="at most"):
        seal_payload({"rows": "x" * LARGEST_PAYLOAD}, "user:ada")


def test_a_payload_does_not_open_with_another_subjects_key(control_db: str):
    ada, rita = seal_payload({"a": 1}, "user:ada"), seal_payload({"a": 1}, "user:rita")
    with pytest.raises(UnsealError, match="belongs to another subject"):
        unseal_payload(UUID(rita.key), ada.ciphertext)


@pytest.mark.parametrize("place", [0, 1, 17, 29, -1])
def test_a_changed_payload_does_not_open(control_db: str, place: int):
    sealed = seal_payload({"a": 1}, "user:ada")
    changed = bytearray(sealed.ciphertext)
    changed[place] ^= 1
    with pytest.raises(UnsealError):
        unseal_payload(UUID(sealed.key), bytes(changed))


def test_an_entry_without_a_payload_opens_as_none():
    assert open_payload({"kind": "agent.added"}, None) is None


def test_a_payload_that_is_gone_without_an_erasure_is_told(control_db: str):
    sealed = seal_payload({"a": 1}, "user:ada")
    with pytest.raises(UnsealError, match="not erased"):
        open_payload({"payload_digest": sealed.digest, "payload_key": sealed.key}, None)


def test_a_payload_that_is_not_the_recorded_one_does_not_open(control_db: str):
    sealed, other = seal_payload({"a": 1}, "user:ada"), seal_payload({"a": 2}, "user:ada")
    with pytest.raises(UnsealError, match="not the one that was recorded"):
        open_payload({"payload_digest": sealed.digest}, (UUID(other.key), other.nonce, other.ciphertext))
