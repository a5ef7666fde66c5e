"""What leaves the ledger: exports that people ask for, and forwarders that send every entry on."""

from __future__ import annotations

import uuid

from django.db import models

from identity.fields import SealedJSONField


class Export(models.Model):
    """One export. The range is fixed when it is asked for, so that it can be made again from where it stopped."""

    FORMATS = ["csv", "ndjson", "parquet", "ocsf", "pdf", "bundle"]
    STATES = ["queued", "running", "done", "failed", "cancelled", "expired"]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requester = models.TextField()  # principal label
    format = models.CharField(max_length=10, choices=[(name, name) for name in FORMATS])
    report = models.CharField(max_length=40, blank=True)  # which report, where the format is pdf
    filter = models.JSONField(default=dict)
    first = models.BigIntegerField()
    end = models.BigIntegerField()
    most_rows = models.BigIntegerField(null=True)
    policies = models.JSONField(default=list)  # that allowed it
    state = models.CharField(max_length=10, choices=[(name, name) for name in STATES], default="queued")
    next = models.BigIntegerField()  # first index that is not in the file yet
    rows = models.BigIntegerField(default=0)
    progress = models.JSONField(default=dict)  # what making it again from `next` needs
    beat_at = models.DateTimeField(null=True)  # last sign of life of the task that makes it
    file = models.TextField(blank=True)
    bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    problem = models.TextField(blank=True)
    entry = models.BigIntegerField(null=True)  # index of the entry that recorded that it was asked for
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["requester", "-created_at"], name="export_by_requester")]

    def __str__(self) -> str:
        return f"{self.format} export {self.id}"


class Forwarder(models.Model):
    """Sends entries on, in order. `next` is the first index that the receiver has not confirmed."""

    KINDS = [("syslog", "Syslog over TLS"), ("webhook", "Webhook"), ("file", "File")]

    name = models.CharField(max_length=63, primary_key=True)
    kind = models.CharField(max_length=10, choices=KINDS)
    address = models.TextField()
    config = SealedJSONField(default=dict)  # secrets and certificates
    is_active = models.BooleanField(default=True)
    next = models.BigIntegerField(default=0)
    sending = models.BigIntegerField(null=True)  # end of the batch that was on its way when this was written
    delivered_at = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    problem = models.TextField(blank=True)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
