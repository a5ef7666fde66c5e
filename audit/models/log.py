"""The log itself. Nothing but `audit.batches` writes it; the database refuses every change of what is there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NoReturn

import orjson
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(models.Model):
    """One event. `header` is what is hashed. What entries are found by is in `SearchEntry`, written shortly after."""

    index = models.BigIntegerField(primary_key=True)
    time = models.DateTimeField()
    kind = models.TextField()
    header = models.BinaryField()
    leaf = models.BinaryField()

    class Meta:
        ordering = ["index"]
        constraints = [
            models.CheckConstraint(name="entry_index_not_negative", condition=Q(index__gte=0)),
        ]

    def __str__(self) -> str:
        return f"entry {self.index}: {self.kind}"

    def save(self, *_arguments: object, **_options: object) -> None:
        raise TypeError("entries are written by audit.ledger.append and append_within only")

    def delete(self, *_arguments: object, **_options: object) -> NoReturn:
        raise TypeError("entries are never deleted")

    @cached_property
    def fields(self) -> dict[str, Any]:
        """Everything that the header says, index, time and kind included."""
        return dict(orjson.loads(bytes(self.header)))


class Payload(models.Model):
    """The encrypted part of the entry of the same index. No foreign keys: verification finds what does not match.

    `key` is the `SubjectKey` that opens it; the header names it too, so that an erasure can be checked. Without one the
    payload is older than subjects' keys and opens with the installation's.
    """

    index = models.BigIntegerField(primary_key=True)
    key = models.UUIDField(null=True)
    nonce = models.BinaryField()
    ciphertext = models.BinaryField()

    def __str__(self) -> str:
        return f"payload of entry {self.index}"


class Head(models.Model):
    """How far the log goes: the one row whose lock orders all writers.

    `epoch` fences: a writer that lost its connection raises it, so that what it had under way cannot land any more.
    Entries below `first` were moved to archives; their leaf hashes are in the tiles.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField(default=0)
    frontier = models.BinaryField(default=b"")
    epoch = models.BigIntegerField(default=0)
    time = models.DateTimeField(default=BEGINNING)
    first = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="head_is_one_row", condition=Q(id=1)),
            models.CheckConstraint(name="head_first_within", condition=Q(first__gte=0, first__lte=models.F("size"))),
        ]

    def __str__(self) -> str:
        return f"head at {self.size}"


class SubjectKey(models.Model):
    """The key that one subject's payloads are sealed with. A subject is a principal label, or whoever it acts for.

    One key of a subject is in use at a time (`retired_at` is null). Erasing destroys `sealed`; the row stays and says when.
    """

    id = models.UUIDField(primary_key=True)
    subject = models.TextField()
    sealed = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], condition=Q(retired_at__isnull=True), name="subject_has_one_key_in_use"
            )
        ]
        indexes = [models.Index(fields=["subject"], name="subject_key_by_subject")]

    def __str__(self) -> str:
        return f"key {self.id} of {self.subject}"
