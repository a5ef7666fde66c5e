"""What policy demands of an approval besides people, and what an approval gives besides a yes."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from approvals import services
from approvals.errors import ReviewRefused
from approvals.models import Request, Review
from approvals.states import State
from audit.models import Entry
from governance.models import DataSource
from governance.policy import store
from governance.policy.decision import RequiredReview, Terms
from tests.approvals.waiting import approve, waiting
from tests.factories import ACTOR, Cast, make_user

DOCS = Path(__file__).parents[2] / "docs" / "policy.md"
TWO = RequiredReview("dba", 2)
STEP_UP = Terms(step_up=600)


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


# --- Second factor ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [None, 11, -5], ids=["never", "stale", "to come"])
def test_without_a_fresh_second_factor_nothing_is_approved(cast: Cast, minutes: int | None) -> None:
    shown_at = None if minutes is None else ago(minutes=minutes)
    request = waiting(cast, terms=STEP_UP)
    with pytest.raises(ReviewRefused, match="within the last 10 minutes") as refusal:
        approve(cast, request, cast.rita, second_factor_at=shown_at)
    assert refusal.value.code == "step-up-required"
    assert not Review.objects.exists()


def test_a_fresh_second_factor_is_kept_with_the_review(cast: Cast) -> None:
    shown_at = ago(minutes=9)
    assert approve(cast, waiting(cast, terms=STEP_UP), cast.rita, second_factor_at=shown_at).state == State.APPROVED
    assert Review.objects.get().second_factor_at == shown_at
    assert Entry.objects.get(kind="review.given").fields["second_factor_at"] == shown_at.isoformat()


def test_rejecting_needs_no_second_factor(cast: Cast) -> None:
    request = services.review(waiting(cast, terms=STEP_UP).pk, cast.principal(cast.rita), "reject", "no")
    assert request.state == State.REJECTED


# --- Bounds and grants --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measured", "given", "agreed"),
    [
        pytest.param(17, (None, None), 17, id="the measured one"),
        pytest.param(17, (5, None), 5, id="a smaller one"),
        pytest.param(17, (50, None), 17, id="a larger one that not everybody gives"),
        pytest.param(17, (50, 30), 30, id="the narrowest of larger ones"),
        pytest.param(None, (None, None), None, id="none, where nothing was measured"),
        pytest.param(None, (8, None), 8, id="what somebody gave, where nothing was measured"),
        pytest.param(17, (0, None), 0, id="none at all"),
    ],
)
def test_the_narrowest_bound_of_all_who_approved_counts(
    cast: Cast, measured: int | None, given: tuple[int | None, int | None], agreed: int | None
) -> None:
    request = waiting(cast, TWO, row_bound=measured)
    approve(cast, request, cast.rita, row_bound=given[0])
    assert approve(cast, request, cast.dora, row_bound=given[1]).row_bound == agreed


@pytest.mark.parametrize(
    ("given", "agreed"),
    [
        (({"runs": 5, "seconds": 3600}, {"runs": 9, "seconds": 600}), {"runs": 5, "seconds": 600}),
        (({"runs": 5, "seconds": 3600}, None), None),
    ],
    ids=["the narrowest of both", "not where one gives none"],
)
def test_a_grant_is_what_all_who_approved_gave(cast: Cast, given: tuple[Any, Any], agreed: Any) -> None:
    request = waiting(cast, TWO, terms=Terms(grantable=3600))
    for reviewer, grant in zip((cast.rita, cast.dora), given, strict=True):
        Review.objects.create(request=request, reviewer=reviewer, verdict="approve", grant=grant)
    assert services.agreed_grant(request) == agreed


@pytest.mark.parametrize(
    ("grantable", "more", "reason"),
    [
        (0, {"grant": {"runs": 2, "seconds": 60}}, "one run and no more"),
        (600, {"grant": {"runs": 2, "seconds": 601}}, "at most"),
        (600, {"grant": {"runs": 0, "seconds": 60}}, "1 to 1000 runs"),
        (600, {"grant": {"runs": 2}}, "runs and seconds"),
        (0, {"row_bound": -1}, "0 or more"),
    ],
)
def test_what_nobody_can_give_is_refused(cast: Cast, grantable: int, more: dict[str, Any], reason: str) -> None:
    request = waiting(cast, terms=Terms(grantable=grantable))
    with pytest.raises(ReviewRefused, match=reason) as refusal:
        approve(cast, request, cast.rita, **more)
    assert refusal.value.code == "invalid"


def test_a_rejection_gives_nothing(cast: Cast) -> None:
    with pytest.raises(ReviewRefused, match="belongs to an approval"):
        services.review(waiting(cast).pk, cast.principal(cast.rita), "reject", "no", row_bound=3)


def test_p4_a_review_of_what_was_read_before_an_edit_is_refused(cast: Cast) -> None:
    request = waiting(cast)
    Request.objects.filter(pk=request.pk).update(revision=2)
    with pytest.raises(ReviewRefused, match="edited since") as refusal:
        approve(cast, request, cast.rita, revision=1)
    assert refusal.value.code == "changed-meanwhile"


# --- Policy on reviewing ------------------------------------------------------------------------------------------


def put_in_force(cast: Cast, *policies: str) -> None:
    store.activate("\n".join([store.active().text, *policies]), ACTOR)


def test_a_forbid_on_approve_keeps_a_person_from_reviewing(cast: Cast) -> None:
    put_in_force(
        cast,
        '@id("not-rita") @message("Rita is new here.") '
        'forbid (principal == User::"rita", action == Action::"approve", resource == DataSource::"shop");',
    )
    request = waiting(cast)
    with pytest.raises(ReviewRefused, match="Rita is new here"):
        approve(cast, request, cast.rita)
    assert approve(cast, request, cast.dora).state == State.APPROVED


@pytest.mark.parametrize(("environment", "state"), [("prod", State.PENDING), ("dev", State.APPROVED)])
def test_the_example_in_the_docs_looks_at_the_data_source(cast: Cast, environment: str, state: State) -> None:
    put_in_force(cast, *re.findall(r"^@id\(.no-reviews-by-interns(?:.|\n)*?;$", DOCS.read_text(), re.MULTILINE))
    intern = make_user("ines", "dba", "interns")
    DataSource.objects.update(environment=environment)
    request = waiting(cast)
    with contextlib.suppress(ReviewRefused):
        approve(cast, request, intern)
    request.refresh_from_db()
    assert request.state == state


def test_a_forbid_on_approve_elsewhere_changes_nothing_here(cast: Cast) -> None:
    put_in_force(cast, '@id("n") forbid (principal, action == Action::"approve", resource == DataSource::"other");')
    assert approve(cast, waiting(cast), cast.rita).state == State.APPROVED


def test_a_policy_that_fails_lets_nobody_approve(cast: Cast) -> None:
    put_in_force(
        cast,
        '@id("n") forbid (principal, action == Action::"approve", resource) '
        "when { context.weekday + 9223372036854775807 > 0 };",
    )
    with pytest.raises(ReviewRefused, match="Policy keeps you"):
        approve(cast, waiting(cast), cast.rita)
