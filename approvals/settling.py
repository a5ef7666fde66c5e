"""What an approval means where nothing has to run: an elevation, a look at what was done with broken glass.

Whoever makes such requests registers what their approval does; it is done in the transaction of the approval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils import timezone

from approvals.models import Request
from approvals.moving import move
from approvals.states import Action

# Does what was approved, and returns what the entry `request.settled` tells besides (its optional fields).
Settler = Callable[[Request], Mapping[str, object]]
_settlers: dict[str, Settler] = {}


def settles(kind: str) -> Callable[[Settler], Settler]:
    """Registers a function for requests of this kind."""

    def register(settler: Settler) -> Settler:
        _settlers[kind] = settler
        return settler

    return register


def needs_run(request: Request) -> bool:
    return request.kind == Request.Kind.STATEMENT


def settle(request: Request, actor: str) -> None:
    """Within the transaction of the approval. A kind that nobody settles is a fault: the approval is then rolled back."""
    entry = _settlers[request.kind](request)
    move(request, Action.SETTLE, actor=actor, entry=entry, finished_at=timezone.now())
