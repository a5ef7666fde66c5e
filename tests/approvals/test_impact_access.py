"""Who may see what a request would do: each person and each sort of request, as one table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals.absences import set_absence
from approvals.impact.access import may_see_estimates, may_see_impact, tells_of_masked_values
from approvals.models import Request
from gateway.pipeline import submit
from tests.factories import Cast, make_user

PLAIN = "DELETE FROM orders"
OVER_MASKED = "DELETE FROM customers WHERE id > 0 AND city = 'City 1'"
STEERED = "DELETE FROM customers WHERE id > 0 AND email LIKE 'a%'"
# May see a plain one; may see one that masked values steer.
TABLE = {
    "rita": (True, True),
    "olaf": (True, True),
    "root": (True, True),
    "alice": (True, False),
    "mallory": (False, False),
    "bot": (True, False),
}


def parked(cast: Cast, sql: str) -> Request:
    request = submit(cast.submission(sql)).query.request
    assert request is not None
    return request


@pytest.mark.parametrize("who", TABLE)
def test_p2_reviewers_auditors_and_administrators_see_it_and_who_asked_only_what_tells_of_nothing(
    cast: Cast, nobody_works: None, who: str
) -> None:
    root = make_user("root", is_administrator=True)
    principal = cast.principal(root if who == "root" else getattr(cast, who))
    seen = tuple(may_see_impact(parked(cast, sql), principal) for sql in (PLAIN, STEERED))
    assert seen == TABLE[who]


def test_p2_whoever_owns_the_agent_is_told_nothing_whatever_else_they_are(cast: Cast, nobody_works: None) -> None:
    make_user("alice", "dba", "auditors", is_administrator=True)
    assert not may_see_impact(parked(cast, STEERED), cast.principal(cast.alice))


def test_whoever_stands_in_for_a_reviewer_sees_it(cast: Cast, nobody_works: None) -> None:
    now = timezone.now()
    root = cast.principal(make_user("root", is_administrator=True))
    set_absence(root, cast.rita, cast.mallory, starts_at=now, ends_at=now + timedelta(hours=1))
    assert may_see_impact(parked(cast, STEERED), cast.principal(cast.mallory))


def test_p2_estimates_over_masked_columns_are_not_for_who_asked(cast: Cast, nobody_works: None) -> None:
    """The planner makes them from statistics of raw values."""
    request = parked(cast, OVER_MASKED)
    alice, rita = cast.principal(cast.alice), cast.principal(cast.rita)
    assert (may_see_impact(request, alice), may_see_estimates(request, alice)) == (True, False)
    assert may_see_estimates(request, rita)


@pytest.mark.parametrize(
    ("sql", "tells"),
    [
        (PLAIN, False),
        (OVER_MASKED, False),
        (STEERED, True),
        ("UPDATE customers SET plan = 'x' WHERE city = 'City 1'", False),
        ("UPDATE customers SET email = 'x' WHERE city = 'City 1'", True),
        ("INSERT INTO customers SELECT id + 100, status, status FROM orders", True),
        ("ALTER TABLE customers ADD CHECK (email <> 'x')", True),
        ("ALTER TABLE orders ADD COLUMN note text", False),
        ("CREATE UNIQUE INDEX one_phone ON customers (phone)", True),
    ],
)
def test_what_masked_values_can_steer_is_known_by_its_facts(
    cast: Cast, nobody_works: None, sql: str, tells: bool
) -> None:
    request = parked(cast, sql)
    assert tells_of_masked_values(request.facts, request.decision) is tells
