"""E-mail by SMTP. The same message has the same Message-ID however often it is sent, so that mail programs show it once."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.errors import MessageError
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

# For all of one message: a server that answers one byte at a time does not hold a worker.
MESSAGE_SECONDS = 60
LONGEST_PROBLEM = 300


class NotDelivered(Exception):
    """It did not arrive. `for_good`: it never will, so it is not tried again. `only_this`: others may get through."""

    def __init__(self, message: str, *, for_good: bool = False, only_this: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.for_good = for_good
        self.only_this = only_this


@dataclass(frozen=True, slots=True)
class Letter:
    """`identity` makes the Message-ID, `thread` what it belongs to: messages about one request stand together."""

    identity: str
    to: str
    subject: str
    text: str
    html: str
    thread: str = ""


def mail_is_set_up() -> bool:
    return settings.SMTP is not None


class _Backend(EmailBackend):
    """Knows its socket from the first byte on, so that whoever waits for it can cut it."""

    socket: socket.socket | None = None

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        backend = self
        base: type[smtplib.SMTP] = smtplib.SMTP_SSL if self.use_ssl else smtplib.SMTP

        class Watched(base):  # type: ignore[misc, valid-type]
            def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
                backend.socket = super()._get_socket(host, port, timeout)
                return backend.socket

        return Watched

    def cut(self) -> None:
        # STARTTLS puts another socket in the place of the first.
        link = self.connection or getattr(self, "_partial_connection", None)
        for one in (getattr(link, "sock", None), self.socket):
            with suppress(OSError, ssl.SSLError):
                if one is not None:
                    one.shutdown(socket.SHUT_RDWR)


class Mailer:
    """One connection for as many letters as there are; a new one after a failure."""

    def __init__(self) -> None:
        self._backend: _Backend | None = None

    def send(self, letter: Letter) -> None:
        """Returns once the server has taken it. Raises `NotDelivered`."""
        backend = self._backend = self._backend or _backend()
        cut = threading.Timer(MESSAGE_SECONDS, backend.cut)
        cut.start()
        try:
            backend.open()
            backend.send_messages([_message(letter)])
        except (smtplib.SMTPException, OSError, MessageError, BadHeaderError, UnicodeError, ValueError) as error:
            self.close()
            raise _said(error, letter.to) from error
        finally:
            cut.cancel()

    def close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            with suppress(smtplib.SMTPException, OSError):
                backend.close()


@contextmanager
def mailer() -> Iterator[Mailer]:
    made = Mailer()
    try:
        yield made
    finally:
        made.close()


def _backend() -> _Backend:
    if settings.SMTP is None:
        raise NotDelivered("no mail server is set up (COUNTERSIGN_SMTP_URL)", for_good=True)
    return _Backend(**settings.SMTP, fail_silently=False)


def _message(letter: Letter) -> EmailMultiAlternatives:
    host = urlsplit(settings.PUBLIC_URL).hostname
    headers = {
        "Message-ID": f"<{letter.identity}@{host}>",
        # Out-of-office replies to a machine help nobody.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if letter.thread:
        headers |= {"In-Reply-To": f"<{letter.thread}@{host}>", "References": f"<{letter.thread}@{host}>"}
    message = EmailMultiAlternatives(letter.subject, letter.text, settings.MAIL_FROM, [letter.to], headers=headers)
    message.attach_alternative(letter.html, "text/html")
    return message


def _said(error: Exception, address: str) -> NotDelivered:
    """In words, without the person's address: it goes into the ledger."""
    words = _words(error).replace(address, "the address")
    for_good = _is_for_good(error)
    only_this = for_good or isinstance(error, (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError))
    return NotDelivered(" ".join(words.split())[:LONGEST_PROBLEM], for_good=for_good, only_this=only_this)


def _is_for_good(error: Exception) -> bool:
    """What the server says of this letter or this address. What it says of us (who we are, how we sign in) can be put right,
    and so can everything that has to do with reaching it."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code >= 500
    return not isinstance(error, (smtplib.SMTPException, OSError))


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return f"the mail server refused the address: {code} {_text(said)}"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the mail server refused our name or password: {error.smtp_code}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, TimeoutError):
        return "the mail server did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the mail server's certificate is not to be trusted: {error.verify_message}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the mail server ended the connection"
    if isinstance(error, OSError) and error.strerror:
        return f"the mail server cannot be reached: {error.strerror}"
    return f"the message cannot be sent: {error}"


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
