"""Real receivers: a syslog server that frames by length, with TLS or without, and an HTTP server that can misbehave."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

MESSAGE = re.compile(
    rb"<(?P<pri>\d+)>1 (?P<time>\S+) (?P<host>\S+) (?P<app>\S+) - (?P<id>\S+)"
    rb' \[countersign@32473 index="(?P<index>\d+)" kind="(?P<kind>[^"]+)" log="(?P<log>[^"]+)"\] (?P<text>.*)',
    re.DOTALL,
)


def without_repeats(indexes: list[int]) -> list[int]:
    """The rule of a receiver: an entry that it has already is dropped."""
    return list(dict.fromkeys(indexes))


# --- Certificates --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    certificate: str
    key: str


class Authority:
    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of a test")])
        self.certificate = self._sign(self._name, self._key, ca=True)

    def issue(self, host: str) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return Pair(self._sign(name, key, host=host), text)

    def _sign(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool = False, host: str = "") -> str:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if ca:
            usage = x509.KeyUsage(*(one in (5, 6) for one in range(9)))
            builder = builder.add_extension(usage, critical=True)
        if host:
            known: x509.GeneralName = x509.DNSName(host)
            with suppress(ValueError):
                known = x509.IPAddress(ip_address(host))
            builder = builder.add_extension(x509.SubjectAlternativeName([known]), critical=False)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


# --- Syslog --------------------------------------------------------------------------------------------------------


@dataclass
class Syslog:
    """`dies_after`: closes its next connection after so many messages, with the rest unread."""

    address: str
    messages: list[re.Match[bytes]] = field(default_factory=list)
    peers: list[Any] = field(default_factory=list)
    dies_after: int | None = None
    silent: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def indexes(self) -> list[int]:
        return [int(one["index"]) for one in self.messages]

    def take(self, link: socket.socket) -> None:
        if isinstance(link, ssl.SSLSocket):
            self.peers.append(link.getpeercert())
        with link.makefile("rb") as stream:
            while length := _length(stream):
                text = stream.read(length)
                if len(text) < length:
                    return
                found = MESSAGE.fullmatch(text)
                assert found is not None, text
                self.messages.append(found)
                if self.dies_after is not None and len(self.messages) >= self.dies_after:
                    self.dies_after = None
                    return
        if self.silent:
            self.over.wait(20)
            return
        if isinstance(link, ssl.SSLSocket):
            link.unwrap()


def _length(stream: Any) -> int:
    digits = b""
    while (one := stream.read(1)) not in (b" ", b""):
        digits += one
    return int(digits or b"0")


@contextmanager
def syslog_server(pair: Pair | None = None, *, clients_by: str = "", folder: Path | None = None) -> Iterator[Syslog]:
    """With a certificate it speaks TLS; `clients_by` is the authority whose certificates clients have to show."""
    context = None if pair is None else _server_context(pair, clients_by, folder)
    listener = socket.create_server(("127.0.0.1", 0))
    scheme = "tls" if context else "tcp"
    server = Syslog(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")

    def serve(link: socket.socket) -> None:
        wrap = (lambda: link) if context is None else (lambda: context.wrap_socket(link, server_side=True))
        with suppress(OSError, ValueError), wrap() as wrapped:
            server.take(wrapped)

    def accept() -> None:
        with suppress(OSError):
            while True:
                link, _ = listener.accept()
                link.settimeout(20)
                threading.Thread(target=serve, args=(link,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _server_context(pair: Pair, clients_by: str, folder: Path | None) -> ssl.SSLContext:
    assert folder is not None
    path = folder / "server.pem"
    path.write_text(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    if clients_by:
        context.load_verify_locations(cadata=clients_by)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


# --- HTTP ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Delivery:
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["Countersign-Delivery"]

    @property
    def content(self) -> dict[str, Any]:
        return dict(orjson.loads(self.body))

    @property
    def indexes(self) -> list[int]:
        return [one["index"] for one in self.content["entries"]]

    def is_signed_with(self, secret: str) -> bool:
        signed = self.headers["Countersign-Timestamp"].encode() + b"." + self.body
        wanted = "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return wanted in self.headers["Countersign-Signature"].split(",")


@dataclass
class Webhook:
    """Answers with the next of `answers`, then with 204; 0 hangs until the end."""

    address: str = ""
    answers: list[int] = field(default_factory=list)
    asked: list[Delivery] = field(default_factory=list)
    taken: list[Delivery] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def indexes(self) -> list[int]:
        return [index for one in self.taken for index in one.indexes]


@contextmanager
def webhook_server() -> Iterator[Webhook]:
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True
                return
            delivery = Delivery(dict(self.headers.items()), body)
            hook.asked.append(delivery)
            status = hook.answers.pop(0) if hook.answers else 204
            if status == 0:
                hook.over.wait(20)
                return
            if 200 <= status < 300:
                hook.taken.append(delivery)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", hook.address + "/elsewhere")
            said = b"" if status == 204 else b"as told"
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Senders that are killed break their connections."""

    server = Server(("127.0.0.1", 0), Handler)
    hook.address = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield hook
    finally:
        hook.over.set()
        server.shutdown()
        server.server_close()
