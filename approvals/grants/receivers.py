"""What an approval gives, in the transaction of the approval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.dispatch import receiver

from approvals.grants import giving
from approvals.models import Request
from approvals.settling import settles
from approvals.signals import request_moved
from approvals.states import State


@receiver(request_moved)
def give_more_than_one_run(sender: type[Request], request: Request, **_: Any) -> None:
    if request.kind == Request.Kind.STATEMENT and request.state == State.APPROVED:
        giving.give_statement(request)


@settles(Request.Kind.ELEVATION)
def give_elevation(request: Request) -> Mapping[str, object]:
    return {"grant": str(giving.give_elevation(request).pk)}


@settles(Request.Kind.AFTERWARDS)
def close_emergency(request: Request) -> Mapping[str, object]:
    """Somebody has looked: that is all that was asked."""
    return {"grant": str(request.grant_id)}
