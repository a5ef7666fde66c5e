"""Results that wait to be fetched: sealed, for a limited time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from gateway.drivers.base import Rows
from gateway.models import Query, Result


def store_result(query: Query, rows: Rows, masked: Sequence[bool]) -> dict[str, Any]:
    content = {
        "columns": [
            {"name": column.name, "type": column.type, "masked": flag}
            for column, flag in zip(rows.columns, masked, strict=True)
        ],
        "rows": rows.rows,
        "truncated": rows.truncated,
    }
    expires_at = timezone.now() + timedelta(hours=settings.RESULT_RETENTION_HOURS)
    Result(query=query, content=content, expires_at=expires_at).save(force_insert=True)
    return content


def delete_expired() -> int:
    deleted, _ = Result.objects.filter(expires_at__lte=timezone.now()).delete()
    return deleted
