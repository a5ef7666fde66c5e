"""A log with something in it, fast: entries of many kinds of shape, old enough to be archived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import ledger
from audit.models import Archive
from audit.retention.archives import Plan, archive

WIDTH = 256


def record_statement(number: int, **more: Any) -> list[ledger.Receipt]:
    """An intent and its outcome, with a payload."""
    query = str(UUID(int=number))
    asked: dict[str, Any] = {"principal": f"agent:bot-{number % 3}", "datasource": "shop", "query": query} | more
    payload = {"sql": f"SELECT secret-{number}"}
    said = {"relations": [f"public.t{number % 5}"], "risk": number % 100, "verdict": "allow", "sql_normal": "SELECT $1"}
    return [
        ledger.append_within("statement.intent", payload=payload, **said, **asked),
        ledger.append_within("statement.outcome", status="executed", **asked),
    ]


def fill(entries: int) -> None:
    """`entries` is even."""
    with transaction.atomic():
        for number in range(entries // 2):
            record_statement(number)


def fill_and_archive(entries: int, tmp_path: Any) -> tuple[list[Archive], Plan]:
    fill(entries)
    return archive_all(tmp_path)


def archive_all(place: Any) -> tuple[list[Archive], Plan]:
    return archive(datetime.now(UTC) + timedelta(seconds=1), actor="user:root", destination=str(place))
