"""The whole product as it is deployed: web, worker, browser, and connections that can be cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest

from tests.gateway.conftest import cast, shop

__all__ = ["cast", "shop"]


class Agent:
    """What an agent has: an address and a token."""

    def __init__(self, url: str, token: str) -> None:
        self.client = httpx.Client(base_url=f"{url}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def submit(self, sql: str, **more: Any) -> httpx.Response:
        return self.client.post("queries", json={"datasource": "shop", "sql": sql, **more})

    def get(self, path: str) -> Any:
        return self.client.get(path).json()


class Cable:
    """A TCP connection to a service that can be pulled and plugged in again: what stopping the service looks like."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._target = (self._parts.hostname or "", self._parts.port or 0)
        self._open: set[socket.socket] = set()
        self._listener = self._listen(0)
        self._port = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        account = self._parts.netloc.rpartition("@")[0]
        return urlunsplit(self._parts._replace(netloc=f"{account}@127.0.0.1:{self._port}"))

    def pull(self) -> None:
        """Refuses new connections and breaks those that are open."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def plug(self) -> None:
        self._listener = self._listen(self._port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._open |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=[source, sink], daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open -= {source, sink}


@pytest.fixture
def cable() -> Iterator[Any]:
    """`cable(url)` gives a cable to that service."""
    with ExitStack() as stack:

        def lay(url: str) -> Cable:
            one = Cable(url)
            stack.callback(one.pull)
            return one

        yield lay
