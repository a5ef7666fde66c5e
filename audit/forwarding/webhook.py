"""Entries as signed HTTP requests, one batch each, in order. docs/forwarding.md says how a receiver verifies them."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

import orjson

from audit.forwarding.batches import Batch
from audit.forwarding.doors import delivery_id
from audit.forwarding.errors import DeliveryFailed, ReceiverGone
from audit.forwarding.tls import client_context

ANSWER_SECONDS = 10
# For all of a request: a receiver that answers one byte at a time does not hold a worker.
REQUEST_SECONDS = 30
MOST_SHOWN = 200
USER_AGENT = "Countersign"


def request_body(batch: Batch, *, log: str, forwarder: str) -> bytes:
    """The entries stand in it byte for byte as they are hashed, in their order."""
    head = orjson.dumps({"log": log, "forwarder": forwarder, "first": batch.first, "end": batch.end})
    return head[:-1] + b',"entries":[' + b",".join(line.text for line in batch.lines) + b"]}"


def signature(secrets: Sequence[str], timestamp: str, body: bytes) -> str:
    """One for each secret that is valid, the newest first."""
    signed = timestamp.encode() + b"." + body
    return ",".join(f"v1={hmac.new(one.encode(), signed, hashlib.sha256).hexdigest()}" for one in secrets)


class WebhookDoor:
    most_lines = 500
    most_bytes = 1024 * 1024

    def __init__(
        self, address: str, config: Mapping[str, str], secrets: Sequence[str], *, log: str, forwarder: str
    ) -> None:
        parts = urlsplit(address)
        self.server, self.port = str(parts.hostname), parts.port
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.context = client_context(config) if parts.scheme == "https" else None
        self.secrets, self.log, self.forwarder = list(secrets), log, forwarder
        self._link: http.client.HTTPConnection | None = None

    def position(self, next_index: int) -> int:
        return next_index

    def send(self, batch: Batch) -> None:
        body = request_body(batch, log=self.log, forwarder=self.forwarder)
        status, said = self._exchange(body, self._headers(batch, body))
        if status == 410:
            raise ReceiverGone("the receiver answered HTTP 410, gone: paused until somebody resumes it")
        if 300 <= status < 400:
            raise DeliveryFailed(
                f"the receiver answered HTTP {status}: redirects are not followed, set its own address"
            )
        if not 200 <= status < 300:
            raise DeliveryFailed(f"the receiver answered HTTP {status}{f': {said}' if said else ''}")

    def close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _headers(self, batch: Batch, body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        return {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "Countersign-Log": self.log,
            "Countersign-Delivery": delivery_id(self.log, self.forwarder, batch.first, batch.end),
            "Countersign-Range": f"{batch.first}-{batch.end - 1}",
            "Countersign-Timestamp": timestamp,
            "Countersign-Signature": signature(self.secrets, timestamp, body),
        }

    def _exchange(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        link = self._link = self._link or self._connect()
        cut = threading.Timer(REQUEST_SECONDS, _cut, [link])
        cut.start()
        try:
            link.request("POST", self.target, body, headers)
            answer = link.getresponse()
            said = answer.read(4096)
            if answer.will_close or not answer.isclosed():
                self.close()
            return answer.status, " ".join(said.decode(errors="replace").split())[:MOST_SHOWN]
        except http.client.HTTPException as error:
            self.close()
            raise DeliveryFailed(f"the receiver's answer is not HTTP, or was cut off: {error!r}") from error
        except BaseException:
            self.close()
            raise
        finally:
            cut.cancel()

    def _connect(self) -> http.client.HTTPConnection:
        if self.context is not None:
            return http.client.HTTPSConnection(self.server, self.port, timeout=ANSWER_SECONDS, context=self.context)
        link = http.client.HTTPConnection(self.server, self.port, timeout=ANSWER_SECONDS)
        link.connect()
        # Asked of the connection, not of the name: a name can mean another host a moment later.
        if not ip_address(link.sock.getpeername()[0]).is_loopback:
            link.close()
            raise DeliveryFailed(f"{self.server} is not this machine any more; without TLS nothing is sent elsewhere")
        # Otherwise the library would connect anew by itself, unasked.
        link.auto_open = 0
        return link


def _cut(link: http.client.HTTPConnection) -> None:
    with suppress(OSError, ssl.SSLError):
        if link.sock is not None:
            link.sock.shutdown(socket.SHUT_RDWR)
