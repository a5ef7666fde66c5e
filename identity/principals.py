"""The principal as a value: what a door knows about who acts, free of the database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from identity.models import Agent, User


class PrincipalKind(StrEnum):
    USER = "user"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Principal:
    """`id` is the row's key in its own table; `owner` is the owning user's name for an agent, the own name for a user.

    `grants` are the elevations that `groups` owes something to: empty, except while a statement is decided and run.
    """

    kind: PrincipalKind
    id: int
    name: str
    owner_id: int
    owner: str
    groups: frozenset[str]
    is_administrator: bool = False
    credential_id: uuid.UUID | None = None
    grants: tuple[uuid.UUID, ...] = ()

    @property
    def label(self) -> str:
        """`user:rita` or `agent:analyst-bot`: how the ledger and policies name this principal."""
        return f"{self.kind}:{self.name}"

    @property
    def is_person(self) -> bool:
        return self.kind is PrincipalKind.USER

    @property
    def is_authenticated(self) -> bool:
        """What REST's permission classes ask of `request.user`. A principal exists only once it has been authenticated."""
        return True


def principal_of_user(user: User, credential_id: uuid.UUID | None = None) -> Principal:
    return Principal(
        kind=PrincipalKind.USER,
        id=user.pk,
        name=user.username,
        owner_id=user.pk,
        owner=user.username,
        groups=frozenset(user.groups.values_list("name", flat=True)),
        is_administrator=user.is_superuser,
        credential_id=credential_id,
    )


def principal_of_agent(agent: Agent, credential_id: uuid.UUID | None = None) -> Principal:
    return Principal(
        kind=PrincipalKind.AGENT,
        id=agent.pk,
        name=agent.name,
        owner_id=agent.owner_id,
        owner=agent.owner.username,
        groups=frozenset(agent.groups.values_list("name", flat=True)),
        credential_id=credential_id,
    )
