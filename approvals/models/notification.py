"""What people and other systems are told, and whether it reached them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from approvals.models.grants import Grant
from approvals.models.requests import Request
from identity.fields import SealedTextField


class Webhook(models.Model):
    """An address that is told by signed POST. `groups` empty: of everything, else of what waits for these groups."""

    class Format(models.TextChoices):
        JSON = "json", "JSON"
        SLACK = "slack", "Slack"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=63, unique=True)
    address = SealedTextField()
    secret = SealedTextField()
    format = models.CharField(max_length=5, choices=Format.choices, default=Format.JSON)
    events = models.JSONField(default=list, blank=True)
    groups = models.JSONField(default=list, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # Set while it fails: since when, how often, and what was said last.
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class NotificationPreference(models.Model):
    """How one person wants to be told. `muted` are the events of which they are not told at all."""

    class Email(models.TextChoices):
        EACH = "each", "an e-mail for each"
        DIGEST = "digest", "one e-mail a day"
        OFF = "off", "no e-mail"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="notification_preference"
    )
    email = models.CharField(max_length=6, choices=Email.choices, default=Email.EACH)
    muted = models.JSONField(default=list, blank=True)
    digest_hour = models.PositiveSmallIntegerField(default=8, validators=[MaxValueValidator(23)])
    time_zone = models.CharField(max_length=64, default="UTC")
    digested_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"preference of {self.user}"


class Notification(models.Model):
    """One thing to tell one person, or one webhook: written in the transaction of what it tells, delivered by a worker.

    `key` makes it unique: the same event is told once to each. `context` holds what the text needs besides the request; no
    statement text and no value goes into it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"
        DROPPED = "dropped", "not wanted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=200, unique=True)
    event = models.CharField(max_length=40)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="notifications"
    )
    webhook = models.ForeignKey(Webhook, null=True, blank=True, on_delete=models.CASCADE, related_name="notifications")
    request = models.ForeignKey(Request, null=True, blank=True, on_delete=models.CASCADE, related_name="notifications")
    grant = models.ForeignKey(Grant, null=True, blank=True, on_delete=models.CASCADE, related_name="notifications")
    context = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    in_digest = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(name="notification_waiting", fields=["next_at"], condition=Q(state="waiting"))]
        constraints = [
            models.CheckConstraint(
                name="notification_has_one_recipient",
                condition=Q(user__isnull=False, webhook__isnull=True) | Q(user__isnull=True, webhook__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.user or self.webhook}"
