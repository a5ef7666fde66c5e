"""Standing, bounded permissions."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from governance.models import DataSource
from identity.models import Agent


class Grant(models.Model):
    """What a review gave besides one run, or what somebody took in an emergency. Bounded in time always.

    `statement`: the same fingerprint over the same relations, at most `max_uses` times. `elevation`: the principal counts as a
    member of `group` on the data source. `break_glass`: what policy would park runs at once, and people look at it
    afterwards. Exactly one of `user` and `agent` is set; `request` is the one that gave it (None: broken glass).
    """

    class Kind(models.TextChoices):
        STATEMENT = "statement", "statement"
        ELEVATION = "elevation", "elevation"
        BREAK_GLASS = "break_glass", "break glass"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=11, choices=Kind.choices)
    request = models.ForeignKey("Request", null=True, blank=True, on_delete=models.PROTECT, related_name="grants")
    principal = models.CharField(max_length=160)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="grants"
    )
    agent = models.ForeignKey(Agent, null=True, blank=True, on_delete=models.PROTECT, related_name="grants")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    datasource = models.ForeignKey(DataSource, on_delete=models.PROTECT, related_name="grants")
    fingerprint = models.CharField(max_length=32, blank=True)
    normal = models.TextField(blank=True)
    relations = models.JSONField(default=list, blank=True)
    shape = models.CharField(max_length=64, blank=True)
    required = models.JSONField(default=list, blank=True)
    group = models.CharField(max_length=150, blank=True)
    reason = models.TextField(blank=True)
    row_bound = models.BigIntegerField(null=True, blank=True)
    max_uses = models.PositiveIntegerField(null=True, blank=True)
    uses = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=160, blank=True)
    # When its end, by time or by use, was noted in the ledger; for broken glass, when the review afterwards was asked for.
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(name="grant_by_principal", fields=["principal", "datasource", "expires_at"])]
        constraints = [
            models.CheckConstraint(
                name="grant_has_one_principal",
                condition=Q(user__isnull=False, agent__isnull=True) | Q(user__isnull=True, agent__isnull=False),
            ),
            models.CheckConstraint(
                name="grant_not_overused", condition=Q(max_uses__isnull=True) | Q(uses__lte=F("max_uses"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} grant of {self.principal}"


class GrantUse(models.Model):
    """One run under a grant. `query` is the id of the query that used it; it may have used several, each once."""

    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="used")
    query = models.UUIDField(db_index=True)
    normal = models.TextField(blank=True)
    used_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-used_at"]
        constraints = [models.UniqueConstraint(name="a_query_uses_a_grant_once", fields=["grant", "query"])]

    def __str__(self) -> str:
        return f"use of {self.grant_id}"
