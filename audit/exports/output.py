"""An export as REST and pages show it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from audit.models import Export


def percent(export: Export) -> int:
    """By the place in the log, since nobody knows how many entries will match."""
    if export.state in ("done", "expired"):
        return 100
    return min(99, 100 * (export.next - export.first) // max(1, export.end - export.first))


def estimated_rows(export: Export) -> int | None:
    """What there will be if the rest is like what was looked at; None before anything was."""
    done, all_of_it = export.next - export.first, export.end - export.first
    if export.state in ("done", "expired"):
        return export.rows
    if not done:
        return None
    estimate = export.rows * all_of_it // done
    return estimate if export.most_rows is None else min(estimate, export.most_rows)


def export_output(export: Export) -> dict[str, Any]:
    return {
        "id": str(export.pk),
        "requester": export.requester,
        "format": export.format,
        "report": export.report or None,
        "filter": export.filter,
        "payloads": bool(export.progress.get("payloads")),
        "range": {"first": export.first, "end": export.end},
        "state": export.state,
        "progress": {
            "rows": export.rows,
            "estimated_rows": estimated_rows(export),
            "next": export.next,
            "percent": percent(export),
        },
        "limit": export.most_rows,
        "truncated": bool(export.progress.get("truncated")),
        "policies": export.policies,
        "result": _result(export) if export.state == "done" else None,
        "problem": export.problem or None,
        "retry_at": export.progress.get("retry_at") if export.state == "queued" else None,
        "entry": export.entry,
        "created_at": moment(export.created_at),
        "finished_at": moment(export.finished_at),
    }


def _result(export: Export) -> dict[str, Any]:
    return {
        "bytes": export.bytes,
        "sha256": export.sha256,
        "url": f"/api/v1/audit/exports/{export.pk}/file",
        "expires_at": moment(export.expires_at),
    }


def moment(time: datetime | None) -> str | None:
    return time.isoformat().replace("+00:00", "Z") if time else None
