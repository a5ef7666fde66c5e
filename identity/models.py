"""Who acts. Users and agents are principals; a credential is what either shows at a door."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser, Group
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

AGENT_NAME = RegexValidator(
    r"^[a-z0-9][a-z0-9._-]{0,62}\Z",
    "A name is 1 to 63 lower-case letters, digits, dots, dashes or underscores, and starts with a letter or digit.",
)


class User(AbstractUser):
    """A person. `is_superuser` marks an administrator; promises P1 to P8 hold for administrators too."""

    class Meta(AbstractUser.Meta):
        ordering = ["username"]

    def __str__(self) -> str:
        return self.username


class Agent(models.Model):
    """Software that acts. It has exactly one owner, a person, who can never approve what it asks (P5)."""

    name = models.CharField(max_length=63, unique=True, validators=[AGENT_NAME])
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="agents")
    groups = models.ManyToManyField(Group, related_name="agents", blank=True)
    description = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Credential(models.Model):
    """A token of one principal: shown once, stored as SHA-256 (it has 256 random bits), found by its prefix."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="credentials")
    agent = models.ForeignKey(Agent, null=True, blank=True, on_delete=models.CASCADE, related_name="credentials")
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.BinaryField(max_length=32)
    issued_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="credential_has_one_principal",
                condition=Q(user__isnull=False, agent__isnull=True) | Q(user__isnull=True, agent__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"
