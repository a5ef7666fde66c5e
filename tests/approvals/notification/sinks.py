"""A real SMTP server that takes what it is sent, or misbehaves."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Protocol
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from tests.audit.forwarding.receivers import Pair
from tests.fixtures.servers import free_port

USER, PASSWORD = "countersign", "p@ss word/:"


@dataclass
class MailServer:
    """`answers` are given to the next letters, then `250`; those that begin with 2 take them. `refused` addresses get what is
    said of them. `hangs`: never answers a letter."""

    address: str = ""
    answers: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    letters: list[EmailMessage] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    tried: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Event = field(default_factory=threading.Event)

    async def handle_RCPT(
        self, server: Protocol, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Protocol, session: Session, envelope: Envelope) -> str:
        self.tried += 1
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
            self.sessions.add(id(session))
        self.arrived.set()
        if self.hangs:
            await asyncio.to_thread(self.over.wait, 30)
        return answer

    @property
    def to(self) -> list[str]:
        return [str(one["To"]) for one in self.letters]

    @property
    def subjects(self) -> list[str]:
        return [str(one["Subject"]) for one in self.letters]


def text_of(letter: EmailMessage, kind: str = "plain") -> str:
    body = letter.get_body((kind,))
    assert body is not None
    return str(body.get_content())


@contextmanager
def mail_server(
    pair: Pair | None = None, *, folder: Path | None = None, scheme: str = "smtp", auth: bool = False
) -> Iterator[MailServer]:
    server = MailServer()
    options: dict[str, Any] = {}
    if pair is not None and folder is not None:
        path = folder / "mail.pem"
        path.write_text(pair.certificate + pair.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        options = {"ssl_context": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
    if auth:
        options |= {"authenticator": _authenticate, "auth_required": True, "auth_require_tls": scheme == "smtp+tls"}
    port = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=port, **options)
    controller.start()
    login = f"{USER}:{quote(PASSWORD, safe='')}@" if auth else ""
    server.address = f"{scheme}://{login}127.0.0.1:{port}"
    try:
        yield server
    finally:
        server.over.set()
        controller.stop()


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)
