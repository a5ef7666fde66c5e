"""Why a standing permission is not given, not used or not changed. Each says what to do instead."""

from __future__ import annotations

from typing import ClassVar

from governance.errors import Denied, GatewayError


class UnknownGrant(GatewayError):
    """There is none with this id, or it is not this principal's to see: the two are told alike."""

    code: ClassVar[str] = "unknown-grant"
    title: ClassVar[str] = "No such grant"
    status: ClassVar[int] = 404


class GrantInvalid(GatewayError):
    """What was asked for cannot be given as it is."""

    code: ClassVar[str] = "grant-invalid"
    title: ClassVar[str] = "The grant cannot be as asked"
    status: ClassVar[int] = 422


class GrantRefused(Denied):
    """Policy, or who asks, stands against it."""

    code: ClassVar[str] = "grant-refused"
    title: ClassVar[str] = "The grant is refused"
    status: ClassVar[int] = 403


class GrantOver(GatewayError):
    """It has ended, or is as the change would make it."""

    code: ClassVar[str] = "grant-over"
    title: ClassVar[str] = "The grant has ended"
    status: ClassVar[int] = 409
