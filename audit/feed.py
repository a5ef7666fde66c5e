"""`/ws/feed`: every entry, in order, none missing, none twice, as it happens.

    client: {"after": 41}        entries from 42 on       {"after": -1}: all       {"after": null}: from now on
            {"after": 41, "many": true}: the same, with several entries in one message where several are there
    server: {"index": 42, …}     one message per entry    {"error": "…"}: the message was not understood
            [{"index": 42, …}, …]                         where many were asked for

The position is the client's, so a connection that broke resumes where it was. Entries are read by index at the pace of
the client: a slow one is never dropped and never makes anything queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from importlib import import_module
from typing import Any, NamedTuple

import orjson
from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from audit.live import Item, live
from audit.search import current_head

logger = logging.getLogger(__name__)

NOT_SIGNED_IN = 4401
LONGEST_SILENCE = 2.0
USAGE = (
    'send {"after": INDEX}: an index from -1 on, or null to start with what happens next; with "many": true, messages'
    " are arrays of entries"
)


class Wish(NamedTuple):
    """What a client asked for. `many`: one message costs about as much as another, however much is in it."""

    after: int | None
    many: bool


class BadMessage(ValueError):
    """What the client sent was not understood."""


class FeedConsumer(AsyncWebsocketConsumer):
    # Entries come from the database, news of them from audit.live: a silent Redis must not end the connection.
    channel_layer_alias = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pump: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        # Accepted first: a browser sees the code of a refusal only on an open connection.
        await self.accept()
        if not await self._signed_in():
            await self.close(NOT_SIGNED_IN)

    async def disconnect(self, code: int) -> None:
        await self._stop()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            wish = _read_message(text_data)
        except BadMessage as error:
            await self.send(orjson.dumps({"error": str(error)}).decode())
            return
        if not await self._signed_in():
            await self.close(NOT_SIGNED_IN)
            return
        await self._stop()
        self._pump = asyncio.create_task(self._run(wish))

    async def _stop(self) -> None:
        pump, self._pump = self._pump, None
        # Asked until it ends: what is awaited inside may finish in the same moment and swallow one cancellation.
        while pump is not None and not pump.done():
            pump.cancel()
            await asyncio.wait([pump], timeout=0.1)

    async def _run(self, wish: Wish) -> None:
        try:
            await self._send_entries(wish)
        except Exception:
            logger.exception("the live feed failed")
            await self.close(1011)

    async def _send_entries(self, wish: Wish) -> None:
        shared, checked, after = live(), time.monotonic(), wish.after
        with shared.listening() as wake:
            while True:
                wake.clear()
                try:
                    if after is None:
                        after = (await database_sync_to_async(current_head)()).size - 1
                    items = await shared.tail.after(after)
                    for last, text in _messages(items, many=wish.many):
                        await self.send(text)
                        after = last
                    if time.monotonic() - checked >= LONGEST_SILENCE:
                        if not await self._signed_in():
                            await self.close(NOT_SIGNED_IN)
                            return
                        checked = time.monotonic()
                except (DatabaseError, InterfaceError) as error:
                    logger.warning("the live feed waits for the database: %s", error)
                    items = []
                # With all that is announced, the next announcement is waited for: it brings several entries at once.
                if not items or (after is not None and 0 < shared.announced <= after + 1):
                    await _wait(wake)

    async def _signed_in(self) -> bool:
        """Asked again all the time, from the stored session: signing out or deactivating a person ends the feed (P8)."""
        key = self.scope["session"].session_key
        if not key:
            return False
        stored = import_module(settings.SESSION_ENGINE).SessionStore(key)
        user = await get_user({"session": stored})  # type: ignore[typeddict-item]  # all it reads
        return bool(user.is_authenticated and user.is_active)


def _messages(items: list[Item], *, many: bool) -> list[Item]:
    """Each with the index of the last entry in it."""
    if not many or not items:
        return items
    return [(items[-1][0], f"[{','.join(text for _, text in items)}]")]


def _read_message(text: str | None) -> Wish:
    try:
        message = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        raise BadMessage(f"not JSON; {USAGE}") from None
    if not isinstance(message, dict) or not {"after"} <= message.keys() <= {"after", "many"}:
        raise BadMessage(USAGE)
    after, many = message["after"], message.get("many", False)
    if type(many) is bool and (after is None or (type(after) is int and -1 <= after < 2**63)):
        return Wish(after, many)
    raise BadMessage(USAGE)


async def _wait(wake: asyncio.Event) -> None:
    # Not wait_for: until Python 3.12 it may swallow a cancellation that meets the event.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_SILENCE):
            await wake.wait()
