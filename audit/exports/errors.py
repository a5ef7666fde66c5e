"""Why there is no export, or no file of it.

ExportProblem
 ├─ ExportInvalid      what was asked for makes no sense
 ├─ ExportRefused      policy says no, or it is not for this principal
 ├─ UnknownExport      there is none, or it is somebody else's
 ├─ ExportNotReady     it has not ended, failed or was cancelled; or it has ended, so it cannot be cancelled
 ├─ ExportGone         the file was deleted when its time was over
 ├─ TooManyExports     this principal has enough of them under way
 └─ ExportUndecided    there is nothing to decide by at the moment
"""

from __future__ import annotations

from typing import ClassVar


class ExportProblem(Exception):
    """`code` is stable, `status` the HTTP status; `message` is for people, `remedy` says what to do next."""

    code: ClassVar[str] = "export"
    title: ClassVar[str] = "No export"
    status: ClassVar[int] = 400

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ExportInvalid(ExportProblem):
    code = "invalid"
    title = "The export is not valid"


class ExportRefused(ExportProblem):
    """`policies` are those that refused."""

    code = "export-refused"
    title = "The export is refused"
    status = 403

    def __init__(self, message: str, remedy: str = "", policies: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy)
        self.policies = policies


class UnknownExport(ExportProblem):
    code = "unknown-export"
    title = "No such export"
    status = 404


class ExportNotReady(ExportProblem):
    code = "export-not-ready"
    title = "Not in this state"
    status = 409


class ExportGone(ExportProblem):
    code = "export-gone"
    title = "The file is gone"
    status = 410


class TooManyExports(ExportProblem):
    code = "too-many-exports"
    title = "Too many exports at once"
    status = 429


class ExportUndecided(ExportProblem):
    code = "service-unavailable"
    title = "Nobody can decide who may export"
    status = 503


class ExportFault(Exception):
    """The file cannot be made, however often it is tried. The message says why and what to do."""
