"""The timeline of a request: everything that happened, in order, and what happens next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from approvals import story
from approvals.models import Request, Review, Revision
from approvals.states import State
from identity.models import User

NOW = timezone.now()


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def request(**more: Any) -> Request:
    values = {
        "state": State.PENDING,
        "created_at": NOW,
        "expires_at": at(240),
        "requester": "agent:bot",
        "required": [],
    }
    return Request(**(values | more))


def review(**more: Any) -> Review:
    values = {"verdict": "approve", "created_at": at(2), "reviewer": User(username="rita"), "comment": ""}
    return Review(**(values | more))


def titles(*arguments: Any, **more: Any) -> list[str]:
    return [step.title for step in story.steps_of(*arguments, **more)]


@pytest.mark.parametrize("state", State)
def test_every_state_begins_with_who_asked(state: State) -> None:
    first = story.steps_of(request(state=state), [])[0]
    assert (first.title, first.by) == ("Asked", "agent:bot")


def test_steps_stand_in_the_order_in_which_they_happened() -> None:
    item = request(revision=2, reminded_at=at(1), escalated_at=at(4), required=[
        {"group": "dba", "quorum": 1, "escalate_to": "oncall", "escalated": True},
    ])  # fmt: skip
    entries = [
        {"kind": "request.scheduled", "time": at(5).isoformat(), "actor": "user:alice", "run_at": at(60).isoformat()}
    ]
    edit = Revision(number=2, by="user:alice", created_at=at(3))
    assert titles(item, [review(revision=1)], [Revision(number=1), edit], entries) == [
        "Asked", "Reviewers reminded", "Approved: text 1, which was edited since", "Edited: text 2",
        "Escalated: oncall may stand in", "Time of the run set", "Waiting for review",
    ]  # fmt: skip


def test_a_review_tells_for_whom_it_was_given_and_what_came_with_it() -> None:
    given = review(
        delegated_by=User(username="dora"), comment="looks right", second_factor_at=at(1), row_bound=17,
        grant={"runs": 3, "seconds": 3600},
    )  # fmt: skip
    step = story.steps_of(request(), [given])[1]
    assert (step.title, step.by) == ("Approved for dora, who is away", "user:rita")
    assert step.text == "looks right\n(second factor shown; at most 17 rows; may run 3 times more within 1 h)"


def test_attempts_that_changed_nothing_are_told_and_the_last_one_is_told_by_the_state() -> None:
    item = request(state=State.EXECUTED, attempt=2, finished_at=at(9))
    kinds = [("execution.started", 1, None), ("execution.finished", 1, "not_executed"), ("execution.started", 2, None)]
    entries: list[dict[str, Any]] = [
        {"kind": kind, "time": at(number).isoformat(), "attempt": attempt, "status": status}
        for number, (kind, attempt, status) in enumerate([*kinds, ("execution.finished", 2, "executed")], 3)
    ]
    assert titles(item, [], [], entries) == [
        "Asked", "Started", "Attempt 1 ended before it changed anything", "Started again, attempt 2", "Executed",
    ]  # fmt: skip


def test_what_drifted_is_told_one_by_one() -> None:
    drift = [{"what": "schema", "detail": "a column is new."}, {"what": "size", "detail": "it has grown."}]
    step = story.steps_of(request(state=State.DRIFTED, drift=drift, finished_at=at(9)), [])[-1]
    assert step.text == "a column is new.\nit has grown."


def test_what_is_approved_for_later_waits_for_its_time() -> None:
    item = request(state=State.APPROVED, not_before=at(60), decided_at=at(3))
    assert titles(item, [])[-1] == "Approved; waits for its time"


def test_kinds_of_entries_that_rows_tell_of_are_not_told_twice() -> None:
    entries = [{"kind": "request.created", "time": NOW.isoformat()}]
    assert titles(request(), [], [], entries) == ["Asked", "Waiting for review"]
