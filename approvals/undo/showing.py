"""What pages and doors tell of an undo: that rows are kept and until when, never which."""

from __future__ import annotations

from dataclasses import dataclass

from approvals.models import Request, UndoLog
from approvals.parties import owners_of
from approvals.undo.keeping import log_of, standing_revert
from identity.principals import Principal


@dataclass(frozen=True, slots=True)
class Shown:
    """`log`: of the rows that are, or were, kept. `possible`: they can be asked back now. `standing`: what takes the change
    back already, or waits to; `reverts`: what this request takes back itself."""

    log: UndoLog | None
    possible: bool
    standing: Request | None
    reverts: Request | None


def shown(request: Request) -> Shown:
    log = UndoLog.objects.filter(request=request).first()
    standing = standing_revert(request)
    return Shown(log, log_of(request) is not None and standing is None, standing, request.reverts)


def may_revert(request: Request, principal: Principal) -> bool:
    """Whoever asked, the owner, those who review it, and administrators; never an agent."""
    reviews = {str(one["group"]) for one in request.required}
    owns = principal.is_person and principal.id in owners_of(request)
    return principal.is_person and bool(owns or principal.is_administrator or reviews & principal.groups)
