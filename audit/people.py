"""Records changes of people, agents and groups that no service has announced: found where their rows are saved.

The entry comes first: a change that cannot be recorded is not saved. What goes past Django's models (SQL of one's own,
`QuerySet.update`) is not seen here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection, models
from django.db.models.signals import m2m_changed, pre_delete, pre_save

from audit import ledger
from audit.events import clean_text
from identity.models import Agent, User
from identity.signals import is_announced, who_acts

# By the names that entries use.
WATCHED = {
    User: {
        "name": "username",
        "email": "email",
        "password": "password",
        "active": "is_active",
        "administrator": "is_superuser",
    },
    Agent: {"name": "name", "owner": "owner_id", "active": "is_active"},
}
MEMBERSHIPS = {"pre_add": "added to", "pre_remove": "removed from", "pre_clear": "removed from"}


def connect() -> None:
    for model in (User, Agent):
        pre_save.connect(record_saved, sender=model, dispatch_uid=f"audit.saved.{model.__name__}")
        pre_delete.connect(record_removed, sender=model, dispatch_uid=f"audit.removed.{model.__name__}")
        through = model._meta.get_field("groups").remote_field.through
        m2m_changed.connect(record_membership, sender=through, dispatch_uid=f"audit.groups.{model.__name__}")
    pre_save.connect(record_renamed_group, sender=Group, dispatch_uid="audit.group_renamed")
    pre_delete.connect(record_removed_group, sender=Group, dispatch_uid="audit.group_removed")


def record_saved(*, instance: User | Agent, update_fields: Iterable[str] | None = None, **_signal: Any) -> None:
    if is_announced():
        return
    if instance._state.adding:
        _record(instance, "added", **_standing(instance))
        return
    watched = WATCHED[type(instance)]
    saved = watched.values() if update_fields is None else set(update_fields).intersection(watched.values())
    if saved and (changes := _differences(instance, set(saved))):
        _record(instance, "changed", changes=changes, **_standing(instance))


def _differences(instance: User | Agent, saved: set[str]) -> list[str]:
    before = type(instance)._base_manager.filter(pk=instance.pk).values(*saved).first() or {}
    changed = [name for name, field in WATCHED[type(instance)].items() if field in saved]
    changed = [
        name for name in changed if before.get(_field(instance, name)) != getattr(instance, _field(instance, name))
    ]
    # Signing in renews an old hash of the same password.
    renewed = "password" in changed and getattr(instance, "_password", None) is None
    return [f"{name} (hash)" if renewed and name == "password" else name for name in changed]


def _field(instance: User | Agent, name: str) -> str:
    return WATCHED[type(instance)][name]


def _standing(instance: User | Agent) -> dict[str, Any]:
    standing: dict[str, Any] = {"is_active": instance.is_active}
    if isinstance(instance, User):
        standing["is_administrator"] = instance.is_superuser
    else:
        standing["owner"] = instance.owner.username
    return standing


def record_removed(*, instance: User | Agent, **_signal: Any) -> None:
    _record(instance, "removed")


def record_membership(
    *,
    instance: User | Agent | Group,
    action: str,
    reverse: bool,
    model: type[models.Model],
    pk_set: set[Any] | None,
    **_signal: Any,
) -> None:
    """Django tells of either side: groups of one person or agent, or those of one group (`reverse`)."""
    if is_announced() or action not in MEMBERSHIPS or pk_set == set():
        return
    for member, groups in _memberships(instance, model, reverse, pk_set):
        changes = [clean_text(f"{MEMBERSHIPS[action]} group {name}") for name in groups]
        if changes:
            _record(member, "changed", changes=changes)


def _memberships(
    instance: Any, model: type[models.Model], reverse: bool, pk_set: set[Any] | None
) -> Iterable[tuple[User | Agent, list[str]]]:
    if not reverse:
        groups = instance.groups.all() if pk_set is None else Group.objects.filter(pk__in=pk_set)
        return [(instance, sorted(groups.values_list("name", flat=True)))]
    members = model._base_manager.all()
    members = members.filter(groups=instance) if pk_set is None else members.filter(pk__in=pk_set)
    return [(member, [instance.name]) for member in members]  # type: ignore[misc]


def record_renamed_group(*, instance: Group, **_signal: Any) -> None:
    before = None if instance._state.adding else Group.objects.filter(pk=instance.pk).first()
    if before is not None and before.name != instance.name:
        _append("group.changed", name=instance.name, previous=before.name, changes=["name"])


def record_removed_group(*, instance: Group, **_signal: Any) -> None:
    _append("group.changed", name=instance.name, changes=["removed"])


def _record(member: User | Agent, what: str, **fields: Any) -> None:
    kind = "user" if isinstance(member, User) else "agent"
    name = member.username if isinstance(member, User) else member.name
    _append(f"{kind}.{what}", **{kind: clean_text(name)}, **fields)


def _append(kind: str, **fields: Any) -> None:
    write = ledger.append_within if connection.in_atomic_block else ledger.append
    write(kind, actor=who_acts(), **fields)
