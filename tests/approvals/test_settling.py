"""What an approval does where nothing has to run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from approvals import services
from approvals.errors import ReviewRefused
from approvals.models import Request
from approvals.settling import _settlers, settles
from approvals.states import State
from audit.models import Entry
from tests.approvals.waiting import approve, reject, waiting
from tests.factories import Cast

ELEVATION = Request.Kind.ELEVATION


@pytest.fixture
def settled() -> Iterator[list[Request]]:
    """What the settler of elevations was given; the one that stands there otherwise is put back."""
    done: list[Request] = []
    earlier = _settlers.get(ELEVATION)

    @settles(ELEVATION)
    def note(request: Request) -> dict[str, object]:
        done.append(request)
        return {"reason": "noted"}

    yield done
    if earlier is None:
        _settlers.pop(ELEVATION)
    else:
        _settlers[ELEVATION] = earlier


def test_an_approval_is_carried_out_in_its_own_transaction(cast: Cast, settled: list[Request]) -> None:
    request = approve(cast, waiting(cast, kind=ELEVATION), cast.rita)
    assert (request.state, [one.pk for one in settled]) == (State.EXECUTED, [request.pk])
    told = [entry.kind for entry in Entry.objects.filter(kind__startswith="request.").order_by("index")]
    assert told == ["request.created", "request.approved", "request.settled"]


def test_a_rejection_carries_nothing_out(cast: Cast, settled: list[Request]) -> None:
    assert reject(cast, waiting(cast, kind=ELEVATION), cast.rita).state == State.REJECTED
    assert settled == []


def test_p3_what_cannot_be_carried_out_is_not_approved(cast: Cast, settled: list[Request]) -> None:
    @settles(ELEVATION)
    def fail(_request: Request) -> dict[str, object]:
        raise RuntimeError("no")

    request = waiting(cast, kind=ELEVATION)
    with pytest.raises(RuntimeError):
        approve(cast, request, cast.rita)
    request.refresh_from_db()
    assert (request.state, request.reviews.count()) == (State.PENDING, 0)
    assert not Entry.objects.filter(kind="review.given").exists()


def test_a_look_afterwards_says_what_was_found(cast: Cast) -> None:
    request = waiting(cast, kind=Request.Kind.AFTERWARDS)
    with pytest.raises(ReviewRefused, match="what you found"):
        services.review(request.pk, cast.principal(cast.rita), "approve", " ")
