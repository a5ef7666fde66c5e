"""What rows were before an approved write changed them."""

from __future__ import annotations

from django.db import models

from approvals.models.requests import Request
from identity.fields import SealedJSONField


class UndoLog(models.Model):
    """The rows that one execution changed, taken in its transaction and durable before its COMMIT. `verb` is what was done to
    them (insert, update, delete), `key` the columns that tell a row, `columns` all that were kept. The rows are in chunks,
    sealed, and are deleted at `expires_at`; what remains says that they were there."""

    request = models.OneToOneField(Request, primary_key=True, on_delete=models.CASCADE, related_name="undo")
    attempt = models.PositiveIntegerField()
    xid = models.CharField(max_length=32)
    schema = models.TextField()
    relation = models.TextField()
    verb = models.CharField(max_length=6)
    key = models.JSONField()
    columns = models.JSONField()
    row_count = models.BigIntegerField()
    bytes = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    emptied_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"undo of {self.request_id}"


class UndoChunk(models.Model):
    """Some of the rows: `[[before, after], …]`, each a list of texts in the order of the log's columns, or None."""

    log = models.ForeignKey(UndoLog, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    content = SealedJSONField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(name="one_chunk_a_number", fields=["log", "number"])]

    def __str__(self) -> str:
        return f"chunk {self.number} of {self.log_id}"
