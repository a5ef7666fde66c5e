"""People and groups: adding them, and finding a principal by name."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from identity.errors import IdentityError
from identity.models import Agent, User
from identity.signals import announced, identity_changed

LONGEST_GROUP = 150


def groups_named(names: Iterable[str]) -> list[Group]:
    """The groups of these names, made where they do not exist yet. Raises `IdentityError`."""
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if not name.strip() or len(name) > LONGEST_GROUP or not name.isprintable():
            raise IdentityError(
                f"{name[:40]!r} cannot be the name of a group: at most {LONGEST_GROUP} characters, and not blank."
            )
    return [Group.objects.get_or_create(name=name)[0] for name in wanted]


def find_user(name: str) -> User:
    """Raises `IdentityError` that names the people there are, so that a typing error is seen at once."""
    user = User.objects.filter(username=name).first()
    if user is None:
        known = ", ".join(User.objects.values_list("username", flat=True)[:20]) or "nobody yet"
        raise IdentityError(f"There is no user named {name!r}. Known: {known}.")
    return user


@transaction.atomic
def add_user(
    username: str, password: str, groups: Iterable[str] = (), *, is_administrator: bool = False, actor: str
) -> User:
    if Agent.objects.filter(name=username).exists() or User.objects.filter(username=username).exists():
        raise IdentityError(f"The name {username!r} is taken: users and agents share one set of names.")
    user = User(username=username, is_superuser=is_administrator)
    try:
        user.clean_fields(exclude=["password"])
        validate_password(password, user)
    except ValidationError as error:
        raise IdentityError(f"User {username!r} cannot be added: {' '.join(error.messages)}") from error
    user.set_password(password)
    with announced():
        user.save()
        user.groups.set(groups_named(groups))
    identity_changed.send(
        User,
        kind="user.added",
        fields={"actor": actor, "user": username, "groups": sorted(groups), "is_administrator": is_administrator},
    )
    return user
