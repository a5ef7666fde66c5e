"""P8: revoked means now. What runs is ended at the database, with the message and without it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from django.db import connection

from gateway import running as registry
from gateway.models import Query, QueryState
from gateway.pipeline import submit
from gateway.queries import wait_for_end
from gateway.running import RunningStatement
from governance.errors import Cancelled
from identity import revocations
from identity.agents import deactivate
from identity.credentials import authenticate, issue, revoke
from identity.errors import NotAuthenticated
from identity.models import Credential, User
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase

# Takes minutes, and reads only: an aggregate over a product of rows that nothing can shorten.
SLOW = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b WHERE a <> b"
PROMISED = 2.0


@contextmanager
def under_way(cast: Cast, shop: TargetDatabase, principal: Any) -> Iterator[Callable[[], BaseException | None]]:
    """SLOW runs inside the block; the value waits for its end and gives how it ended."""
    submission = cast.submission(SLOW)
    object.__setattr__(submission, "principal", principal)
    ends: list[BaseException | None] = []

    def work() -> None:
        try:
            submit(submission)
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


RUNS = "SELECT 1 FROM pg_stat_activity WHERE usename = '{}' AND query LIKE '%generate_series%' AND state = 'active'"


def active(shop: TargetDatabase) -> int:
    return len(shop.fetch(RUNS.format(shop.role)))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis loses the message."""

    def lose(*_: Any) -> None:
        raise redis.ConnectionError("lost")

    monkeypatch.setattr(revocations, "order_end", lose)


@pytest.fixture
def token(cast: Cast) -> Any:
    return issue(cast.bot, issued_by="test")


def revoke_it(cast: Cast, credential: Credential) -> None:
    revoke(credential, actor="test")


def end_agent(cast: Cast, _credential: Credential) -> None:
    deactivate(cast.bot, actor="test")


def end_owner(cast: Cast, _credential: Credential) -> None:
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)


@pytest.mark.parametrize("end", [revoke_it, end_agent, end_owner])
def test_p8_what_runs_ends_at_the_database_within_two_seconds(
    cast: Cast, shop: TargetDatabase, token: Any, end: Callable[[Cast, Credential], None]
) -> None:
    with under_way(cast, shop, authenticate(token.token)) as ended:
        begun = time.monotonic()
        end(cast, token.credential)
        assert isinstance(ended(), Cancelled)
        assert time.monotonic() - begun < PROMISED
        assert active(shop) == 0
    assert Query.objects.get().state == QueryState.CANCELLED


@pytest.mark.parametrize("end", [revoke_it, end_agent])
def test_p8_it_ends_within_two_seconds_also_when_the_message_is_lost(
    cast: Cast,
    shop: TargetDatabase,
    token: Any,
    end: Callable[[Cast, Credential], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent(monkeypatch)
    with under_way(cast, shop, authenticate(token.token)) as ended:
        begun = time.monotonic()
        end(cast, token.credential)
        assert isinstance(ended(), Cancelled)
        assert time.monotonic() - begun < PROMISED


def test_p8_a_person_who_is_deactivated_in_a_session_is_ended_too(cast: Cast, shop: TargetDatabase) -> None:
    with under_way(cast, shop, cast.principal(cast.alice)) as ended:
        end_owner(cast, Credential())
        assert isinstance(ended(), Cancelled)


def test_p8_another_credential_of_the_same_agent_goes_on(cast: Cast, shop: TargetDatabase, token: Any) -> None:
    other = issue(cast.bot, issued_by="test")
    with under_way(cast, shop, authenticate(token.token)):
        revoke(other.credential, actor="test")
        time.sleep(registry.POLL_SECONDS * 1.5)
        assert active(shop) == 1


def test_p8_a_cancel_that_was_lost_between_two_commands_is_sent_again(
    cast: Cast, shop: TargetDatabase, token: Any
) -> None:
    with under_way(cast, shop, authenticate(token.token)) as ended:
        statement = next(iter(registry._registry.statements.values()))
        statement.ended_early = True
        assert isinstance(ended(), Cancelled)


def test_p8_what_was_ended_before_it_started_never_starts(cast: Cast) -> None:
    statement = RunningStatement(uuid.uuid4(), cast.principal(cast.bot))
    statement.end()
    with pytest.raises(Cancelled):
        statement.started(lambda: None)


def test_p8_what_was_ended_while_it_wrote_is_not_committed(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_first(statement: RunningStatement) -> None:
        statement.ended_early = True
        unchanged(statement)

    unchanged = RunningStatement.still_wanted
    monkeypatch.setattr(RunningStatement, "still_wanted", end_first)
    with pytest.raises(Cancelled):
        submit(cast.submission("UPDATE orders SET status = 'changed' WHERE id = 1"))
    assert shop.fetch("SELECT status FROM orders WHERE id = 1") != [("changed",)]


def test_a_connection_that_went_on_to_somebody_else_is_not_cancelled(cast: Cast) -> None:
    cancelled: list[int] = []
    statement = RunningStatement(uuid.uuid4(), cast.principal(cast.bot))
    statement.started(lambda: cancelled.append(1))
    statement.ended()
    statement.end()
    assert not cancelled


def test_p8_a_long_poll_ends_with_its_credential(cast: Cast, token: Any) -> None:
    principal = authenticate(token.token)
    query = submit(cast.submission("DELETE FROM orders")).query

    def later() -> None:
        revoke(token.credential, actor="test")
        connection.close()

    threading.Timer(0.3, later).start()
    begun = time.monotonic()
    with pytest.raises(NotAuthenticated):
        wait_for_end(query, 20, principal)
    assert time.monotonic() - begun < PROMISED


def test_a_message_that_makes_no_sense_does_not_end_the_listener(
    cast: Cast, shop: TargetDatabase, token: Any, redis_url: str
) -> None:
    with under_way(cast, shop, authenticate(token.token)) as ended:
        with redis.Redis.from_url(redis_url) as client:
            client.publish(revocations.channel(), b"not json")
        revoke(token.credential, actor="test")
        assert isinstance(ended(), Cancelled)
