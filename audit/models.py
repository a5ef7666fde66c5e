"""The ledger's tables. Nothing but `audit.batches` writes them; the database refuses every change of what is there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def _found_by(column: str) -> models.Index:
    """Ordered by index within one value, as pages are; without the entries that do not have the column."""
    return models.Index(
        fields=[column, "index"], name=f"entry_by_{column}", condition=Q(**{f"{column}__isnull": False})
    )


class Entry(models.Model):
    """One event. `header` is what is hashed; the columns before it repeat what entries are found by."""

    index = models.BigIntegerField(primary_key=True)
    time = models.DateTimeField()
    kind = models.TextField()
    principal = models.TextField(null=True)  # noqa: DJ001  absent is not the empty string
    owner = models.TextField(null=True)  # noqa: DJ001
    door = models.TextField(null=True)  # noqa: DJ001
    datasource = models.TextField(null=True)  # noqa: DJ001
    environment = models.TextField(null=True)  # noqa: DJ001
    verdict = models.TextField(null=True)  # noqa: DJ001
    risk = models.SmallIntegerField(null=True)
    query = models.UUIDField(null=True)
    request = models.UUIDField(null=True)
    run = models.TextField(null=True)  # noqa: DJ001
    fingerprint = models.TextField(null=True)  # noqa: DJ001
    relations = ArrayField(models.TextField(), null=True)
    on_behalf_of = models.TextField(null=True)  # noqa: DJ001
    actor = models.TextField(null=True)  # noqa: DJ001
    header = models.BinaryField()
    leaf = models.BinaryField()

    class Meta:
        ordering = ["index"]
        constraints = [
            models.CheckConstraint(name="entry_index_not_negative", condition=Q(index__gte=0)),
        ]
        indexes = [
            models.Index(fields=["time", "index"], name="entry_by_time"),
            _found_by("principal"),
            _found_by("datasource"),
            _found_by("verdict"),
            _found_by("query"),
            _found_by("request"),
            _found_by("run"),
            _found_by("fingerprint"),
            GinIndex(fields=["relations"], name="entry_by_relation", condition=Q(relations__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"entry {self.index}: {self.kind}"

    def save(self, *_arguments: object, **_options: object) -> None:
        raise TypeError("entries are written by audit.ledger.append and append_within only")

    def delete(self, *_arguments: object, **_options: object) -> NoReturn:
        raise TypeError("entries are never deleted")


class Payload(models.Model):
    """The encrypted part of the entry of the same index. No foreign key: verification finds what does not match."""

    index = models.BigIntegerField(primary_key=True)
    nonce = models.BinaryField()
    ciphertext = models.BinaryField()

    def __str__(self) -> str:
        return f"payload of entry {self.index}"


class Head(models.Model):
    """How far the log goes: the one row whose lock orders all writers.

    `epoch` fences: a writer that lost its connection raises it, so that what it had under way cannot land any more.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField(default=0)
    frontier = models.BinaryField(default=b"")
    epoch = models.BigIntegerField(default=0)
    time = models.DateTimeField(default=BEGINNING)

    class Meta:
        constraints = [models.CheckConstraint(name="head_is_one_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return f"head at {self.size}"
