"""How an export ends without a file: failed or cancelled; or pauses before it is tried again."""

from __future__ import annotations

import errno
import logging
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.events import clean_text
from audit.exports.errors import ExportFault
from audit.exports.folder import clear
from audit.models import Export
from audit.plain import one_line

logger = logging.getLogger(__name__)

# Before it is tried again; after the last it has failed.
PAUSES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5))
NO_SPACE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "a file may not be that large",
}


def failed(export: Export, error: Exception) -> None:
    """Tried again after a pause, unless that cannot help. Everybody who looks sees what is wrong and what comes next."""
    problem, is_final = problem_of(error)
    failures = export.progress.get("failures", 0) + 1
    if is_final or failures > len(PAUSES):
        logger.error("Export %s failed: %s", export.pk, problem, exc_info=None if is_final else error)
        end_without_file(export.pk, "failed", problem)
        return
    again = timezone.now() + PAUSES[failures - 1]
    logger.warning("Export %s is tried again at %s: %s", export.pk, again, problem, exc_info=error)
    stored = Export.objects.get(pk=export.pk)
    progress = {**stored.progress, "failures": failures, "retry_at": again.isoformat()}
    Export.objects.filter(pk=export.pk, state="running").update(state="queued", problem=problem, progress=progress)


def problem_of(error: Exception) -> tuple[str, bool]:
    """In words, and whether trying again is of no use."""
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return (
            f"There is no room for the file: {NO_SPACE[error.errno]}. What was made of it was deleted. Make room in"
            f" {settings.EXPORTS_DIR}, or narrow the filter, and ask again.",
            True,
        )
    text = one_line(str(error)) or type(error).__name__
    return f"{text[:500]}{'' if text.endswith('.') else '.'}", isinstance(error, ExportFault)


def end_without_file(export_id: uuid.UUID, state: str, problem: str = "", *, by: str | None = None) -> bool:
    """Failed or cancelled; the files go. False if it had ended before."""
    with transaction.atomic():
        found = Export.objects.select_for_update().filter(pk=export_id, state__in=("queued", "running")).first()
        if found is None:
            return False
        Export.objects.filter(pk=export_id).update(state=state, problem=problem, finished_at=timezone.now())
        ledger.append_within(
            "export.finished",
            principal=found.requester,
            actor=by,
            export=found.pk,
            status=state,
            format=found.format,
            rows=found.rows,
            error=clean_text(problem) or None,
        )
    clear(export_id)
    return True


def is_waiting(export: Export, now: datetime) -> bool:
    """It pauses before it is tried again."""
    again = export.progress.get("retry_at")
    return bool(again) and datetime.fromisoformat(again) > now
