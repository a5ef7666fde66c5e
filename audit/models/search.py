"""What entries are found by. Derived from the headers shortly after they are written (`audit/following.py`), never the
truth: verification compares it, and it can be made again from the log."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Q


def _found_by(column: str) -> models.Index:
    """Ordered by index within one value, as pages are; without the entries that do not have the column."""
    return models.Index(
        fields=[column, "index"], name=f"search_by_{column}", condition=Q(**{f"{column}__isnull": False})
    )


class SearchText(models.Model):
    """A normalised statement, by its hashtextextended(text, 0). Many entries share few of them, so a search for text
    reads this table and no entry."""

    id = models.BigIntegerField(primary_key=True)
    text = models.TextField()

    def __str__(self) -> str:
        return self.text


class SearchEntry(models.Model):
    """The columns of one entry. Each repeats a field of its header."""

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
    on_behalf_of = models.TextField(null=True)  # noqa: DJ001
    actor = models.TextField(null=True)  # noqa: DJ001
    status = models.TextField(null=True)  # noqa: DJ001
    text = models.BigIntegerField(null=True)  # SearchText.id

    class Meta:
        ordering = ["index"]
        indexes = [
            models.Index(fields=["time", "index"], name="search_by_time"),
            *map(
                _found_by,
                ("kind", "principal", "datasource", "verdict", "query", "request", "run", "fingerprint",
                 "on_behalf_of", "actor", "text"),
            ),
            models.Index(fields=["index"], name="search_by_high_risk", condition=Q(risk__gte=60)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"entry {self.index}: {self.kind}"


class SearchTerm(models.Model):
    """One value of a field that has many: a relation, a data class, a policy. `term` is PostgreSQL's
    hashtextextended('relation:public.orders', 0), so that postings are small; whoever searches compares the header."""

    pk = models.CompositePrimaryKey("term", "index")
    term = models.BigIntegerField()
    index = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["index"], name="search_term_by_index")]

    def __str__(self) -> str:
        return f"{self.term} in {self.index}"


class Follower(models.Model):
    """How far something that follows the log has come: `next` is the first index that it has not taken."""

    name = models.CharField(max_length=63, primary_key=True)
    next = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} at {self.next}"


class SavedSearch(models.Model):
    """A named search: `query` is the query string of the ledger page."""

    owner = models.ForeignKey(get_user_model(), on_delete=models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=80)
    query = models.TextField()
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="saved_search_has_one_name")]

    def __str__(self) -> str:
        return self.name
