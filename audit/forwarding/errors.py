"""What can go wrong with a forwarder."""

from __future__ import annotations


class ForwarderRefused(ValueError):
    """It cannot be added or changed; `field` is the input that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class UnknownForwarder(ForwarderRefused):
    """There is none of that name."""


class DeliveryFailed(Exception):
    """The receiver did not confirm. The message says why, and what to do; it is tried again later."""


class ReceiverGone(DeliveryFailed):
    """The receiver says that it wants nothing any more: the forwarder pauses until a person resumes it."""
