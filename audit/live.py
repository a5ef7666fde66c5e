"""What the live feeds of one process share: one ear on Redis, and one reading of each new entry.

Fifty open dashboards cost the database as much as one. A listener that is further behind than the shared tail reads by
index for itself; nothing is ever skipped, since every listener asks for "what comes after the index that I have".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterator
from itertools import islice
from weakref import WeakKeyDictionary

import orjson
from channels.db import database_sync_to_async
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from audit.announcements import channel
from audit.search import entries_after, entry_json

logger = logging.getLogger(__name__)

BATCH = 200
REMEMBERED = 1000
RECONNECT_AFTER = 1.0

# An index and the entry's JSON text.
Item = tuple[int, str]


@database_sync_to_async
def read_after(index: int) -> list[Item]:
    return [(entry.index, orjson.dumps(entry_json(entry)).decode()) for entry in entries_after(index, BATCH)]


class Tail:
    """The newest entries, already as text, without gaps."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque(maxlen=REMEMBERED)
        self._reading = asyncio.Lock()

    async def after(self, index: int) -> list[Item]:
        """At most BATCH entries that follow `index`; none only if there are none."""
        if known := self._known_after(index):
            return known
        async with self._reading:
            # Another listener may have read it while this one waited.
            if known := self._known_after(index):
                return known
            items = await read_after(index)
            if not self._items or self._items[-1][0] == index:
                self._items.extend(items)
            return items

    def forget(self) -> None:
        self._items.clear()

    def forget_if_beyond(self, size: int) -> None:
        """A log that is shorter than what is remembered is another log: the database was replaced."""
        if self._items and self._items[-1][0] >= size:
            self.forget()

    def _known_after(self, index: int) -> list[Item]:
        if not self._items or index < self._items[0][0] - 1 or index >= self._items[-1][0]:
            return []
        start = index + 1 - self._items[0][0]
        return list(islice(self._items, start, start + BATCH))


class Live:
    def __init__(self) -> None:
        self.tail = Tail()
        self._listeners: set[asyncio.Event] = set()
        self._ear: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever the log may have grown."""
        wake = asyncio.Event()
        self._listeners.add(wake)
        if self._ear is None or self._ear.done():
            self._ear = asyncio.get_running_loop().create_task(self._listen())
        try:
            yield wake
        finally:
            self._listeners.discard(wake)
            if not self._listeners:
                self._ear.cancel()
                self._ear = None
                self.tail.forget()

    def _is_wanted(self) -> bool:
        """Asked beside being cancelled: what is awaited may finish in the same moment and swallow the cancellation."""
        return self._ear is asyncio.current_task()

    async def _listen(self) -> None:
        while self._is_wanted():
            try:
                await self._listen_until_broken()
            except (RedisError, OSError) as error:
                # Feeds look by themselves every two seconds meanwhile.
                logger.debug("the live feed does not hear Redis: %s", error)
            await asyncio.sleep(RECONNECT_AFTER)

    async def _listen_until_broken(self) -> None:
        async with Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2) as client, client.pubsub() as pubsub:
            await pubsub.subscribe(channel())
            while self._is_wanted():
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
                if message is not None:
                    self.tail.forget_if_beyond(int(message["data"]))
                    self._wake_all()

    def _wake_all(self) -> None:
        for wake in self._listeners:
            wake.set()


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Live] = WeakKeyDictionary()


def live() -> Live:
    """The one of the running event loop."""
    return _of_loop.setdefault(asyncio.get_running_loop(), Live())
