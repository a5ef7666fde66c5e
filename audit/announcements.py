"""Tells every process over Redis how far the log goes, so that live feeds look at once instead of at the next tick.

Only speed depends on it. Announcing neither delays nor fails an append: a background thread sends the latest size, and
what grew in between is one message.
"""

from __future__ import annotations

import logging
import os
import threading

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

# A page that is told more often than this shows nothing more to an eye.
SHORTEST_PAUSE = 0.05


def channel() -> str:
    return f"{settings.REDIS_PREFIX}:ledger"


class Announcer:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._size = 0
        self._pending = False
        self._thread: threading.Thread | None = None

    def announce(self, size: int) -> None:
        with self._changed:
            self._size, self._pending = max(size, self._size) if self._pending else size, True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ledger-announcer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        pause = threading.Event()
        client: redis.Redis | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending)
                size, self._pending = self._size, False
            try:
                client = client or redis.Redis.from_url(
                    settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1, health_check_interval=15
                )
                client.publish(channel(), size)
            except redis.RedisError as error:
                # Feeds find the entries by themselves within two seconds.
                logger.debug("could not announce ledger size %d: %s", size, error)
                client = None
            pause.wait(SHORTEST_PAUSE)


_announcer = Announcer()


def announce(size: int) -> None:
    _announcer.announce(size)


def _forget_parent() -> None:
    """A forked child has neither the parent's thread nor a right to its locks."""
    global _announcer
    _announcer = Announcer()


os.register_at_fork(after_in_child=_forget_parent)
