"""Agents: software that acts, owned by exactly one person."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction

from identity.errors import IdentityError
from identity.models import Agent, User
from identity.people import groups_named
from identity.revocations import announce_end
from identity.signals import announced, identity_changed


@transaction.atomic
def add_agent(name: str, owner: User, groups: Iterable[str], description: str = "", *, actor: str) -> Agent:
    """Raises `IdentityError` when the name is taken (users and agents share one set of names) or not well formed."""
    if User.objects.filter(username=name).exists() or Agent.objects.filter(name=name).exists():
        raise IdentityError(f"The name {name!r} is taken: users and agents share one set of names.")
    if not owner.is_active:
        raise IdentityError(f"{owner.username} is not active and cannot own an agent.")
    agent = Agent(name=name, owner=owner, description=description)
    try:
        agent.clean_fields()
    except ValidationError as error:
        raise IdentityError(f"Agent {name!r} cannot be added: {' '.join(error.messages)}") from error
    with announced():
        agent.save()
        agent.groups.set(groups_named(groups))
    identity_changed.send(
        Agent,
        kind="agent.added",
        fields={"actor": actor, "agent": name, "owner": owner.username, "groups": sorted(groups)},
    )
    return agent


def find_agent(name: str) -> Agent:
    agent = Agent.objects.select_related("owner").filter(name=name).first()
    if agent is None:
        known = ", ".join(Agent.objects.values_list("name", flat=True)[:20]) or "none yet"
        raise IdentityError(f"There is no agent named {name!r}. Known: {known}.")
    return agent


def deactivate(agent: Agent, *, actor: str) -> None:
    """Ends the agent: its credentials stop working and what it has running is broken off (P8)."""
    with transaction.atomic():
        Agent.objects.filter(pk=agent.pk).update(is_active=False)
        identity_changed.send(
            Agent, kind="agent.changed", fields={"actor": actor, "agent": agent.name, "is_active": False}
        )
        transaction.on_commit(lambda: announce_end("agent", agent.pk))
