"""What keeps up with the log in the background. Each part has its own module; Celery looks for this one."""

from __future__ import annotations

from celery import shared_task

from audit.exports.tasks import make_export as make_export
from audit.following import catch_up
from audit.forwarding.tasks import forward as forward
from audit.forwarding.tasks import forward_one as forward_one
from audit.retention.tasks import archive_before as archive_before
from audit.retention.tasks import keep_retention as keep_retention
from audit.transparency.tasks import publish_checkpoint as publish_checkpoint
from audit.transparency.tile_tasks import make_tiles as make_tiles
from audit.verification.tasks import verify_log as verify_log


@shared_task(name="audit.catch_up")
def follow_log() -> None:
    """A search catches up by itself: this keeps what it finds to do small."""
    catch_up(most=100_000)
