"""Payloads: sealed, tied to their entry, and able to hold whatever a statement's parameters are."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

import pytest

from audit.payloads import LARGEST_PAYLOAD, PayloadTooLarge, seal_payload, unseal_payload


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
def test_any_parameter_can_be_kept(value: object, kept: object):
    assert unseal_payload(None, seal_payload({"value": value}, "user:ada").ciphertext) == {"value": kept}


def test_the_digest_covers_nonce_and_ciphertext_only():
    sealed = seal_payload({"card": "4111 1111 1111 1111"}, "user:ada")
    assert sealed.digest == sha256(sealed.nonce + sealed.ciphertext).hexdigest()


def test_the_same_payload_never_has_the_same_digest():
    assert seal_payload({"a": 1}, "user:ada").digest != seal_payload({"a": 1}, "user:ada").digest


def test_a_payload_that_is_too_large_is_refused():
    with pytest.raises(PayloadTooLarge, match="at most"):
        seal_payload({"rows": "x" * LARGEST_PAYLOAD}, "user:ada")
