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
from django.db import DatabaseError, InterfaceError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from audit.announcements import channel
from audit.search import current_head, entries_after, entry_json

logger = logging.getLogger(__name__)

BATCH = 200
# What listeners that keep up may be behind: some seconds at a thousand entries a second.
REMEMBERED = 4000
REMEMBERED_BYTES = 16 * 1024 * 1024
# Listeners that are further behind read by themselves; so many at a time, whatever their number.
CATCHING_UP = 2
RECONNECT_AFTER = 1.0

# An index and the entry's JSON text.
Item = tuple[int, str]


def _read_after(index: int) -> list[Item]:
    return [(entry.index, orjson.dumps(entry_json(entry)).decode()) for entry in entries_after(index, BATCH)]


read_after = database_sync_to_async(_read_after)
# In threads of their own: what is new never waits behind what is old.
read_old_after = database_sync_to_async(_read_after, thread_sensitive=False)


@database_sync_to_async
def _head_size() -> int | None:
    try:
        return current_head().size
    except (DatabaseError, InterfaceError):
        return None


class Tail:
    """The newest entries, already as text, without gaps."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._size = 0
        self._reading = asyncio.Lock()
        self._catching_up = asyncio.Semaphore(CATCHING_UP)

    async def after(self, index: int) -> list[Item]:
        """At most BATCH entries that follow `index`; none only if there are none."""
        if known := self._known_after(index):
            return known
        if self._items and index < self._items[0][0] - 1:
            async with self._catching_up:
                return await read_old_after(index)
        async with self._reading:
            # Another listener may have read it while this one waited.
            if known := self._known_after(index):
                return known
            items = await read_after(index)
            if not self._items or self._items[-1][0] == index:
                self._remember(items)
            return items

    def _remember(self, items: list[Item]) -> None:
        self._items.extend(items)
        self._size += sum(len(text) for _, text in items)
        while len(self._items) > REMEMBERED or self._size > REMEMBERED_BYTES:
            self._size -= len(self._items.popleft()[1])

    def forget(self) -> None:
        self._items.clear()
        self._size = 0

    def is_beyond(self, size: int) -> bool:
        """A log that is shorter than what is remembered is another log: the database was replaced."""
        return bool(self._items) and self._items[-1][0] >= size

    def _known_after(self, index: int) -> list[Item]:
        if not self._items or index < self._items[0][0] - 1 or index >= self._items[-1][0]:
            return []
        start = index + 1 - self._items[0][0]
        return list(islice(self._items, start, start + BATCH))


class Live:
    def __init__(self) -> None:
        self.tail = Tail()
        # As far as the log is announced to go; 0 where that is not known.
        self.announced = 0
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
                self._forget()

    def _is_wanted(self) -> bool:
        """Asked beside being cancelled: what is awaited may finish in the same moment and swallow the cancellation."""
        return self._ear is asyncio.current_task()

    async def _listen(self) -> None:
        while self._is_wanted():
            try:
                await self._listen_until_broken()
            except (RedisError, OSError) as error:
                self.announced = 0
                # Feeds look by themselves every two seconds meanwhile.
                logger.debug("the live feed does not hear Redis: %s", error)
            await asyncio.sleep(RECONNECT_AFTER)

    async def _listen_until_broken(self) -> None:
        async with Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2) as client, client.pubsub() as pubsub:
            await pubsub.subscribe(channel())
            while self._is_wanted():
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
                if message is not None:
                    await self._hear(int(message["data"]))

    async def _hear(self, size: int) -> None:
        # One of several writers may tell late what another has told already: the log itself knows.
        if self.tail.is_beyond(size) and (head := await _head_size()) is not None:
            size = max(size, head)
        if self.tail.is_beyond(size):
            self._forget()
        else:
            self.announced = max(size, self.announced)
        self._wake_all()

    def _forget(self) -> None:
        self.tail.forget()
        self.announced = 0

    def _wake_all(self) -> None:
        for wake in self._listeners:
            wake.set()


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Live] = WeakKeyDictionary()


def live() -> Live:
    """The one of the running event loop."""
    return _of_loop.setdefault(asyncio.get_running_loop(), Live())
