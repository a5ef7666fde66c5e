"""Signed-in clients for the cast, on a real governed shop."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from approvals.models import Request
from gateway.models import Query
from gateway.pipeline import submit
from identity.models import Agent, User
from tests.factories import Cast, make_user
from tests.gateway.conftest import cast as cast
from tests.gateway.conftest import shop as shop

SignIn = Callable[[User], Client]
Park = Callable[..., Request]
Run = Callable[..., Query]


@pytest.fixture
def sign_in() -> SignIn:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def root(cast: Cast) -> User:
    return make_user("root", is_administrator=True)


@pytest.fixture
def park(cast: Cast) -> Park:
    """A statement that waits for review, as the pipeline leaves it."""

    def parked(sql: str = "DELETE FROM orders", who: User | Agent | None = None, purpose: str = "clean up") -> Request:
        request = submit(cast.submission(sql, who, purpose=purpose)).query.request
        assert request is not None
        return request

    return parked


@pytest.fixture
def run(cast: Cast) -> Run:
    """A statement that has run."""

    def ran(sql: str = "SELECT id, email FROM customers ORDER BY id", who: User | Agent | None = None) -> Query:
        return submit(cast.submission(sql, who)).query

    return ran
