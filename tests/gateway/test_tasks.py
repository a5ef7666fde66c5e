"""The sweep: what a dead worker or a lost broker left behind is found, and one thing that fails holds up nothing else."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from approvals import services as approvals
from approvals.models import Request
from approvals.states import State
from gateway import execution, tasks
from gateway.pipeline import submit
from gateway.tasks import sweep
from tests.factories import Cast

LONG_AGO = timedelta(minutes=5)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    found: list[uuid.UUID] = []
    monkeypatch.setattr(approvals, "publish", found.append)
    return found


def approved(cast: Cast, **changes: Any) -> Request:
    request = submit(cast.submission("DELETE FROM orders WHERE status = 'open'")).query.request
    assert request is not None
    approvals.review(request.pk, cast.principal(cast.rita), "approve", "")
    Request.objects.filter(pk=request.pk).update(decided_at=timezone.now() - LONG_AGO, **changes)
    return request


@pytest.mark.usefixtures("nobody_works")
@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({}, True),
        ({"not_before": timezone.now() - timedelta(seconds=1)}, True),
        ({"not_before": timezone.now() + timedelta(hours=1)}, False),
        ({"carrier": Request.Carrier.CALLER}, False),
        ({"kind": Request.Kind.ELEVATION}, False),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, False),
        ({"decided_at": timezone.now() + timedelta(hours=1)}, False),
        ({"state": State.PENDING}, False),
    ],
    ids=["overdue", "due", "not due", "left to a session", "no statement", "expired", "just decided", "pending"],
)
def test_what_is_due_and_nobody_took_is_published_again(
    cast: Cast, published: list[uuid.UUID], changes: dict[str, Any], again: bool
) -> None:
    request = approved(cast)
    Request.objects.filter(pk=request.pk).update(**changes)
    sweep()
    assert published == ([request.pk] if again else [])


@pytest.mark.usefixtures("nobody_works")
def test_it_is_not_published_with_every_sweep(cast: Cast, published: list[uuid.UUID]) -> None:
    request = approved(cast)
    for _ in range(3):
        sweep()
    assert published == [request.pk]


@pytest.mark.usefixtures("nobody_works")
def test_a_request_that_breaks_the_settling_holds_up_no_other(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = approved(cast), approved(cast)
    Request.objects.update(state=State.EXECUTING, attempt=1)
    reconcile = execution.reconcile

    def fails(request_id: uuid.UUID) -> str:
        if request_id == broken.pk:
            raise KeyError("a fault of our own")
        return reconcile(request_id)

    monkeypatch.setattr(execution, "reconcile", fails)
    sweep()
    states = {request.pk: request.state for request in Request.objects.all()}
    assert states == {broken.pk: State.EXECUTING, sound.pk: State.APPROVED}


@pytest.mark.usefixtures("nobody_works")
def test_a_part_that_fails_holds_up_no_other(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    request = approved(cast)
    Request.objects.update(state=State.EXECUTING, attempt=1)

    def fails() -> None:
        raise ConnectionError("the broker is away")

    monkeypatch.setattr(tasks, "_publish_due", fails)
    sweep()
    request.refresh_from_db()
    assert request.state == State.APPROVED
