"""What runs in this process right now, and how to end it from anywhere (P8).

Each process listens on one Redis channel; a message names a query, a credential, an agent or a grant, and everything running
under it is broken off at the database. The message is only the speed: as long as something runs, the listener also asks the
control database every second who may no longer act, so a message that was lost delays the end, and no more.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson
import redis
from django.conf import settings
from django.db import Error as ControlDatabaseError
from django.db import close_old_connections
from psycopg_pool import PoolTimeout

from approvals.grants.holding import revoked_among
from approvals.models import Request
from approvals.states import State
from gateway.drivers.postgres import break_off
from governance.errors import Cancelled, GatewayError, ServiceUnavailable
from identity.credentials import ended_among, is_live
from identity.errors import NotAuthenticated
from identity.principals import Principal
from identity.revocations import channel

logger = logging.getLogger(__name__)
POLL_SECONDS = 1.0
MOVED = "request"


@dataclass(slots=True)
class RunningStatement:
    """`cancel` is None unless the driver has a connection for it; `ended_early` keeps it from starting, and from committing.

    `cancel` is called under the lock that `ended` waits for: a connection that went on to somebody else is never cancelled.
    """

    query_id: uuid.UUID
    principal: Principal
    grants: tuple[uuid.UUID, ...] = ()
    cancel: Callable[[], None] | None = None
    ended_early: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def started(self, cancel: Callable[[], None]) -> None:
        with self.lock:
            if self.ended_early:
                raise Cancelled("It was ended before it started. Nothing was run.")
            self.cancel = cancel

    def ended(self) -> None:
        with self.lock:
            self.cancel = None

    def still_wanted(self) -> None:
        if self.ended_early:
            raise Cancelled("It was broken off on request, before anything was changed or shown.")

    def end(self) -> None:
        self.ended_early = True
        with self.lock:
            if self.cancel is None:
                return
            try:
                break_off(self.cancel)
            except GatewayError as error:
                logger.warning("Query %s could not be broken off: %s", self.query_id, error.message)

    def is_named_by(self, subject: str, identifier: str) -> bool:
        if subject == "query":
            return str(self.query_id) == identifier
        if subject == "credential":
            return str(self.principal.credential_id) == identifier
        if subject == "grant":
            return identifier in map(str, self.grants)
        return subject == "agent" and not self.principal.is_person and str(self.principal.id) == identifier


class _Registry:
    """One a process; a fork starts with an empty one and its own listener."""

    def __init__(self) -> None:
        self.statements: dict[uuid.UUID, RunningStatement] = {}
        self.watchers: dict[uuid.UUID, set[threading.Event]] = {}
        self.lock = threading.Lock()
        self.listener: threading.Thread | None = None
        self.pid = os.getpid()
        self.listening = threading.Event()

    def ensure_listening(self) -> None:
        with self.lock:
            if self.listener is None or not self.listener.is_alive() or self.pid != os.getpid():
                self.pid = os.getpid()
                self.listening.clear()
                self.listener = threading.Thread(target=self._listen, name="countersign-revocations", daemon=True)
                self.listener.start()
        # A statement must not start before a revocation can reach it.
        if not self.listening.wait(timeout=3):
            raise ServiceUnavailable(
                "Revocations could not reach a running statement, so nothing was run.", remedy="Try again shortly."
            )

    def end_all(self, subject: str, identifier: str) -> None:
        with self.lock:
            named = [one for one in self.statements.values() if one.is_named_by(subject, identifier)]
        _end(named)

    def wake(self, requests: Iterable[uuid.UUID]) -> None:
        with self.lock:
            for request_id in requests:
                for event in self.watchers.get(request_id, ()):
                    event.set()

    def _listen(self) -> None:
        while True:
            try:
                with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=5) as client:
                    self._follow(client)
            except redis.RedisError:
                self.listening.clear()
            except Exception:  # a listener that is gone would leave everything that runs out of reach
                logger.exception("The listener for revocations failed and starts again.")
                self.listening.clear()
            self._look()
            time.sleep(0.5)

    def _follow(self, client: redis.Redis) -> None:
        with client.pubsub() as subscription:  # type: ignore[no-untyped-call]
            subscription.subscribe(channel())
            # The first answer is the subscription itself: from then on nothing is missed.
            first = subscription.get_message(timeout=2)
            if first is None or first["type"] != "subscribe":
                raise redis.ConnectionError("Redis did not confirm the subscription")
            self.listening.set()
            looked = time.monotonic()
            while True:
                message = subscription.get_message(timeout=POLL_SECONDS)
                if message and message["type"] == "message":
                    order = orjson.loads(message["data"])
                    if order["subject"] == MOVED:
                        self.wake([uuid.UUID(order["id"])])
                    else:
                        self.end_all(order["subject"], order["id"])
                if time.monotonic() - looked >= POLL_SECONDS:
                    self._look()
                    looked = time.monotonic()

    def _look(self) -> None:
        """Ends what runs for those who may no longer act, and once more what was ended and still runs: a request to cancel
        that arrives while the server is between two commands is lost."""
        with self.lock:
            statements, watched = list(self.statements.values()), list(self.watchers)
        if not statements:
            return
        ended = [one for one in statements if one.ended_early]
        try:
            gone = ended_among({one.principal for one in statements})
            revoked = revoked_among({grant for one in statements for grant in one.grants})
            lost = (one for one in statements if one.principal in gone or not revoked.isdisjoint(one.grants))
            ended += [one for one in lost if not one.ended_early]
            if watched:
                self.wake(
                    Request.objects.filter(pk__in=watched).exclude(state=State.PENDING).values_list("pk", flat=True)
                )
        except (ControlDatabaseError, PoolTimeout) as error:
            logger.warning("Revocations could not be looked up: %s", error)
        finally:
            close_old_connections()
        _end(ended)


def _end(statements: Iterable[RunningStatement]) -> None:
    """Each in a thread of its own: a data source that does not answer must not hold up the end of the others."""
    for statement in statements:
        statement.ended_early = True
        threading.Thread(target=statement.end, name="countersign-end", daemon=True).start()


_registry = _Registry()


@contextmanager
def running(
    query_id: uuid.UUID, principal: Principal, *, grants: tuple[uuid.UUID, ...] = (), allow_expired: bool = False
) -> Iterator[RunningStatement]:
    """Registers a statement for as long as it runs. Asks once more, now that a revocation would reach it, whether the
    credential still lives and no grant that it runs under was revoked: there is no moment in between. Raises
    `NotAuthenticated`; what a grant no longer lets run is never started."""
    _registry.ensure_listening()
    statement = RunningStatement(query_id, principal, grants)
    with _registry.lock:
        _registry.statements[query_id] = statement
    try:
        if principal.credential_id and not is_live(principal.credential_id, allow_expired=allow_expired):
            raise NotAuthenticated("revoked or expired since the door let it in")
        if revoked_among(grants):
            statement.ended_early = True
        yield statement
    finally:
        with _registry.lock:
            _registry.statements.pop(query_id, None)


@contextmanager
def watching(request_id: uuid.UUID, moved: threading.Event) -> Iterator[None]:
    """Sets `moved` when the request leaves `pending`, at the latest a second after that. To be used inside `running`."""
    with _registry.lock:
        _registry.watchers.setdefault(request_id, set()).add(moved)
    try:
        yield
    finally:
        with _registry.lock:
            _registry.watchers[request_id].discard(moved)
            if not _registry.watchers[request_id]:
                del _registry.watchers[request_id]


def announce_move(request_id: uuid.UUID) -> None:
    """For whoever waits for a request, in any process. A message that is lost delays them by a second."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1) as client:
            client.publish(channel(), orjson.dumps({"subject": MOVED, "id": str(request_id)}))
    except redis.RedisError as error:
        logger.warning("That request %s moved could not be announced: %s", request_id, error)


def _after_fork() -> None:
    global _registry
    _registry = _Registry()


os.register_at_fork(after_in_child=_after_fork)
