"""Random interleavings of all who act on a request, on a real database: reviewers, people who stand in, people who come and
go, edits, withdrawals, time, workers that start, end and die.

Whatever the order: a quorum is never met by fewer distinct people than it asks for, nobody who is a party to it counts, what
is approved is what was reviewed, nothing runs twice at once or again once it ran, and nothing approved is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from approvals import services
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.models import Absence, Request, Review
from approvals.services import LostRace
from approvals.states import Action, ImpossibleTransition, State
from governance.policy.decision import RequiredReview
from identity.models import Agent, User
from identity.people import groups_named
from tests.approvals.waiting import asked_by, waiting
from tests.factories import Cast, make_user

PEOPLE = ("alice", "rita", "dora", "bo", "lena", "mallory")
GROUPS = ("dba", "legal")
people = st.sampled_from(PEOPLE)
seldom = st.integers(0, 7)
requirements = st.lists(
    st.builds(RequiredReview, st.sampled_from(GROUPS), st.integers(1, 2), st.integers(1, 2)),
    min_size=1, max_size=3, unique_by=lambda one: (one.group, one.stage),
)  # fmt: skip
ENDED = {State.EXECUTED, State.FAILED, State.UNKNOWN, State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.DRIFTED}


class Interleavings(RuleBasedStateMachine):
    """Keeps its own account of what happened, by the simplest rules, and holds the rows against it."""

    cast: Cast

    def __init__(self) -> None:
        super().__init__()
        self.transaction: Any = transaction.atomic()
        self.transaction.__enter__()
        self.ran: list[int] = []
        self.running: int | None = None
        self.approved_digest = ""
        self.digests = 0
        self.ended: State | None = None

    def teardown(self) -> None:
        """Nothing of it stays: the next interleaving begins on the same ground."""
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @initialize(required=requirements, on_behalf_of=st.sampled_from(["", "rita", "user:LENA"]))
    def ask(self, required: list[RequiredReview], on_behalf_of: str) -> None:
        self.users = {name: User.objects.get(username=name) for name in PEOPLE}
        self.required, self.on_behalf_of = required, on_behalf_of
        self.id = waiting(self.cast, *required, on_behalf_of=on_behalf_of).pk
        self.leave("lena", "mallory")

    @property
    def request(self) -> Request:
        return Request.objects.select_related("agent", "owner", "datasource", "grant").get(pk=self.id)

    # --- People ---------------------------------------------------------------------------------------------------

    @rule(who=people, verdict=st.sampled_from(["approve"] * 9 + ["reject"]))
    def review(self, who: str, verdict: str) -> None:
        before = self.request.state
        with refusals():
            services.review(self.id, self.cast.principal(self.users[who]), verdict, "because")
        if before == State.PENDING and self.request.state == State.APPROVED:
            self.approved_digest = self.request.digest

    @rule(pick=st.integers(0, 5))
    def agree(self, pick: int) -> None:
        """Somebody who may: left to chance alone, few requests would come to an approval."""
        request = self.request
        able = [one for one in PEOPLE if services.may_review(request, self.cast.principal(self.users[one])).allowed]
        if able:
            self.review(able[pick % len(able)], "approve")

    @rule(who=people, groups=st.sets(st.sampled_from(GROUPS)))
    def change_groups(self, who: str, groups: set[str]) -> None:
        self.users[who].groups.set(groups_named(sorted(groups)))

    @rule(person=people, delegate=people)
    def leave(self, person: str, delegate: str) -> None:
        now = timezone.now()
        if person != delegate and not Absence.objects.filter(person=self.users[person]).exists():
            Absence.objects.create(
                person=self.users[person], delegate=self.users[delegate], starts_at=now - timedelta(hours=1),
                ends_at=now + timedelta(hours=1), created_by="test",
            )  # fmt: skip

    @rule(person=people)
    def come_back(self, person: str) -> None:
        Absence.objects.filter(person=self.users[person]).delete()

    @rule(who=people)
    def take_over_the_agent(self, who: str) -> None:
        Agent.objects.filter(pk=self.cast.bot.pk).update(owner=self.users[who])

    @rule(who=people, is_active=st.booleans())
    def close_or_open_an_account(self, who: str, is_active: bool) -> None:
        User.objects.filter(pk=self.users[who].pk).update(is_active=is_active)

    @rule(who=st.sampled_from(["bot", "alice", "mallory"]))
    def edit(self, who: str) -> None:
        self.digests += 1
        asked = asked_by(self.cast, None, *self.required, digest=f"d{self.digests}", on_behalf_of=self.on_behalf_of)
        principal = self.cast.principal(getattr(self.cast, who))
        with refusals():
            services.edit(self.id, principal, asked, revision=self.request.revision)

    @rule(who=st.sampled_from(["bot", *["mallory"] * 5]))
    def withdraw(self, who: str) -> None:
        with refusals():
            services.withdraw(self.id, self.cast.principal(getattr(self.cast, who)))

    @rule(luck=seldom)
    def run_out_of_time(self, luck: int) -> None:
        if luck:
            return
        Request.objects.filter(pk=self.id).update(expires_at=timezone.now() - timedelta(seconds=1))
        services.expire_due()
        if self.request.state not in ENDED:
            Request.objects.filter(pk=self.id).update(expires_at=timezone.now() + timedelta(hours=1))

    # --- Workers --------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.approved_digest)
    @rule()
    def start(self) -> None:
        """As a worker does: it looks who agreed, and claims the next attempt."""
        request = self.request
        attempt = request.attempt + 1
        if services.lacking(request):
            return
        with refusals():
            services.move(request, Action.START, guard={"attempt": request.attempt}, attempt=attempt)
            assert self.running is None, "a second worker started while one was running"
            assert not self.ran, "it was started again although it ran"
            self.running = attempt

    @precondition(lambda self: self.approved_digest)
    @rule(stale=st.booleans())
    def end(self, stale: bool) -> None:
        """With the number of its own attempt; one that was taken away has another."""
        request = self.request
        with refusals():
            guard = {"attempt": request.attempt - 1 if stale else request.attempt}
            services.move(request, Action.FINISH, guard=guard, finished_at=timezone.now())
            assert not stale, "an attempt that was taken away has ended the request"
            self.ran.append(request.attempt)
            self.running = None

    @precondition(lambda self: self.running is not None)
    @rule(changed_nothing=st.booleans())
    def die(self, changed_nothing: bool) -> None:
        """What the sweep makes of a worker that died: back in line if nothing was committed, else for people to look at."""
        action = Action.RELEASE if changed_nothing else Action.LOSE
        services.move(self.request, action, guard={"attempt": self.running})
        self.running = None

    # --- What holds always ----------------------------------------------------------------------------------------

    @invariant()
    def p5_quorum_is_met_by_distinct_people_who_are_no_party(self) -> None:
        request = self.request
        if services.lacking(request):
            return
        parties = {request.owner.username, Agent.objects.get(pk=self.cast.bot.pk).owner.username}
        parties |= {self.on_behalf_of.removeprefix("user:").lower()}
        yes = Review.objects.filter(request=request, revision=request.revision, verdict="approve")
        given = [one for one in yes if not {str(one.reviewer), str(one.delegated_by)} & parties]
        needed = sum(one.quorum for one in self.required)
        assert len({one.reviewer_id for one in given}) >= needed
        assert len({one.delegated_by_id or one.reviewer_id for one in given}) >= needed

    @invariant()
    def p4_what_is_approved_is_what_was_reviewed(self) -> None:
        request = self.request
        if request.state in (State.APPROVED, State.EXECUTING, State.EXECUTED):
            assert request.digest == self.approved_digest

    @invariant()
    def p4_nothing_runs_that_nobody_approved(self) -> None:
        if self.running is not None or self.ran:
            assert self.approved_digest

    @invariant()
    def nothing_leaves_an_end_and_nothing_approved_is_lost(self) -> None:
        state = State(self.request.state)
        assert self.ended in (None, state)
        self.ended = state if state in ENDED else None
        assert len(self.ran) <= 1
        # What was approved waits for a worker, runs, or has ended in a way that says how.
        if self.approved_digest:
            assert state not in (State.PENDING, State.REJECTED)
        assert (state is State.EXECUTING) == (self.running is not None)


@contextmanager
def refusals() -> Iterator[None]:
    """What is refused changes nothing: it is rolled back to here."""
    try:
        with transaction.atomic():
            yield
    except (ReviewRefused, UnknownRequest, ImpossibleTransition, LostRace):
        pass


def test_p4_p5_no_interleaving_breaks_an_approval(cast: Cast) -> None:
    make_user("bo", "dba", "legal"), make_user("lena", "legal"), make_user("alice", "dba")
    Interleavings.cast = cast
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
