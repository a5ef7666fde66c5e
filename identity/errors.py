"""What can be wrong with who acts."""

from __future__ import annotations


class IdentityError(Exception):
    """A name, group, person or credential that is not usable; the message says which and what to do."""


class NotAuthenticated(Exception):
    """The token shown is missing, malformed, unknown, expired or revoked. `reason` is for the log, never for the caller:
    who guesses tokens learns nothing from it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
