"""However many ask at once, and whenever it ends: never more runs than it gave, never one after its end. And P8."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from approvals.grants import holding, using
from approvals.grants.errors import GrantOver
from approvals.grants.services import claim, narrow, revoke
from approvals.models import Grant, GrantUse
from gateway.models import Query, QueryState
from gateway.pipeline import submit
from governance.errors import Cancelled
from governance.policy import store
from identity import revocations
from tests.approvals.grants.conftest import DELETE, OPEN, GiveStatement
from tests.factories import ACTOR, Cast
from tests.fixtures.databases import TargetDatabase
from tests.gateway.test_running import active, wait_for

PROMISED = 2.0


# One process has twenty connections to the control database.
AT_ONCE = 16


def together(count: int, act: Callable[[int], None]) -> None:
    """As many at once as a process can, all from the same moment on."""
    workers = min(count, AT_ONCE)
    gate = threading.Barrier(workers)
    numbers = iter(range(count))
    lock = threading.Lock()

    def work() -> None:
        try:
            gate.wait(30)
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                act(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_fifty_at_once_on_three_runs_run_three_times(cast: Cast, give: GiveStatement) -> None:
    grant = give()
    states: list[str] = []

    def send(_number: int) -> None:
        states.append(submit(cast.submission(DELETE, params=("nowhere",))).query.state)

    together(50, send)
    grant.refresh_from_db()
    assert sorted(set(states)) == [QueryState.EXECUTED, QueryState.PARKED]
    assert (states.count(QueryState.EXECUTED), states.count(QueryState.PARKED), grant.uses) == (3, 47, 3)
    assert Query.objects.filter(grant=grant, state=QueryState.EXECUTED).count() == GrantUse.objects.count() == 3


@given(runs=st.integers(1, 6), claims=st.integers(2, 12), ended_at=st.integers(0, 12))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_claims_that_race_with_an_end_never_come_after_it(
    cast: Cast, give: GiveStatement, runs: int, claims: int, ended_at: int
) -> None:
    """Whoever claims after the revocation was reported as made gets nothing, and no use is kept without its count."""
    GrantUse.objects.all().delete()
    Grant.objects.all().delete()
    grant = give(grant={"runs": runs, "seconds": 3600})
    over = threading.Event()
    late: list[int] = []

    def act(number: int) -> None:
        if number == ended_at % claims:
            revoke(grant.pk, cast.principal(cast.rita), "enough")
            over.set()
            return
        after = over.is_set()
        query = Query.objects.create(
            requester="agent:analyst-bot", agent=cast.bot, datasource=cast.datasource, door="rest", sql="", params=[]
        )
        try:
            claim([Grant.objects.select_related("owner", "datasource").get(pk=grant.pk)], query.pk, "DELETE")
            if after:
                late.append(number)
        except GrantOver:
            pass

    together(claims, act)
    grant.refresh_from_db()
    assert late == []
    assert grant.uses <= runs
    assert GrantUse.objects.filter(grant=grant).count() == grant.uses
    with pytest.raises(GrantOver):
        claim([grant], Query.objects.first().pk, "DELETE")  # type: ignore[union-attr]


class Life(RuleBasedStateMachine):
    """A grant's life in any order: used, cut down, run out, revoked."""

    cast: Cast
    give: GiveStatement

    @initialize(runs=st.integers(1, 4))
    def begin(self, runs: int) -> None:
        GrantUse.objects.all().delete()
        Grant.objects.all().delete()
        self.grant = self.give(grant={"runs": runs, "seconds": 3600})
        self.most, self.over, self.used = runs, False, 0

    @rule()
    def use(self) -> None:
        fresh = Grant.objects.select_related("owner", "datasource").get(pk=self.grant.pk)
        try:
            claim([fresh], self.cast.bot_query().pk, "DELETE")  # type: ignore[attr-defined]
        except GrantOver:
            assert self.over or self.used >= self.most
        else:
            assert not self.over
            self.used += 1

    @rule(runs=st.integers(1, 4))
    def cut(self, runs: int) -> None:
        may = not self.over and self.used < self.most and max(self.used, 1) <= runs < self.most
        try:
            narrow(self.grant.pk, self.cast.principal(self.cast.rita), max_uses=runs)
        except Exception:  # noqa: BLE001 which of the refusals it is belongs to other tests
            assert not may
        else:
            assert may
            self.most = runs

    @rule()
    def run_out(self) -> None:
        Grant.objects.filter(pk=self.grant.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        self.over = True

    @rule()
    def end(self) -> None:
        if Grant.objects.filter(pk=self.grant.pk, revoked_at__isnull=True).exists():
            revoke(self.grant.pk, self.cast.principal(self.cast.rita), "")
        self.over = True

    @invariant()
    def nothing_is_used_that_was_not_given(self) -> None:
        if not hasattr(self, "grant"):
            return
        self.grant.refresh_from_db()
        assert self.grant.uses == self.used == GrantUse.objects.filter(grant=self.grant).count()
        assert self.grant.max_uses is not None
        assert self.grant.uses <= self.most == self.grant.max_uses


def test_a_grant_is_never_used_more_often_than_given_nor_after_its_end(cast: Cast, give: GiveStatement) -> None:
    def bot_query() -> Query:
        return Query.objects.create(
            requester="agent:analyst-bot", agent=cast.bot, datasource=cast.datasource, door="rest", sql="", params=[]
        )

    cast.bot_query = bot_query  # type: ignore[attr-defined]
    machine = type("OneLife", (Life,), {"cast": cast, "give": staticmethod(give)})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=10, deadline=None))


# --- P8 -----------------------------------------------------------------------------------------------------------

# Reads what policy below parks, and takes minutes.
SLOW = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b WHERE a <> b"
READS_WAIT = """
@id("reads-wait") @review("dba") @grantable("7d") forbid (principal, action == Action::"read", resource)
unless { principal in Group::"trusted" };
@id("trusted") permit (principal, action == Action::"elevate", resource == Group::"trusted");
"""


@contextmanager
def under_way(cast: Cast, shop: TargetDatabase, who: Any) -> Iterator[Callable[[], BaseException | None]]:
    """SLOW runs inside the block; the value waits for its end and gives how it ended."""
    ends: list[BaseException | None] = []

    def work() -> None:
        try:
            submit(cast.submission(SLOW, who))
            ends.append(None)
        except BaseException as error:  # noqa: BLE001 handed to the test
            ends.append(error)
        finally:
            connection.close()

    def end() -> BaseException | None:
        thread.join(PROMISED + 0.5)
        return ends[0] if ends else TimeoutError("it still runs")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        wait_for(lambda: active(shop) == 1)
        yield end
    finally:
        shop.admin.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = %s", [shop.role])
        thread.join()


def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis loses the message."""

    def lose(*_: Any) -> None:
        raise redis.ConnectionError("lost")

    monkeypatch.setattr(revocations, "order_end", lose)


@pytest.fixture
def ways(cast: Cast, give: GiveStatement, elevate: GiveStatement, glass: GiveStatement) -> dict[str, Any]:
    from django.contrib.auth.models import Group

    Group.objects.create(name="trusted")
    store.activate(f"{store.default_text()}\n{READS_WAIT}\n", ACTOR)
    return {
        "statement": lambda: (give(SLOW, row_bound=None), cast.bot),
        "elevation": lambda: (elevate(group="trusted"), cast.bot),
        "break_glass": lambda: (glass(), cast.rita),
    }


@pytest.mark.parametrize("lost", [False, True], ids=["told", "message-lost"])
@pytest.mark.parametrize("kind", ["statement", "elevation", "break_glass"])
def test_p8_what_runs_under_a_revoked_grant_ends_within_two_seconds(
    cast: Cast, shop: TargetDatabase, ways: dict[str, Any], kind: str, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lost:
        silent(monkeypatch)
    grant, who = ways[kind]()
    with under_way(cast, shop, who) as ended:
        begun = time.monotonic()
        revoke(grant.pk, cast.principal(cast.rita), "stop it")
        assert isinstance(ended(), Cancelled)
        assert time.monotonic() - begun < PROMISED
        assert active(shop) == 0
    assert Query.objects.get(grant=grant).state == QueryState.CANCELLED


def test_p8_a_revocation_between_claim_and_start_keeps_it_from_starting(
    cast: Cast, give: GiveStatement, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = give()
    claimed = using.claim

    def claim_and_lose(*arguments: Any) -> None:
        claimed(*arguments)
        Grant.objects.filter(pk=grant.pk).update(revoked_at=timezone.now())

    monkeypatch.setattr("approvals.grants.services.claim", claim_and_lose)
    with pytest.raises(Cancelled):
        submit(cast.submission(DELETE, params=OPEN))
    assert shop.fetch("SELECT count(*) FROM orders") == [(60,)]


def test_what_runs_may_finish_when_a_grant_runs_out(cast: Cast, give: GiveStatement) -> None:
    grant = give()
    Grant.objects.filter(pk=grant.pk).update(expires_at=timezone.now())
    assert holding.revoked_among([grant.pk]) == set()
