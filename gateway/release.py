"""The last step: the rows leave, after all else is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from gateway.drivers.base import Rows
from gateway.models import Query, QueryState, Result
from gateway.results import store_result


def release(query: Query, rows: Rows, masked: Sequence[bool]) -> dict[str, Any]:
    return store_result(query, rows, masked)


def replay(query: Query) -> dict[str, Any] | None:
    """The result of an earlier submission with the same Idempotency-Key, if it has one and it is still kept."""
    if query.state != QueryState.EXECUTED:
        return None
    kept = Result.objects.filter(query=query, expires_at__gt=timezone.now()).first()
    return kept.content if kept else None
