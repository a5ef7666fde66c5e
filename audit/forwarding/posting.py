"""An HTTP receiver, reached with nothing left to chance: TLS verified, no redirect followed, every wait bounded."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from audit.forwarding.errors import DeliveryFailed
from audit.forwarding.tls import client_context

ANSWER_SECONDS = 10
# For all of a request: a receiver that answers one byte at a time does not hold a worker.
REQUEST_SECONDS = 30
MOST_READ = 4096
MOST_SHOWN = 200
USER_AGENT = "Countersign"


def signatures(secrets: Sequence[str], timestamp: str, body: bytes) -> list[str]:
    """HMAC-SHA256 of `timestamp.body`, in hex: one for each secret that is valid, the newest first."""
    signed = timestamp.encode() + b"." + body
    return [hmac.new(one.encode(), signed, hashlib.sha256).hexdigest() for one in secrets]


class Receiver:
    def __init__(self, address: str, config: Mapping[str, str]) -> None:
        parts = urlsplit(address)
        self.server, self.port = str(parts.hostname), parts.port
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.context = client_context(config) if parts.scheme == "https" else None
        self._link: http.client.HTTPConnection | None = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """The status of the answer, and the first of what it said. Raises `DeliveryFailed`, `OSError`."""
        link = self._link = self._link or self._connect()
        cut = threading.Timer(REQUEST_SECONDS, _cut, [link])
        cut.start()
        try:
            link.request("POST", self.target, body, {"User-Agent": USER_AGENT, **headers})
            answer = link.getresponse()
            said = answer.read(MOST_READ)
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

    def close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

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


def check_answer(status: int, said: str) -> None:
    """Raises `DeliveryFailed` unless the receiver has confirmed."""
    if 300 <= status < 400:
        raise DeliveryFailed(f"the receiver answered HTTP {status}: redirects are not followed, set its own address")
    if not 200 <= status < 300:
        raise DeliveryFailed(f"the receiver answered HTTP {status}{f': {said}' if said else ''}")


def _cut(link: http.client.HTTPConnection) -> None:
    with suppress(OSError, ssl.SSLError):
        if link.sock is not None:
            link.sock.shutdown(socket.SHUT_RDWR)
