"""The live feed: every entry in order, none missing, none twice, for signed-in people only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from audit import feed, ledger, live
from audit.routing import websocket_urlpatterns
from identity.models import User
from identity.signals import announced

pytestmark = pytest.mark.usefixtures("control_db")
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore


class Feed(ApplicationCommunicator):
    """The client's end of a WebSocket."""

    async def send_text(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def ask(self, after: int | None) -> None:
        await self.send_text(json.dumps({"after": after}))

    async def message(self) -> dict[str, Any]:
        output = await self.receive_output(timeout=5)
        assert output["type"] == "websocket.send", output
        message: dict[str, Any] = json.loads(output["text"])
        return message


@sync_to_async
def sign_in(name: str = "rita") -> str:
    """The key of a session like the one that the sign-in page makes."""
    with announced():
        user, _ = User.objects.get_or_create(username=name)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


@asynccontextmanager
async def connected(session_key: str) -> AsyncIterator[Feed]:
    cookie = f"{settings.SESSION_COOKIE_NAME}={session_key}".encode()
    scope = {"type": "websocket", "path": "/ws/feed", "query_string": b"", "headers": [(b"cookie", cookie)]}
    socket = Feed(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), scope)
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output(timeout=5))["type"] == "websocket.accept"
    try:
        yield socket
    finally:
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(timeout=5)


async def record(count: int = 1) -> None:
    for _ in range(count):
        await asyncio.to_thread(ledger.append, "statement.denied", principal="agent:a", payload={"sql": "secret"})


async def receive(socket: Feed, count: int) -> list[int]:
    return [(await socket.message())["index"] for _ in range(count)]


async def test_from_the_start_every_entry_comes_in_order():
    await record(5)
    async with connected(await sign_in()) as socket:
        await socket.ask(-1)
        assert await receive(socket, 5) == [0, 1, 2, 3, 4]
        assert await socket.receive_nothing()


async def test_a_client_resumes_after_the_index_that_it_has():
    await record(5)
    async with connected(await sign_in()) as socket:
        await socket.ask(2)
        assert await receive(socket, 2) == [3, 4]


async def test_from_now_on_only_new_entries_come():
    await record(3)
    async with connected(await sign_in()) as socket:
        await socket.ask(None)
        assert await socket.receive_nothing(timeout=0.3)
        await record()
        assert await receive(socket, 1) == [3]


async def test_a_message_is_the_entry_without_its_payload():
    await record()
    async with connected(await sign_in()) as socket:
        await socket.ask(-1)
        message = await socket.message()
    assert (message["title"], message["principal"]) == ("Statement denied", "agent:a")
    assert "secret" not in str(message)


async def test_redis_wakes_the_feed_long_before_it_looks_by_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feed, "LONGEST_SILENCE", 60)
    async with connected(await sign_in()) as socket:
        await socket.ask(-1)
        # Once for the subscription, which takes effect at some moment after the connection.
        while await socket.receive_nothing(timeout=0.2):
            await record()
        before = (await receive(socket, 1))[0]
        await record()
        assert before == 0
        assert await receive(socket, 1) == [1]


async def test_without_redis_the_feed_looks_by_itself():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
        patch.setattr(feed, "LONGEST_SILENCE", 0.2)
        async with connected(await sign_in()) as socket:
            await socket.ask(-1)
            await record(2)
            assert await receive(socket, 2) == [0, 1]


async def test_a_client_far_behind_gets_everything_while_more_is_written(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "BATCH", 7)
    monkeypatch.setattr(live, "REMEMBERED", 10)
    await record(60)
    async with connected(await sign_in()) as ahead, connected(await sign_in()) as behind:
        await ahead.ask(50)
        await receive(ahead, 9)
        writing = asyncio.create_task(record(40))
        await behind.ask(-1)
        assert await receive(behind, 100) == list(range(100))
        assert await receive(ahead, 40) == list(range(60, 100))
        await writing


async def test_several_listeners_each_get_everything_once():
    key = await sign_in()
    async with connected(key) as first, connected(key) as second, connected(key) as third:
        sockets = (first, second, third)
        for socket in sockets:
            await socket.ask(-1)
        await record(30)
        for socket in sockets:
            assert await receive(socket, 30) == list(range(30))
            assert await socket.receive_nothing()


async def test_a_second_position_replaces_the_first():
    await record(3)
    async with connected(await sign_in()) as socket:
        await socket.ask(-1)
        await receive(socket, 3)
        await socket.ask(1)
        assert await receive(socket, 1) == [2]


async def test_positions_that_come_while_entries_do_never_hang():
    """A cancellation may meet the news of an entry; neither may be lost."""
    await record()
    async with connected(await sign_in()) as socket:
        for number in range(20):
            recording = asyncio.create_task(record())
            await socket.ask(number - 1)
            while (await socket.message())["index"] < number:
                pass
            await recording
        await socket.ask(19)
        while (await socket.message())["index"] != 20:
            pass


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"after": "3"}',
        '{"after": -2}',
        '{"after": true}',
        '{"after": 1.5}',
        '{"after": 1, "x": 2}',
        '{"after": 1, "many": 1}',
        '{"many": true}',
    ],
)
async def test_a_message_that_is_not_understood_is_answered_and_the_feed_stays_open(message: str):
    await record()
    async with connected(await sign_in()) as socket:
        await socket.send_text(message)
        assert '{"after": INDEX}' in (await socket.message())["error"]
        await socket.ask(-1)
        assert await receive(socket, 1) == [0]


async def test_a_binary_message_is_not_understood():
    async with connected(await sign_in()) as socket:
        await socket.send_input({"type": "websocket.receive", "bytes": b"\x00"})
        assert "error" in await socket.message()


async def closed_with(socket: Feed) -> int:
    while True:
        message = await socket.receive_output(timeout=5)
        if message["type"] == "websocket.close":
            return int(message["code"])


@pytest.mark.parametrize("key", ["", "made-up-session-key-000000000000"])
async def test_who_is_not_signed_in_is_sent_away(key: str):
    async with connected(key) as socket:
        assert await closed_with(socket) == 4401


async def test_what_somebody_sends_who_is_not_signed_in_starts_nothing():
    await record()
    async with connected("") as socket:
        await socket.ask(-1)
        outputs = [await socket.receive_output(timeout=5) for _ in range(2)]
        assert {output["type"] for output in outputs} == {"websocket.close"}


def sign_out(key: str) -> None:
    SessionStore(key).flush()


def deactivate(_key: str) -> None:
    User.objects.update(is_active=False)


def change_password(_key: str) -> None:
    User.objects.update(password="another")


@pytest.mark.parametrize("ending", [sign_out, deactivate, change_password])
async def test_p8_a_session_that_ends_ends_its_feed(monkeypatch: pytest.MonkeyPatch, ending: Callable[[str], None]):
    monkeypatch.setattr(feed, "LONGEST_SILENCE", 0.1)
    key = await sign_in()
    async with connected(key) as socket:
        await socket.ask(-1)
        await sync_to_async(ending)(key)
        assert await closed_with(socket) == 4401
