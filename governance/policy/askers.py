"""As whom a statement is explained or replayed: principals by their label, as they are now."""

from __future__ import annotations

from typing import ClassVar

from governance.errors import GatewayError
from identity.models import Agent, User
from identity.principals import Principal, principal_of_agent, principal_of_user


class UnknownPrincipal(GatewayError):
    code: ClassVar[str] = "unknown-principal"
    title: ClassVar[str] = "No such principal"
    status: ClassVar[int] = 404


def principal_labelled(label: str) -> Principal:
    """`agent:ops-bot`, `user:rita`, or the bare name: users and agents share one set of names. Raises `UnknownPrincipal`."""
    kind, _, name = label.rpartition(":")
    if "\x00" not in name:
        agent = Agent.objects.select_related("owner").filter(name=name).first() if kind in ("", "agent") else None
        if agent is not None:
            return principal_of_agent(agent)
        user = User.objects.filter(username=name).first() if kind in ("", "user") else None
        if user is not None:
            return principal_of_user(user)
    raise UnknownPrincipal(f"There is no principal {label[:160]!r}.", remedy=f"There are {_known()}.")


def _known() -> str:
    agents = [f"agent:{name}" for name in Agent.objects.values_list("name", flat=True)[:10]]
    users = [f"user:{name}" for name in User.objects.values_list("username", flat=True)[:10]]
    return ", ".join([*agents, *users]) or "none yet"
