"""What runs in this process right now, and how to end it from anywhere (P8).

Each process listens on one Redis channel; a message names a query, a credential or an agent, and everything running under
it is broken off at the database. When Redis was away and comes back, the listener asks the database what was revoked.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson
import redis
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from gateway.drivers.postgres import break_off
from governance.errors import Cancelled, GatewayError, ServiceUnavailable
from identity.credentials import is_live
from identity.errors import NotAuthenticated
from identity.principals import Principal
from identity.revocations import channel

logger = logging.getLogger(__name__)
POLL_SECONDS = 1.0


@dataclass(slots=True)
class RunningStatement:
    """`cancel` is None until the driver has a connection; `ended_early` then keeps it from starting at all."""

    query_id: uuid.UUID
    principal: Principal
    cancel: Callable[[], None] | None = None
    ended_early: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def started(self, cancel: Callable[[], None]) -> None:
        with self.lock:
            if self.ended_early:
                raise Cancelled("It was ended before it started. Nothing was run.")
            self.cancel = cancel

    def end(self) -> None:
        with self.lock:
            self.ended_early = True
            cancel = self.cancel
        if cancel is not None:
            try:
                break_off(cancel)
            except GatewayError as error:
                logger.warning("Query %s could not be broken off: %s", self.query_id, error.message)

    def is_named_by(self, subject: str, identifier: str) -> bool:
        if subject == "query":
            return str(self.query_id) == identifier
        if subject == "credential":
            return str(self.principal.credential_id) == identifier
        return subject == "agent" and not self.principal.is_person and str(self.principal.id) == identifier


class _Registry:
    """One a process; a fork starts with an empty one and its own listener."""

    def __init__(self) -> None:
        self.statements: dict[uuid.UUID, RunningStatement] = {}
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
        for statement in named:
            statement.end()

    def _listen(self) -> None:
        while True:
            try:
                with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=5) as client:
                    self._follow(client)
            except redis.RedisError:
                self.listening.clear()
                time.sleep(0.5)

    def _follow(self, client: redis.Redis) -> None:
        with client.pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call]
            subscription.subscribe(channel())
            # The first answer is the subscription itself: from then on nothing is missed.
            subscription.get_message(timeout=2)
            self.listening.set()
            self._catch_up()
            while True:
                message = subscription.get_message(timeout=POLL_SECONDS)
                if message and message["type"] == "message":
                    order = orjson.loads(message["data"])
                    self.end_all(order["subject"], order["id"])

    def _catch_up(self) -> None:
        """What was revoked while nobody could say so."""
        with self.lock:
            statements = list(self.statements.values())
        try:
            for statement in statements:
                credential = statement.principal.credential_id
                if credential and not is_live(credential, allow_expired=True):
                    statement.end()
        except DatabaseError as error:
            logger.warning("Revocations could not be looked up: %s", error)
        finally:
            close_old_connections()


_registry = _Registry()


@contextmanager
def running(query_id: uuid.UUID, principal: Principal, *, allow_expired: bool = False) -> Iterator[RunningStatement]:
    """Registers a statement for as long as it runs. Asks once more, now that a revocation would reach it, whether the
    credential still lives: there is no moment in between. Raises `NotAuthenticated`."""
    _registry.ensure_listening()
    statement = RunningStatement(query_id, principal)
    with _registry.lock:
        _registry.statements[query_id] = statement
    try:
        if principal.credential_id and not is_live(principal.credential_id, allow_expired=allow_expired):
            raise NotAuthenticated("revoked or expired since the door let it in")
        yield statement
    finally:
        with _registry.lock:
            _registry.statements.pop(query_id, None)


def _after_fork() -> None:
    global _registry
    _registry = _Registry()


os.register_at_fork(after_in_child=_after_fork)
