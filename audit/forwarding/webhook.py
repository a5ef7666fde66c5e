"""Entries as signed HTTP requests, one batch each, in order. docs/forwarding.md says how a receiver verifies them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import orjson

from audit.forwarding.batches import Batch
from audit.forwarding.doors import delivery_id
from audit.forwarding.errors import ReceiverGone
from audit.forwarding.posting import Receiver, check_answer, signatures


def request_body(batch: Batch, *, log: str, forwarder: str) -> bytes:
    """The entries stand in it byte for byte as they are hashed, in their order."""
    head = orjson.dumps({"log": log, "forwarder": forwarder, "first": batch.first, "end": batch.end})
    return head[:-1] + b',"entries":[' + b",".join(line.text for line in batch.lines) + b"]}"


def signature(secrets: Sequence[str], timestamp: str, body: bytes) -> str:
    """One for each secret that is valid, the newest first."""
    return ",".join(f"v1={one}" for one in signatures(secrets, timestamp, body))


class WebhookDoor:
    most_lines = 500
    most_bytes = 1024 * 1024

    def __init__(
        self, address: str, config: Mapping[str, str], secrets: Sequence[str], *, log: str, forwarder: str
    ) -> None:
        self.receiver = Receiver(address, config)
        self.secrets, self.log, self.forwarder = list(secrets), log, forwarder

    def position(self, next_index: int) -> int:
        return next_index

    def send(self, batch: Batch) -> None:
        body = request_body(batch, log=self.log, forwarder=self.forwarder)
        status, said = self.receiver.post(body, self._headers(batch, body))
        if status == 410:
            raise ReceiverGone("the receiver answered HTTP 410, gone: paused until somebody resumes it")
        check_answer(status, said)

    def close(self) -> None:
        self.receiver.close()

    def _headers(self, batch: Batch, body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        return {
            "Content-Type": "application/json",
            "Countersign-Log": self.log,
            "Countersign-Delivery": delivery_id(self.log, self.forwarder, batch.first, batch.end),
            "Countersign-Range": f"{batch.first}-{batch.end - 1}",
            "Countersign-Timestamp": timestamp,
            "Countersign-Signature": signature(self.secrets, timestamp, body),
        }
