"""Entries as syslog messages: RFC 5424 over TLS (RFC 5425), each with its length in front (RFC 6587, section 3.4.1).

Syslog has no receipt. So a batch has a connection of its own, and is confirmed once the receiver has ended it in turn:
a receiver that dies with unread messages resets the connection instead, and the batch is sent again.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from ipaddress import ip_address
from urllib.parse import urlsplit

from audit.entries import format_time
from audit.forwarding.batches import Batch, Line
from audit.forwarding.errors import DeliveryFailed
from audit.forwarding.tls import client_context

CONNECT_SECONDS = 5
SEND_SECONDS = 30
CONFIRM_SECONDS = 15
DEFAULT_PORTS = {"tls": 6514, "tcp": 601}
# 13: log audit.
FACILITY = 13
WARNING, INFORMATIONAL = 4, 6
# The number that RFC 5612 sets aside for documentation.
STRUCTURED_DATA = "countersign@32473"
CHUNK = 256 * 1024


def message(line: Line, log: str, host: str) -> bytes:
    """One message with its length in front. What follows the header is the entry, byte for byte."""
    severity = WARNING if line.verdict == "deny" else INFORMATIONAL
    data = f'[{STRUCTURED_DATA} index="{line.index}" kind="{_escaped(line.kind)}" log="{_escaped(log)}"]'
    header = f"<{8 * FACILITY + severity}>1 {format_time(line.time)} {host} countersign - {_name(line.kind)} {data} "
    text = header.encode() + line.text
    return b"%d %s" % (len(text), text)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _name(kind: str) -> str:
    """MSGID: at most 32 printable ASCII characters."""
    return "".join(one for one in kind if "!" <= one <= "~")[:32] or "-"


class SyslogDoor:
    most_lines = 5000
    most_bytes = 4 * 1024 * 1024

    def __init__(self, address: str, config: Mapping[str, str], *, log: str, host: str) -> None:
        parts = urlsplit(address)
        self.server, self.port = str(parts.hostname), parts.port or DEFAULT_PORTS[parts.scheme]
        self.context = client_context(config) if parts.scheme == "tls" else None
        self.log, self.host = log, host

    def position(self, next_index: int) -> int:
        return next_index

    def send(self, batch: Batch) -> None:
        deadline = time.monotonic() + SEND_SECONDS
        with closing(self._connect()) as link:
            part = bytearray()
            for line in batch.lines:
                part += message(line, self.log, self.host)
                if len(part) >= CHUNK:
                    _send(link, part, deadline)
                    part = bytearray()
            _send(link, part, deadline)
            _confirm(link)

    def close(self) -> None:
        """Connections end with their batch."""

    def _connect(self) -> socket.socket:
        link = socket.create_connection((self.server, self.port), timeout=CONNECT_SECONDS)
        try:
            if self.context is not None:
                return self.context.wrap_socket(link, server_hostname=self.server)
            # Asked of the connection, not of the name: a name can mean another host a moment later.
            if not ip_address(link.getpeername()[0]).is_loopback:
                raise DeliveryFailed(
                    f"{self.server} is not this machine any more; without TLS nothing is sent elsewhere"
                )
        except BaseException:
            link.close()
            raise
        return link


def _send(link: socket.socket, part: bytes | bytearray, deadline: float) -> None:
    left = memoryview(part)
    while left:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise DeliveryFailed(f"the receiver took longer than {SEND_SECONDS} seconds to take a batch")
        link.settimeout(seconds)
        left = left[link.send(left) :]


def _confirm(link: socket.socket) -> None:
    """Says that this was all and waits until the receiver ends the connection too: it has read everything by then."""
    deadline = time.monotonic() + CONFIRM_SECONDS
    link.settimeout(CONFIRM_SECONDS)
    try:
        if isinstance(link, ssl.SSLSocket):
            _end_tls(link)
            return
        link.shutdown(socket.SHUT_WR)
        while link.recv(4096):
            if time.monotonic() > deadline:
                raise TimeoutError
    except TimeoutError:
        raise DeliveryFailed(
            f"the receiver did not end the connection within {CONFIRM_SECONDS} seconds of our end, so it is not known"
            " whether it has read everything"
        ) from None


def _end_tls(link: ssl.SSLSocket) -> None:
    """A receiver that ends the connection without the alert of TLS has read everything as well: otherwise it resets."""
    try:
        link.unwrap().close()
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return
    except ssl.SSLError as error:
        raise DeliveryFailed(
            f"the receiver did not confirm the end of the connection: {error.reason or error}"
        ) from error
    except OSError as error:
        # What Python makes of an end without an alert; a reset has a number.
        if error.errno:
            raise
