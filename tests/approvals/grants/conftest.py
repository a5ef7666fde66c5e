"""Grants of each kind, as reviews and people give them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from approvals import services
from approvals.grants import holding
from approvals.grants.services import break_glass, request_elevation
from approvals.models import Grant, Request
from gateway.pipeline import submit
from identity.models import Agent, User
from tests.factories import Cast, make_user
from tests.gateway.conftest import cast as cast
from tests.gateway.conftest import shop as shop

# Fifteen of the sixty orders.
DELETE = "DELETE FROM orders WHERE status = $1"
OPEN = ("open",)
RUNS = {"runs": 3, "seconds": 3600}
REASON = "the nightly clean-up failed and orders are stuck"

GiveStatement = Callable[..., Grant]


@pytest.fixture(autouse=True)
def _nobody_is_remembered(control_db: str, nobody_works: None) -> None:
    holding.forget()


@pytest.fixture
def root(cast: Cast) -> User:
    return make_user("root", is_administrator=True)


def parked(cast: Cast, sql: str = DELETE, who: User | Agent | None = None, **more: Any) -> Request:
    more.setdefault("params", OPEN if "$1" in sql else ())
    request = submit(cast.submission(sql, who, **more)).query.request
    assert request is not None
    return request


@pytest.fixture
def give(cast: Cast) -> GiveStatement:
    """A standing permission for a statement: rita approves, and gives `grant` and `row_bound` with it."""

    def given(
        sql: str = DELETE, who: User | Agent | None = None, *, grant: dict[str, int] | None = None,
        row_bound: int | None = 15, **more: Any,
    ) -> Grant:  # fmt: skip
        request = parked(cast, sql, who, **more)
        services.review(
            request.pk, cast.principal(cast.rita), "approve", "again, as often as needed",
            grant=RUNS if grant is None else grant, row_bound=row_bound,
        )  # fmt: skip
        return Grant.objects.get(request=request)

    return given


@pytest.fixture
def elevate(cast: Cast) -> GiveStatement:
    """An elevation to group dba, which rita agreed to."""

    def elevated(who: User | Agent | None = None, *, minutes: int = 30, group: str = "dba") -> Grant:
        principal = cast.principal(who or cast.bot)
        asked = request_elevation(principal, "shop", group, minutes=minutes, reason=REASON, door="rest").request
        assert asked is not None
        services.review(asked.pk, cast.principal(cast.rita), "approve", "for the clean-up")
        return Grant.objects.get(request=asked)

    return elevated


@pytest.fixture
def glass(cast: Cast) -> GiveStatement:
    def broken(who: User | None = None, **more: Any) -> Grant:
        return break_glass(cast.principal(who or cast.rita), "shop", reason=REASON, door="web", **more)

    return broken
