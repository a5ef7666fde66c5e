"""The last step: the rows leave, after all else is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from gateway.drivers.base import Rows
from gateway.models import Query, QueryState, Result
from gateway.recording import record_reading
from gateway.results import store_result
from identity.principals import Principal


def release(query: Query, rows: Rows, masked: Sequence[bool]) -> dict[str, Any]:
    return store_result(query, rows, masked)


def replay(principal: Principal, query: Query, door: str) -> dict[str, Any] | None:
    """The result of an earlier submission, if it has one and it is still kept. That it leaves again is recorded first."""
    if query.state != QueryState.EXECUTED:
        return None
    kept = Result.objects.filter(query=query, expires_at__gt=timezone.now()).first()
    if kept is None:
        return None
    content: dict[str, Any] = kept.content
    record_reading(principal, query, door, len(content["rows"]))
    return content
