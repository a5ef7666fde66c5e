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

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
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
requirements = st.lists(
    st.builds(RequiredReview, st.sampled_from(GROUPS), st.sampled_from([1, 1, 2]), st.integers(1, 2)),
    min_size=1, max_size=2, unique_by=lambda one: (one.group, one.stage),
)  # fmt: skip
Act = tuple[Any, ...]


def acts(**kinds: tuple[int, tuple[st.SearchStrategy[Any], ...]]) -> st.SearchStrategy[Act]:
    """Of several kinds, each as often as its number beside the others."""
    named = [st.tuples(st.just(name), *given) for name, (count, given) in kinds.items() for _ in range(count)]
    return st.one_of(named)


# Few rules with many acts each, since a run of Hypothesis leaves out some of its rules: what a request needs on its way from
# asking to running would seldom be there together.
steps_of_workers = st.sampled_from(["start", "start", "end", "end", "end stale", "release", "lose"])
steps = st.lists(steps_of_workers, min_size=1, max_size=4)
by_people = acts(
    agree=(8, (st.lists(st.integers(0, 5), min_size=1, max_size=3),)),
    review=(4, (people, st.sampled_from(["approve"] * 9 + ["reject"]))),
    edit=(2, (st.sampled_from(["bot", "alice", "mallory"]),)),
    work=(4, (steps,)),
    withdraw=(1, (st.sampled_from(["bot", *["mallory"] * 9]),)),
)
around_them = acts(
    change_groups=(3, (people, st.sets(st.sampled_from(GROUPS)))),
    leave=(3, (people, people)),
    come_back=(1, (people,)),
    take_over_the_agent=(1, (st.integers(0, 5),)),
    close_or_open_an_account=(1, (people, st.booleans())),
    run_out_of_time=(1, ()),
)
by_workers = acts(work=(1, (steps,)))
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
        # What each person had before their eyes when they last gave a review.
        self.read: dict[str, str] = {}
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

    @rule(act=by_people)
    def people_act(self, act: Act) -> None:
        self._do(act)

    @rule(act=around_them)
    def something_changes_around_them(self, act: Act) -> None:
        self._do(act)

    @rule(act=by_workers)
    def workers_act(self, act: Act) -> None:
        self._do(act)

    def _do(self, act: Act) -> None:
        name, *given = act
        getattr(self, name)(*given)

    # --- People ---------------------------------------------------------------------------------------------------

    def review(self, who: str, verdict: str) -> None:
        before = self.request.state
        with refusals():
            reviewer = self.cast.principal(self.users[who])
            services.review(self.id, reviewer, verdict, "because", revision=self.request.revision)
            self.read[who] = self.request.digest
        if before == State.PENDING and self.request.state == State.APPROVED:
            self.approved_digest = self.request.digest

    def agree(self, picks: list[int]) -> None:
        """Some who may: left to chance alone, few requests would come to an approval."""
        for pick in picks:
            request = self.request
            able = [one for one in PEOPLE if services.may_review(request, self.cast.principal(self.users[one])).allowed]
            if able:
                self.review(able[pick % len(able)], "approve")

    def change_groups(self, who: str, groups: set[str]) -> None:
        self.users[who].groups.set(groups_named(sorted(groups)))

    def leave(self, person: str, delegate: str) -> None:
        now = timezone.now()
        if person != delegate and not Absence.objects.filter(person=self.users[person]).exists():
            Absence.objects.create(
                person=self.users[person], delegate=self.users[delegate], starts_at=now - timedelta(hours=1),
                ends_at=now + timedelta(hours=1), created_by="test",
            )  # fmt: skip

    def come_back(self, person: str) -> None:
        Absence.objects.filter(person=self.users[person]).delete()

    def take_over_the_agent(self, pick: int) -> None:
        """Those who have approved first: from then on they count no more."""
        able = list(Review.objects.filter(request=self.id).values_list("reviewer__username", flat=True)) or PEOPLE
        who = able[pick % len(able)]
        Agent.objects.filter(pk=self.cast.bot.pk).update(owner=self.users[who])

    def close_or_open_an_account(self, who: str, is_active: bool) -> None:
        User.objects.filter(pk=self.users[who].pk).update(is_active=is_active)

    def edit(self, who: str) -> None:
        self.digests += 1
        asked = asked_by(self.cast, None, *self.required, digest=f"d{self.digests}", on_behalf_of=self.on_behalf_of)
        principal = self.cast.principal(getattr(self.cast, who))
        with refusals():
            services.edit(self.id, principal, asked, revision=self.request.revision)

    def withdraw(self, who: str) -> None:
        with refusals():
            services.withdraw(self.id, self.cast.principal(getattr(self.cast, who)))

    def run_out_of_time(self) -> None:
        Request.objects.filter(pk=self.id).update(expires_at=timezone.now() - timedelta(seconds=1))
        services.expire_due()
        if self.request.state not in ENDED:
            Request.objects.filter(pk=self.id).update(expires_at=timezone.now() + timedelta(hours=1))

    # --- Workers --------------------------------------------------------------------------------------------------

    def work(self, steps: list[str]) -> None:
        """Several workers, in any order: each claims, ends, or is found dead by the sweep."""
        for step in steps:
            with refusals():
                self._start() if step == "start" else self._end(step)

    def _start(self) -> None:
        """As a worker does: it looks who agreed, and claims the next attempt."""
        request = self.request
        attempt = request.attempt + 1
        if services.lacking(request):
            return
        services.move(request, Action.START, guard={"attempt": request.attempt}, attempt=attempt)
        assert self.running is None, "a second worker started while one was running"
        assert not self.ran, "it was started again although it ran"
        self.running = attempt

    def _end(self, step: str) -> None:
        """With the number of its own attempt; one that was taken away has another. A worker that died is put back in line if
        nothing was committed, else people have to look."""
        request = self.request
        actions = {"release": Action.RELEASE, "lose": Action.LOSE}
        guard = {"attempt": request.attempt - 1 if step == "end stale" else request.attempt}
        services.move(request, actions.get(step, Action.FINISH), guard=guard)
        assert step != "end stale", "an attempt that was taken away has ended the request"
        self.running = None
        if step == "end":
            self.ran.append(request.attempt)

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
            agreed = [who for who, digest in self.read.items() if digest == request.digest]
            assert len(agreed) >= sum(one.quorum for one in self.required)

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


def test_p4_p5_no_interleaving_breaks_an_approval(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    # One transaction holds a whole interleaving here, however long a slow machine takes for it.
    monkeypatch.setattr("audit.ledger.IDLE_WITHIN_TIMEOUT", "0")
    make_user("bo", "dba", "legal"), make_user("lena", "legal"), make_user("alice", "dba")
    Interleavings.cast = cast
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=60,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
