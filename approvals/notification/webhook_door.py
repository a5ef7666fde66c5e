"""The way to one webhook: its address and secrets opened once, one connection for as many messages as there are."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from approvals.models import Notification, Webhook
from approvals.notification.mail import LONGEST_PROBLEM, NotDelivered
from approvals.notification.posts import body_of, headers_of
from audit.forwarding.errors import DeliveryFailed
from audit.forwarding.posting import Receiver, check_answer
from audit.plain import one_line
from identity.sealing import UnsealError

GONE = 410
Send = Callable[[Notification], None]


class ReceiverGone(NotDelivered):
    """The receiver says that it wants nothing any more."""


@contextmanager
def webhook_door(webhook_id: uuid.UUID) -> Iterator[Send]:
    """A webhook that cannot be opened refuses each message, with the reason."""
    try:
        hook = Webhook.objects.get(pk=webhook_id)
        receiver = Receiver(hook.address, {})
    except (Webhook.DoesNotExist, UnsealError, ValueError, ssl.SSLError) as error:
        yield _refusing(f"the webhook cannot be opened: {error}")
        return
    with closing(receiver):
        yield lambda told: _send(told, hook, receiver)


def _send(told: Notification, hook: Webhook, receiver: Receiver) -> None:
    body = body_of(told, hook.format)
    try:
        status, said = receiver.post(body, headers_of(told, secrets_of(hook), body))
        if status == GONE:
            raise ReceiverGone("the receiver answered HTTP 410, gone", for_good=True)
        check_answer(status, said)
    except (DeliveryFailed, OSError, ValueError) as error:
        raise NotDelivered(_words(error)) from error


def secrets_of(hook: Webhook) -> list[str]:
    """The newest first; two while a receiver changes over."""
    return str(hook.secret).split("\n")


def _refusing(why: str) -> Send:
    def refuse(_told: Notification) -> None:
        raise NotDelivered(why)

    return refuse


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "the receiver did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the receiver's certificate is not to be trusted: {error.verify_message}"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return one_line(text).rstrip(".")[:LONGEST_PROBLEM] or type(error).__name__
