"""The cast: ada owns the agent, rita and dora review (group dba), olaf audits, root administers, carl is a stranger."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from approvals.models import Request
from gateway.models import Query
from governance.models import DataSource
from identity.models import Agent, User

PASSWORD = "a long enough password"
GROUPS = {"rita": ["dba"], "dora": ["dba"], "olaf": ["auditors"]}


@pytest.fixture
def cast(control_db: str) -> dict[str, User]:
    people = {}
    for name in ("ada", "rita", "dora", "olaf", "root", "carl"):
        person = User(username=name, is_superuser=name == "root")
        person.set_password(PASSWORD)
        person.save()
        person.groups.set([Group.objects.get_or_create(name=group)[0] for group in GROUPS.get(name, [])])
        people[name] = person
    return people


@pytest.fixture
def agent(cast: dict[str, User]) -> Agent:
    return Agent.objects.create(name="analyst-bot", owner=cast["ada"])


@pytest.fixture
def shop(control_db: str) -> DataSource:
    """A data source that nothing connects to: pages only show it."""
    return DataSource.objects.create(
        name="shop", engine="postgres", environment="prod", dsn="postgresql://u:secret@127.0.0.1:1/shop", address="127.0.0.1:1/shop"
    )


SignIn = Callable[[str], Client]


@pytest.fixture
def sign_in(cast: dict[str, User]) -> SignIn:
    """A client with a session of that person; enforces CSRF tokens like a browser would meet them."""

    def signed_in(name: str) -> Client:
        client = Client()
        client.force_login(cast[name])
        return client

    return signed_in


FACTS: dict[str, Any] = {
    "kinds": ["write"],
    "relations": [{"schema": "public", "name": "orders", "use": "delete"}],
    "functions": [],
    "hazards": [{"code": "delete-without-where", "message": "A DELETE without WHERE empties the table.", "place": 0}],
    "unknown": [],
    "by_key": False,
    "normal": "DELETE FROM orders",
}
DECISION: dict[str, Any] = {
    "verdict": "review",
    "risk": 72,
    "risk_parts": [{"points": 40, "reason": "deletes without WHERE"}, {"points": 32, "reason": "production"}],
    "policies": ["mass-writes"],
    "message": "Mass writes need a reviewer.",
    "remedy": "Add a WHERE on the primary key.",
    "required": [{"group": "dba", "quorum": 1}],
    "masks": [],
}

MakeRequest = Callable[..., Request]


@pytest.fixture
def make_request(agent: Agent, shop: DataSource) -> MakeRequest:
    """A parked statement with its query, as the pipeline leaves them."""

    def made(sql: str = "DELETE FROM orders", *, quorum: int = 1, **changes: Any) -> Request:
        required = [{"group": "dba", "quorum": quorum}]
        values: dict[str, Any] = {
            "requester": "agent:analyst-bot", "agent": agent, "owner": agent.owner, "datasource": shop, "sql": sql,
            "params": [], "normal": sql, "digest": uuid.uuid4().hex * 2, "purpose": "clean up", "risk": 72,
            "risk_parts": DECISION["risk_parts"], "facts": FACTS, "decision": DECISION | {"required": required},
            "required": required, "expires_at": timezone.now() + timedelta(hours=4),
        }  # fmt: skip
        request = Request.objects.create(**values | changes)
        make_query(agent, shop, sql, request=request, state="parked")
        return request

    return made


def make_query(agent: Agent, shop: DataSource, sql: str = "SELECT 1", **changes: Any) -> Query:
    values: dict[str, Any] = {
        "requester": "agent:analyst-bot", "agent": agent, "datasource": shop, "door": "rest", "sql": sql, "params": [],
        "normal": sql, "purpose": "clean up", "verdict": "review", "risk": 72, "facts": FACTS, "decision": DECISION,
    }  # fmt: skip
    return Query.objects.create(**values | changes)
