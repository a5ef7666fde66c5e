"""Searches that people keep. Everybody changes their own only; shared ones can be used by all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from audit.models import SavedSearch
from identity.models import User

MOST_SAVED = 100


class CannotSave(Exception):
    """The message says why, and what next."""


def searches_for(user: User) -> QuerySet[SavedSearch]:
    """The own ones, and what others share."""
    return SavedSearch.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner").order_by("name", "id")


def save_search(user: User, name: str, query: str, *, is_shared: bool) -> SavedSearch:
    """A name is taken once for each person; saving under it again would change what others may rely on."""
    if not query:
        raise CannotSave("There is nothing to save yet: set a filter first.")
    if SavedSearch.objects.filter(owner=user).count() >= MOST_SAVED:
        raise CannotSave(f"You keep {MOST_SAVED} searches already. Delete one first.")
    with _name_is_free(name):
        return SavedSearch.objects.create(owner=user, name=name, query=query, is_shared=is_shared)


def change_search(user: User, search_id: int, name: str, *, is_shared: bool) -> SavedSearch:
    """Raises `SavedSearch.DoesNotExist` for one of somebody else's."""
    saved = SavedSearch.objects.get(owner=user, pk=search_id)
    saved.name, saved.is_shared = name, is_shared
    with _name_is_free(name):
        saved.save(update_fields=["name", "is_shared"])
    return saved


def delete_search(user: User, search_id: int) -> str:
    saved = SavedSearch.objects.get(owner=user, pk=search_id)
    saved.delete()
    return saved.name


@contextmanager
def _name_is_free(name: str) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise CannotSave(f"You have a search called {name!r} already. Choose another name.") from error
