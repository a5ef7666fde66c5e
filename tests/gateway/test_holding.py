"""A session waits for people: it is woken, told, and never holds up others; what was approved it runs itself, once."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from approvals import services as approvals
from approvals.models import Request
from approvals.states import State
from audit.models import Entry
from gateway import execution, running
from gateway.admission import receive
from gateway.holding import CannotBeHeld, HeldOutcome, How, hold
from gateway.models import Query
from gateway.parking import park
from gateway.pipeline import decide
from gateway.queries import cancel
from governance.errors import Cancelled
from governance.policy import store as policy_store
from identity.credentials import authenticate, issue, revoke
from identity.errors import NotAuthenticated
from tests.factories import ACTOR, Cast

DELETE = "DELETE FROM orders WHERE status = 'open'"
PROMISED = 2.0


def parked(cast: Cast, principal: Any = None, sql: str = DELETE) -> Query:
    """As a door with sessions parks: nobody else is to run it."""
    submission = cast.submission(sql, door="wire")
    if principal is not None:
        object.__setattr__(submission, "principal", principal)
    query = receive(submission.principal, submission).query
    assessment = decide(submission.principal, query)
    return park(submission.principal, query, assessment, carrier=Request.Carrier.CALLER)


@contextmanager
def held(query: Query, *, seconds: float = 20, **how: Any) -> Iterator[Callable[[], HeldOutcome | BaseException]]:
    """A session waits inside the block; the value gives how that ended."""
    ends: list[HeldOutcome | BaseException] = []
    arguments = {"in_transaction": False, "holds_locks": False, "still_there": lambda: True, **how}

    def work() -> None:
        try:
            ends.append(hold(query, seconds=seconds, **arguments))
        except BaseException as error:  # noqa: BLE001 handed to the test
            ends.append(error)
        finally:
            connection.close()

    def end() -> HeldOutcome | BaseException:
        session.join(10)
        return ends[0] if ends else TimeoutError("it still waits")

    session = threading.Thread(target=work)
    session.start()
    deadline = time.monotonic() + 10
    while session.is_alive() and not running._registry.watchers:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield end
    session.join(10)


def approve(cast: Cast, query: Query) -> None:
    assert query.request_id is not None
    approvals.review(query.request_id, cast.principal(cast.rita), "approve", "")


def outcome(end: Callable[[], HeldOutcome | BaseException]) -> HeldOutcome:
    found = end()
    assert isinstance(found, HeldOutcome), found
    return found


def test_a_session_is_woken_by_the_approval(cast: Cast) -> None:
    query = parked(cast)
    with held(query) as end:
        approve(cast, query)
        begun = time.monotonic()
        assert outcome(end).how is How.APPROVED
        assert time.monotonic() - begun < PROMISED
    assert outcome(end).error() is None


def test_it_is_woken_also_when_the_message_is_lost(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.receivers.announce_move", lambda _request: None)
    query = parked(cast)
    with held(query) as end:
        approve(cast, query)
        begun = time.monotonic()
        assert outcome(end).how is How.APPROVED
        assert time.monotonic() - begun < PROMISED + 1


def test_what_was_approved_before_it_listened_is_not_waited_for(cast: Cast) -> None:
    query = parked(cast)
    approve(cast, query)
    with held(query) as end:
        assert outcome(end).how is How.APPROVED


def test_a_rejection_is_told_with_its_reason_and_the_request(cast: Cast) -> None:
    query = parked(cast)
    assert query.request_id is not None
    with held(query) as end:
        approvals.review(query.request_id, cast.principal(cast.rita), "reject", "Not on a Friday.")
        error = outcome(end).error()
    assert error is not None
    assert (error.sqlstate, str(query.request_id) in error.message) == ("YC002", True)
    assert "Not on a Friday." in error.remedy


def test_after_its_time_the_session_goes_on_and_the_request_stays(cast: Cast) -> None:
    query = parked(cast)
    with held(query, seconds=0) as end:
        error = outcome(end).error()
    assert error is not None
    assert (error.sqlstate, str(query.request_id) in error.message) == ("YC001", True)
    assert Request.objects.get().state == State.PENDING


def test_the_installation_bounds_how_long_any_session_waits(cast: Cast, settings: Any) -> None:
    settings.HOLD_SECONDS = 0
    query = parked(cast)
    with held(query, seconds=1000) as end:
        assert outcome(end).how is How.OVER


def test_nobody_waits_for_a_client_that_is_gone(cast: Cast) -> None:
    query = parked(cast)
    there = threading.Event()
    there.set()
    with held(query, still_there=there.is_set) as end:
        there.clear()
        assert outcome(end).how is How.GONE
    assert outcome(end).error() is None


def test_p8_revoking_the_credential_ends_the_waiting_at_once(cast: Cast) -> None:
    issued = issue(cast.bot, issued_by=ACTOR)
    query = parked(cast, authenticate(issued.token))
    with held(query) as end:
        begun = time.monotonic()
        revoke(issued.credential, actor=ACTOR)
        assert isinstance(end(), Cancelled)
        assert time.monotonic() - begun < PROMISED


def test_p8_who_was_revoked_before_does_not_wait_at_all(cast: Cast) -> None:
    issued = issue(cast.bot, issued_by=ACTOR)
    query = parked(cast, authenticate(issued.token))
    revoke(issued.credential, actor=ACTOR)
    with held(query) as end:
        assert isinstance(end(), NotAuthenticated)


def test_cancelling_the_query_ends_the_waiting(cast: Cast) -> None:
    query = parked(cast)
    with held(query) as end:
        cancel(cast.principal(cast.bot), query)
        assert outcome(end).how is How.ENDED


def test_a_transaction_that_holds_locks_is_refused_rather_than_held(cast: Cast) -> None:
    query = parked(cast)
    with held(query, in_transaction=True, holds_locks=True) as end:
        refused = outcome(end)
    error = refused.error()
    assert refused.how is How.REFUSED
    assert isinstance(error, CannotBeHeld)
    assert error.sqlstate == "YC003"


def test_policy_can_say_that_locks_are_held(cast: Cast) -> None:
    text = policy_store.fetch_version().text.replace('@id("mass-write")', '@id("mass-write") @hold("locks")')
    policy_store.activate(text, author=ACTOR)
    query = parked(cast)
    with held(query, in_transaction=True, holds_locks=True) as end:
        approve(cast, query)
        assert outcome(end).how is How.APPROVED


def test_the_ledger_says_who_waits_and_who_was_refused(cast: Cast) -> None:
    query = parked(cast)
    with held(query, seconds=0), held(query, holds_locks=True):
        pass
    told = [(entry.fields["state"], entry.fields["query"]) for entry in Entry.objects.filter(kind="statement.held")]
    assert told == [("waits", str(query.pk)), ("refused", str(query.pk))]


def test_no_worker_runs_what_a_session_is_to_run(cast: Cast) -> None:
    query = parked(cast)
    approve(cast, query)
    assert execution.execute_request(uuid.UUID(str(query.request_id))) == "left to its session"
