"""The REST API as an agent and as a person calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from identity.models import Agent, User
from tests.factories import Cast
from tests.gateway.conftest import cast, shop

__all__ = ["cast", "shop"]


@dataclass
class Caller:
    """One principal with its token."""

    token: str
    datasource: str

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return Client().post(f"/api/v1/{path}", body, "application/json", headers=self._headers(headers))

    def get(self, path: str, **headers: str) -> Any:
        return Client().get(f"/api/v1/{path}", headers=self._headers(headers))

    def submit(self, sql: str, **more: Any) -> Any:
        key = more.pop("key", None)
        headers = {"Idempotency-Key": key} if key else {}
        return self.post("queries", {"datasource": self.datasource, "sql": sql, **more}, **headers)

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **more}


@pytest.fixture
def call(cast: Cast) -> Any:
    """`call(who)` gives that principal's caller; without one, the bot's."""

    def caller(who: User | Agent | None = None) -> Caller:
        return Caller(cast.token(who or cast.bot), cast.datasource.name)

    return caller


@pytest.fixture
def bot(call: Any) -> Caller:
    caller: Caller = call()
    return caller
