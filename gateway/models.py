"""Queries: one statement asked for by one principal through one door, and the results that wait to be fetched."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.models import Grant, Request
from governance.models import DataSource
from identity.fields import SealedJSONField, SealedTextField
from identity.models import Agent


class Door(models.TextChoices):
    REST = "rest", "REST"
    MCP = "mcp", "MCP"
    WIRE = "wire", "PostgreSQL wire"
    WEB = "web", "browser"


class QueryState(models.TextChoices):
    """`received` and `running` and `parked` are on the way; the others are ends."""

    RECEIVED = "received", "received"
    RUNNING = "running", "running"
    PARKED = "parked", "parked"
    EXECUTED = "executed", "executed"
    FAILED = "failed", "failed"
    DENIED = "denied", "denied"
    REJECTED = "rejected", "rejected"
    WITHDRAWN = "withdrawn", "withdrawn"
    EXPIRED = "expired", "expired"
    DRIFTED = "drifted", "drifted"
    CANCELLED = "cancelled", "cancelled"
    UNKNOWN = "unknown", "unknown"


END_STATES = frozenset(set(QueryState) - {QueryState.RECEIVED, QueryState.RUNNING, QueryState.PARKED})


class Query(models.Model):
    """`requester` is the principal's label; exactly one of `user` and `agent` is set, and only that principal, the agent's
    owner and reviewers of its request may read it. `problem` is the RFC 9457 document when it failed or was denied.
    `xid` is a write's transaction id in the governed database, durable before its COMMIT; `grant` the one that it ran under.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requester = models.CharField(max_length=160)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="queries"
    )
    agent = models.ForeignKey(Agent, null=True, blank=True, on_delete=models.PROTECT, related_name="queries")
    credential = models.UUIDField(null=True, blank=True)
    datasource = models.ForeignKey(DataSource, on_delete=models.PROTECT, related_name="queries")
    door = models.CharField(max_length=4, choices=Door.choices)
    sql = SealedTextField()
    params = SealedJSONField()
    normal = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=32, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    purpose = models.TextField(blank=True)
    on_behalf_of = models.CharField(max_length=200, blank=True)
    run = models.CharField(max_length=200, blank=True)
    step = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True)
    traceparent = models.CharField(max_length=55, blank=True)
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 NULL: many queries without
    idempotency_digest = models.CharField(max_length=64, blank=True)
    max_rows = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=QueryState.choices, default=QueryState.RECEIVED)
    verdict = models.CharField(max_length=6, blank=True)
    risk = models.PositiveSmallIntegerField(null=True, blank=True)
    facts = models.JSONField(null=True, blank=True)
    decision = models.JSONField(null=True, blank=True)
    xid = models.CharField(max_length=32, blank=True)
    grant = models.ForeignKey(Grant, null=True, blank=True, on_delete=models.PROTECT, related_name="queries")
    request = models.OneToOneField(Request, null=True, blank=True, on_delete=models.PROTECT, related_name="query")
    problem = models.JSONField(null=True, blank=True)
    row_count = models.BigIntegerField(null=True, blank=True)
    duration_ms = models.FloatField(null=True, blank=True)
    ledger_index = models.BigIntegerField(null=True, blank=True)
    ledger_leaf = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "queries"
        indexes = [
            models.Index(name="query_by_agent", fields=["agent", "-created_at"]),
            models.Index(name="query_by_user", fields=["user", "-created_at"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="query_has_one_principal",
                condition=Q(user__isnull=False, agent__isnull=True) | Q(user__isnull=True, agent__isnull=False),
            ),
            models.UniqueConstraint(
                name="idempotency_key_a_principal",
                fields=["requester", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"query {self.id}"


class Result(models.Model):
    """The rows of an executed query, masked as they left the database, sealed, kept until `expires_at`.

    `content` is `{"columns": [{"name", "type", "masked"}], "rows": [[…]], "truncated": bool}`.
    """

    query = models.OneToOneField(Query, primary_key=True, on_delete=models.CASCADE, related_name="result")
    content = SealedJSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"result of {self.query_id}"
