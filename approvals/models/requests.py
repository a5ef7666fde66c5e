"""Requests that wait for people, and what people said."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.fields.json import KeyTextTransform

from approvals.states import State
from governance.models import DataSource
from identity.fields import SealedJSONField, SealedTextField
from identity.models import Agent


class Request(models.Model):
    """What waits for people: a statement, an elevation, or a look at what was done with broken glass. It knows no door: only
    the statement, its digest and who asked.

    `owner` is the person who may never review it: the requester, or the owner of the agent that asked (P5).
    `attempt` counts executions; a worker that lost its attempt can no longer commit. `xid` is the transaction id in the
    governed database, durable before COMMIT. `decision`, `facts` and `required` are as decided when it was parked.

    `revision` counts edits: reviews of an earlier one are void. `required` is a list of `{group, quorum, stage,
    escalate_to, escalate_after}`, `terms` what else policy demands (`governance.policy.decision.Terms`, as JSON).
    `stage` is the one whose turn it is; entries of `required` gain `escalated: true` once others may stand in for the group.
    `run_at` is the moment asked for, `not_before` the one that it may run at, windows considered, set when it is approved.
    `row_bound` is how many rows it may change at most (None: not known yet, or it changes none), `row_floor` how many at
    least. `carrier` says who runs it once it is approved: a worker, or the session that asked. `follows` is the request
    that drifted and that this one asks for again, `reverts` the one whose effect this one takes back; `drift` lists what
    was no longer as approved. `bound` is what the digest was made of besides the statement, taken apart, and the sizes of
    what it writes: with it a difference can be named (gateway/drifting.py). `asked` holds what an elevation asks for:
    `{group, seconds}`.
    """

    class Kind(models.TextChoices):
        STATEMENT = "statement", "statement"
        ELEVATION = "elevation", "elevation"
        AFTERWARDS = "afterwards", "review afterwards"

    class Carrier(models.TextChoices):
        WORKER = "worker", "worker"
        CALLER = "caller", "the session that asked"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.STATEMENT)
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
    terms = models.JSONField(default=dict, blank=True)
    asked = models.JSONField(default=dict, blank=True)
    bound = models.JSONField(default=dict, blank=True)
    revision = models.PositiveIntegerField(default=1)
    stage = models.PositiveSmallIntegerField(default=1)
    carrier = models.CharField(max_length=6, choices=Carrier.choices, default=Carrier.WORKER)
    outside_transaction = models.BooleanField(default=False)
    row_bound = models.BigIntegerField(null=True, blank=True)
    row_floor = models.BigIntegerField(null=True, blank=True)
    run_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    follows = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="followed_by")
    reverts = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="reverted_by")
    grant = models.ForeignKey(
        "Grant", null=True, blank=True, on_delete=models.PROTECT, related_name="reviews_afterwards"
    )
    drift = models.JSONField(default=list, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
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
        indexes = [
            models.Index(name="request_by_state", fields=["state", "-created_at"]),
            models.Index(name="request_by_requester", fields=["requester", "-created_at"]),
            models.Index(name="request_by_owner", fields=["owner", "-created_at"]),
            # One for each order of the lists (approvals/paging.py), and the few that wait.
            models.Index(name="request_newest", fields=["-created_at", "-id"]),
            models.Index(name="request_riskiest", fields=["-risk", "expires_at", "id"]),
            models.Index(name="request_expiring", fields=["expires_at", "id"]),
            models.Index(name="request_waiting", fields=["expires_at", "id"], condition=models.Q(state="pending")),
            models.Index(
                KeyTextTransform("fingerprint", "facts"), models.F("created_at").desc(), name="request_by_fingerprint"
            ),
        ]

    def __str__(self) -> str:
        return f"request {self.id}"


class Verdict(models.TextChoices):
    APPROVE = "approve", "approve"
    REJECT = "reject", "reject"


class Revision(models.Model):
    """The statement as it was asked for at one time, and as reviewers of that time saw it. Revision 1 is the first."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    sql = SealedTextField()
    params = SealedJSONField()
    normal = models.TextField()
    digest = models.CharField(max_length=64)
    by = models.CharField(max_length=160)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(name="one_revision_a_number", fields=["request", "number"])]

    def __str__(self) -> str:
        return f"revision {self.number} of {self.request_id}"


class Review(models.Model):
    """One person's verdict on one revision of a request.

    `stage`: the one whose turn it was; an approval fills no seat of a later one. `delegated_by`: the absent person for whom
    the reviewer spoke. `second_factor_at`: when the reviewer last showed a
    second factor. `row_bound` and `grant` (`{runs, seconds}`) are what the reviewer was willing to give; what counts is the
    narrowest that all who approved gave.
    """

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="reviews")
    revision = models.PositiveIntegerField(default=1)
    stage = models.PositiveSmallIntegerField(default=1)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews")
    delegated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="delegated_reviews"
    )
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    comment = models.TextField(blank=True)
    row_bound = models.BigIntegerField(null=True, blank=True)
    grant = models.JSONField(null=True, blank=True)
    second_factor_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(name="one_review_a_person", fields=["request", "revision", "reviewer"])]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.reviewer}"
