"""What makes the log verifiable from outside: tiles, checkpoints, the keys that sign them, and who keeps copies."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Tile(models.Model):
    """A full tile of C2SP tlog-tiles: 256 hashes of 32 bytes. `root` is the hash of the tree over them, which is the
    entry for this tile one level up. Append-only."""

    pk = models.CompositePrimaryKey("level", "number")
    level = models.SmallIntegerField()
    number = models.BigIntegerField()
    hashes = models.BinaryField()
    root = models.BinaryField()

    def __str__(self) -> str:
        return f"tile {self.level}/{self.number}"


class LogKey(models.Model):
    """An Ed25519 key of this log; `name` is the key name of signed notes. One is in use; retired ones stay published."""

    id = models.CharField(max_length=8, primary_key=True)  # the signed note's key id, in hex
    name = models.TextField()
    public = models.BinaryField()
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name}+{self.id}"


class Checkpoint(models.Model):
    """A signed head: there is never more than one of a size. Append-only but for cosignatures, which only grow."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    cosignatures = ArrayField(models.TextField(), default=list)
    time = models.DateTimeField()

    class Meta:
        ordering = ["size"]

    def __str__(self) -> str:
        return f"checkpoint at {self.size}"


class Witness(models.Model):
    """A place outside that new checkpoints are given to. `address` is what the kind needs: a directory, an S3 address,
    the URL of a tlog-witness; `verifier_key` (signed-note form) is set where the place cosigns."""

    KINDS = [("directory", "Directory"), ("s3", "S3-compatible store"), ("tlog-witness", "tlog-witness")]

    name = models.CharField(max_length=63, primary_key=True)
    kind = models.CharField(max_length=20, choices=KINDS)
    address = models.TextField()
    sealed = models.BinaryField(null=True)  # credentials, where the place needs any
    verifier_key = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    size = models.BigIntegerField(default=0)  # of the newest checkpoint that the place has taken
    succeeded_at = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    problem = models.TextField(blank=True)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Archive(models.Model):
    """Entries from `first` to before `end`, moved out of the database. `entry` is the index of the entry that says so."""

    first = models.BigIntegerField(primary_key=True)
    end = models.BigIntegerField()
    address = models.TextField()
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    since = models.DateTimeField()  # time of its first entry
    until = models.DateTimeField()  # time of its last entry
    entry = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["first"]

    def __str__(self) -> str:
        return f"archive of {self.first} to {self.end}"
