"""What each way out of the ledger has in common."""

from __future__ import annotations

import hashlib
from typing import Protocol

from audit.forwarding.batches import Batch


class Door(Protocol):
    """`most_lines` and `most_bytes` bound a batch. All methods raise `DeliveryFailed`, `OSError`."""

    most_lines: int
    most_bytes: int

    def position(self, next_index: int) -> int:
        """Where to go on: `next_index`, unless the receiver itself knows better."""
        ...

    def send(self, batch: Batch) -> None:
        """Returns once the receiver has confirmed all of it."""
        ...

    def close(self) -> None: ...


def delivery_id(log: str, forwarder: str, first: int, end: int) -> str:
    """The same for the same range, however often it is sent."""
    return hashlib.sha256(f"{log}\n{forwarder}\n{first}\n{end}".encode()).hexdigest()[:32]
