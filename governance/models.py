"""What is governed, how it is classified, and the policy sets that decide."""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from identity.fields import SealedTextField
from identity.models import User

DATA_SOURCE_NAME = RegexValidator(
    r"^[a-z0-9][a-z0-9_-]{0,62}\Z",
    "A name is 1 to 63 lower-case letters, digits, dashes or underscores, and starts with a letter or digit.",
)


class Environment(models.TextChoices):
    DEV = "dev", "development"
    STAGING = "staging", "staging"
    PROD = "prod", "production"


class DataSource(models.Model):
    """A governed database. `dsn` is sealed and never shown again; `address` (host:port/database) is what people see."""

    name = models.CharField(max_length=63, unique=True, validators=[DATA_SOURCE_NAME])
    engine = models.CharField(max_length=20)
    environment = models.CharField(max_length=10, choices=Environment.choices)
    dsn = SealedTextField()
    address = models.CharField(max_length=300)
    search_path = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    max_rows = models.PositiveIntegerField(default=10_000, validators=[MinValueValidator(1)])
    max_bytes = models.PositiveIntegerField(default=16_777_216, validators=[MinValueValidator(1024)])
    statement_timeout_ms = models.PositiveIntegerField(default=30_000, validators=[MinValueValidator(1)])
    lock_timeout_ms = models.PositiveIntegerField(default=3_000, validators=[MinValueValidator(1)])
    concurrency = models.PositiveIntegerField(default=10, validators=[MinValueValidator(1), MaxValueValidator(500)])

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CatalogueSnapshot(models.Model):
    """One version of a data source's catalogue (governance/catalogue/model.py as JSON). Never changed once written."""

    datasource = models.ForeignKey(DataSource, on_delete=models.CASCADE, related_name="catalogues")
    version = models.PositiveIntegerField()
    taken_at = models.DateTimeField(auto_now_add=True)
    digest = models.CharField(max_length=64)
    content = models.JSONField()

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(name="catalogue_version", fields=["datasource", "version"])]

    def __str__(self) -> str:
        return f"{self.datasource.name} v{self.version}"


class Classification(models.Model):
    """A class put on `schema.relation.column`, or on a JSON path in it (`path`, empty for the whole column)."""

    datasource = models.ForeignKey(DataSource, on_delete=models.CASCADE, related_name="classifications")
    schema = models.CharField(max_length=63)
    relation = models.CharField(max_length=63)
    column = models.CharField(max_length=63)
    path = models.CharField(max_length=300, blank=True)
    data_class = models.CharField(max_length=40)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["schema", "relation", "column", "path"]
        constraints = [
            models.UniqueConstraint(
                name="one_class_a_column", fields=["datasource", "schema", "relation", "column", "path"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.schema}.{self.relation}.{self.column}={self.data_class}"


class ClassScan(models.Model):
    """One run over the values of a data source. `touched_at` moves while it works: one that stands still has died."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting for a worker"
        RUNNING = "running", "running"
        FINISHED = "finished", "finished"
        FAILED = "failed", "failed"

    OPEN = (State.WAITING, State.RUNNING)

    datasource = models.ForeignKey(DataSource, on_delete=models.CASCADE, related_name="scans")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    started_by = models.CharField(max_length=160)
    started_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    proposed = models.PositiveIntegerField(default=0)
    # What could not be read, as [relation, reason].
    skipped = models.JSONField(default=list)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                name="one_scan_at_a_time", fields=["datasource"], condition=Q(state__in=["waiting", "running"])
            )
        ]

    def __str__(self) -> str:
        return f"scan {self.pk} of {self.datasource.name}"


class ClassProposal(models.Model):
    """A class that a scan proposes, and what people decided. It holds masked examples, never a value.

    `share`: percent of checked values that passed, null where there were none. `evidence` tells a later scan whether it has
    found something else.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "proposed"
        ACCEPTED = "accepted", "accepted"
        REJECTED = "rejected", "rejected"

    datasource = models.ForeignKey(DataSource, on_delete=models.CASCADE, related_name="proposals")
    schema = models.CharField(max_length=63)
    relation = models.CharField(max_length=63)
    column = models.CharField(max_length=63)
    path = models.CharField(max_length=300, blank=True)
    data_class = models.CharField(max_length=40)
    confidence = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=500)
    share = models.PositiveSmallIntegerField(null=True)
    examples = models.JSONField(default=list)
    evidence = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    # What people chose: the proposed class, or another one.
    chosen_class = models.CharField(max_length=40, blank=True)
    decided_by = models.CharField(max_length=160, blank=True)
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-confidence", "schema", "relation", "column", "path"]
        constraints = [
            models.UniqueConstraint(
                name="one_open_proposal_a_column",
                fields=["datasource", "schema", "relation", "column", "path"],
                condition=Q(state="proposed"),
            )
        ]
        indexes = [models.Index(name="proposals_by_state", fields=["datasource", "state", "-confidence"])]

    def __str__(self) -> str:
        return f"{self.target}={self.data_class}"

    @property
    def target(self) -> str:
        place = f"{self.schema}.{self.relation}.{self.column}"
        return f"{place}:{self.path}" if self.path else place


class PolicySet(models.Model):
    """A version of the policies, in Cedar. Exactly one is active; the text of a version never changes."""

    version = models.PositiveIntegerField(unique=True)
    text = models.TextField()
    author = models.CharField(max_length=150)
    comment = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    is_active = models.BooleanField(default=False)

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(name="one_active_policy_set", fields=["is_active"], condition=Q(is_active=True))
        ]

    def __str__(self) -> str:
        return f"policy set v{self.version}"


class PolicyProposal(models.Model):
    """A policy set that waits for people, because the active one demands a review of what replaces it.

    `author` is who may never review it; None when it came from the command line. `base` is the version that was active:
    once another is, the proposal is outdated. `required` is as decided when it was proposed.
    """

    class State(models.TextChoices):
        PENDING = "pending", "pending"
        ACTIVATED = "activated", "activated"
        REJECTED = "rejected", "rejected"
        WITHDRAWN = "withdrawn", "withdrawn"
        EXPIRED = "expired", "expired"
        OUTDATED = "outdated", "outdated"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    text = models.TextField()
    digest = models.CharField(max_length=64)
    author = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    author_name = models.CharField(max_length=160)
    comment = models.CharField(max_length=300, blank=True)
    base = models.PositiveIntegerField()
    required = models.JSONField()
    policies = models.JSONField()
    message = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(name="policy_proposals_by_state", fields=["state", "-created_at"])]

    def __str__(self) -> str:
        return f"policy proposal {self.id}"


class PolicyReview(models.Model):
    """One person's verdict on a proposed policy set."""

    class Verdict(models.TextChoices):
        APPROVE = "approve", "approve"
        REJECT = "reject", "reject"

    proposal = models.ForeignKey(PolicyProposal, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="policy_reviews")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(name="one_policy_review_a_person", fields=["proposal", "reviewer"])]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.reviewer}"
