"""The live feed through a real server process and real sockets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from audit import ledger
from identity.models import User
from identity.signals import announced
from tests.fixtures.servers import Server

pytestmark = pytest.mark.usefixtures("control_db")


def sign_in() -> str:
    with announced():
        user = User.objects.create(username="rita")
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


@contextmanager
def feed(server: Server, key: str, origin: str | None = None) -> Iterator[ClientConnection]:
    address = urlsplit(server.url)
    headers = {"Cookie": f"countersign_session_{address.port}={key}", "Origin": origin or server.url}
    with connect(f"ws://{address.netloc}/ws/feed", additional_headers=headers, max_queue=1) as socket:
        yield socket


def record(number: int, filling: str = "") -> ledger.Receipt:
    return ledger.append("statement.denied", principal=f"agent:bot-{number}", sql_normal=filling or None)


def receive(socket: ClientConnection, count: int) -> list[int]:
    return [json.loads(socket.recv(timeout=20))["index"] for _ in range(count)]


def test_an_entry_reaches_a_signed_in_person_at_once(web_server: Server):
    with feed(web_server, sign_in()) as socket:
        socket.send('{"after": -1}')
        record(0)
        assert receive(socket, 1) == [0]
        # From here on the server hears Redis; alone it would look every two seconds.
        start = time.monotonic()
        for number in range(1, 6):
            record(number)
            assert receive(socket, 1) == [number]
        assert time.monotonic() - start < 2


def test_a_slow_client_misses_nothing_and_holds_up_nobody(web_server: Server):
    key = sign_in()
    with feed(web_server, key) as slow, feed(web_server, key) as quick, ThreadPoolExecutor(16) as pool:
        slow.send('{"after": -1}')
        quick.send('{"after": -1}')
        # More than sockets buffer, so that the server has to wait for the slow client.
        list(pool.map(lambda number: record(number, "x" * 20_000), range(1000)))
        assert receive(quick, 1000) == list(range(1000))
        assert receive(slow, 1000) == list(range(1000))


def test_who_is_not_signed_in_is_closed_with_a_code_that_a_browser_sees(web_server: Server):
    with feed(web_server, "nobody") as socket, pytest.raises(ConnectionClosedError) as closed:
        socket.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_a_page_of_another_host_cannot_open_the_feed(web_server: Server):
    with pytest.raises(InvalidStatus, match="403"), feed(web_server, sign_in(), origin="http://elsewhere.example"):
        pass
