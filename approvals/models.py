"""Requests that wait for people, and what people said."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from approvals.states import State
from governance.models import DataSource
from identity.fields import SealedJSONField, SealedTextField
from identity.models import Agent


class Request(models.Model):
    """A statement that waits for people. It knows no door: only the statement, its digest and who asked.

    `owner` is the person who may never review it: the requester, or the owner of the agent that asked (P5).
    `attempt` counts executions; a worker that lost its attempt can no longer commit. `xid` is the transaction id in the
    governed database, durable before COMMIT. `decision`, `facts` and `required` are as decided when it was parked.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    datasource = models.ForeignKey(DataSource, on_delete=models.PROTECT, related_name="requests")
    requester = models.CharField(max_length=160)
    agent = models.ForeignKey(Agent, null=True, blank=True, on_delete=models.PROTECT, related_name="requests")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sql = SealedTextField()
    params = SealedJSONField()
    normal = models.TextField()
    digest = models.CharField(max_length=64)
    purpose = models.TextField(blank=True)
    on_behalf_of = models.CharField(max_length=200, blank=True)
    risk = models.PositiveSmallIntegerField()
    risk_parts = models.JSONField(default=list)
    facts = models.JSONField()
    decision = models.JSONField()
    required = models.JSONField()
    state = models.CharField(max_length=12, default=State.PENDING, choices=[(s.value, s.value) for s in State])
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    xid = models.CharField(max_length=32, blank=True)
    outcome = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(name="request_by_state", fields=["state", "-created_at"])]

    def __str__(self) -> str:
        return f"request {self.id}"


class Verdict(models.TextChoices):
    APPROVE = "approve", "approve"
    REJECT = "reject", "reject"


class Review(models.Model):
    """One person's verdict on a request. `group` is the group for which it counts."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(name="one_review_a_person", fields=["request", "reviewer"])]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.reviewer}"
