"""One tree of refusals. Each class carries what every door needs; each door maps it once.

GatewayError
 ├─ Unreadable            the text is not a statement that can be understood (P1)
 ├─ Denied                policy says no
 ├─ UnknownDataSource     no such data source for this principal
 ├─ DriverFailed          the database refused the statement, or broke it off
 ├─ DataSourceUnavailable the governed database does not answer
 ├─ Cancelled             ended on request
 ├─ Overloaded            too much at once for this data source
 └─ ServiceUnavailable    Countersign's own ledger, database or broker does not answer: nothing runs
"""

from __future__ import annotations

from typing import Any, ClassVar


class GatewayError(Exception):
    """`code` is stable and machine-readable, `status` the HTTP status, `sqlstate` the wire's error code.

    `message` is for people, `remedy` says what to do next; `place` is a character offset into the statement.
    """

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"
    status: ClassVar[int] = 400
    default_sqlstate: ClassVar[str] = "42501"

    def __init__(
        self, message: str, *, remedy: str = "", place: int | None = None, sqlstate: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.place = place
        self.sqlstate = sqlstate or self.default_sqlstate
        # The query that was refused, where there is one: set by the pipeline once the ledger has it.
        self.query: Any = None


class Unreadable(GatewayError):
    code = "unreadable"
    title = "The statement cannot be understood"
    status = 400
    default_sqlstate = "42601"


class Denied(GatewayError):
    code = "denied"
    title = "Denied by policy"
    status = 403


class UnknownDataSource(GatewayError):
    code = "unknown-datasource"
    title = "No such data source"
    status = 404
    default_sqlstate = "3D000"


class DriverFailed(GatewayError):
    """`step`: which statement of the text; until it is told to the caller, `place` is one in what was run for it."""

    step = 0
    code = "statement-failed"
    title = "The database refused the statement"
    status = 422
    default_sqlstate = "XX000"


class DataSourceUnavailable(GatewayError):
    code = "datasource-unavailable"
    title = "The data source does not answer"
    status = 502
    default_sqlstate = "08001"


class Cancelled(GatewayError):
    code = "cancelled"
    title = "The statement was cancelled"
    status = 409
    default_sqlstate = "57014"


class Overloaded(GatewayError):
    code = "overloaded"
    title = "Too many statements at once"
    status = 429
    default_sqlstate = "53300"


class ServiceUnavailable(GatewayError):
    code = "service-unavailable"
    title = "Countersign cannot record or coordinate, so it runs nothing"
    status = 503
    default_sqlstate = "57P03"
