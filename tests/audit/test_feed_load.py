"""The live feed at a thousand entries a second with fifty listeners, through a real server process."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect

from audit import live
from audit.models import Head
from tests.audit.test_feed_server import sign_in
from tests.fixtures import ground
from tests.fixtures.servers import Server

PER_SECOND = 1000
ENTRIES = 3000
LISTENERS = 50


def write(database: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database}
    command = [sys.executable, "-m", "bench.feed_writer", str(PER_SECOND), str(ENTRIES)]
    return subprocess.Popen(command, cwd=ground.REPOSITORY, env=environment)


@asynccontextmanager
async def listening(server: Server, key: str, *, many: bool) -> AsyncIterator[ClientConnection]:
    address = urlsplit(server.url)
    headers = {"Cookie": f"countersign_session_{address.port}={key}", "Origin": server.url}
    place = f"ws://{address.netloc}/ws/feed"
    async with connect(place, additional_headers=headers, max_queue=2, open_timeout=60, ping_timeout=None) as socket:
        await socket.send(json.dumps({"after": -1, "many": many}))
        yield socket


async def take(socket: ClientConnection, count: int) -> list[int]:
    indexes: list[int] = []
    while len(indexes) < count:
        message = json.loads(await asyncio.wait_for(socket.recv(), 60))
        indexes += [one["index"] for one in (message if isinstance(message, list) else [message])]
    return indexes


async def hear(server: Server, key: str, size: int, writer: subprocess.Popen[bytes]) -> None:
    """Most ask for many at once, one asks for each singly, and one does not read before the others have everything."""
    everything = list(range(size))

    async def listen(number: int) -> None:
        async with listening(server, key, many=number > 0) as socket:
            assert await take(socket, size) == everything

    async with listening(server, key, many=False) as slow:
        await asyncio.gather(*(listen(number) for number in range(LISTENERS - 1)))
        assert writer.poll() in (None, 0)
        assert await take(slow, size) == everything


def test_fifty_listeners_get_a_thousand_entries_a_second_in_order_without_gap_or_repeat(
    control_db: str, web_server: Server
):
    key = sign_in()
    size = Head.objects.get(id=1).size + ENTRIES
    writer = write(control_db)
    try:
        asyncio.run(hear(web_server, key, size, writer))
    finally:
        assert writer.wait(60) == 0


def test_what_is_remembered_is_bounded_in_number_and_bytes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "REMEMBERED", 10)
    monkeypatch.setattr(live, "REMEMBERED_BYTES", 50)
    tail = live.Tail()
    tail._remember([(index, "x" * 10) for index in range(20)])
    assert [index for index, _ in tail._items] == [15, 16, 17, 18, 19]
    tail._remember([(20, "x" * 100)])
    assert not tail._items
    assert tail._size == 0


def test_what_is_old_is_read_beside_what_is_new(monkeypatch: pytest.MonkeyPatch):
    """A listener far behind waits for its own reading; one that keeps up does not wait for it."""

    async def run() -> None:
        tail, gate = live.Tail(), asyncio.Event()

        async def old(index: int) -> list[live.Item]:
            await gate.wait()
            return [(index + 1, "old")]

        async def new(index: int) -> list[live.Item]:
            return [(index + 1, "new")]

        monkeypatch.setattr(live, "read_old_after", old)
        monkeypatch.setattr(live, "read_after", new)
        await tail.after(99)
        behind = asyncio.create_task(tail.after(5))
        assert await tail.after(100) == [(101, "new")]
        assert not behind.done()
        gate.set()
        assert await behind == [(6, "old")]

    asyncio.run(run())
