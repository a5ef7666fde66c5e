"""What a request would do, measured while it waits."""

from __future__ import annotations

from django.db import models

from approvals.models.requests import Request
from identity.fields import SealedJSONField


class Impact(models.Model):
    """`rows` is exact, from a run that was rolled back; `estimated_rows` the planner's; `table_rows` how many rows the largest
    relation that it writes has. `content` (approvals/impact/) holds the rest, sealed: samples are masked, yet still data.
    `unmeasured`: it could not be measured, and `problem` says why."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        MEASURING = "measuring", "measuring"
        MEASURED = "measured", "measured"
        UNMEASURED = "unmeasured", "not measured"

    request = models.OneToOneField(Request, primary_key=True, on_delete=models.CASCADE, related_name="impact")
    revision = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    started_at = models.DateTimeField(null=True, blank=True)
    measured_at = models.DateTimeField(null=True, blank=True)
    rows = models.BigIntegerField(null=True, blank=True)
    estimated_rows = models.BigIntegerField(null=True, blank=True)
    table_rows = models.BigIntegerField(null=True, blank=True)
    duration_ms = models.FloatField(null=True, blank=True)
    content = SealedJSONField(null=True, blank=True)
    problem = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"impact of {self.request_id}"
