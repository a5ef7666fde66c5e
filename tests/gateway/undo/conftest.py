"""Approved changes, run at once, and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from approvals import services as approvals
from approvals.models import Request
from approvals.states import State
from gateway import execution
from gateway.pipeline import submit
from gateway.undo import revert
from gateway.undo.reverting import Reverted
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase


@dataclass
class Ground:
    """A cast and a shop, and short words for what the tests do with them."""

    cast: Cast
    shop: TargetDatabase

    def run(self, sql: str, params: tuple[Any, ...] = ()) -> Request:
        """Asked by the agent, approved by rita, and run."""
        query = submit(self.cast.submission(sql, params=params)).query
        assert query.request is not None, f"{sql} was not parked"
        return self.approve(query.request)

    def approve(self, request: Request) -> Request:
        reviewer = self.cast.rita if request.owner_id != self.cast.rita.pk else self.cast.dora
        approvals.review(request.pk, self.cast.principal(reviewer), "approve", "")
        execution.execute_request(request.pk)
        return Request.objects.get(pk=request.pk)

    def revert(self, request: Request, **more: Any) -> Reverted:
        """Asked by alice, who owns the agent; not run."""
        return revert(self.cast.principal(self.cast.alice), request.pk, **more)

    def take_back(self, request: Request, **more: Any) -> Request:
        return self.approve(self.revert(request, **more).request)

    def table(self, name: str) -> list[tuple[str]]:
        """Its rows, byte for byte."""
        return self.shop.fetch(f'SELECT t::text FROM {name} t ORDER BY t::text COLLATE "C"')


@pytest.fixture
def ground(cast: Cast, shop: TargetDatabase) -> Ground:
    return Ground(cast, shop)


def executed(request: Request) -> Request:
    assert request.state == State.EXECUTED, (request.state, request.outcome, request.drift)
    return request
