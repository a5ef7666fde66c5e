"""A way to a database on which a COMMIT, or the answer to it, can be held back: the moments at which a process may die."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

# Only transactions whose id was asked for: those of writes that the gateway is about to commit.
ABOUT_TO_COMMIT = b"pg_current_xact_id"


class Gate:
    """`hold("commit")`: the next COMMIT of a write does not reach the server. `hold("answer")`: it does, and its answer does
    not come back. `reached` is set then; `open` lets everything through again whose sender is still there."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._target = (self._parts.hostname or "", self._parts.port or 0)
        self._held = ""
        self._go_on = threading.Event()
        self.reached = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        account = self._parts.netloc.rpartition("@")[0]
        return urlunsplit(self._parts._replace(netloc=f"{account}@127.0.0.1:{self._listener.getsockname()[1]}"))

    def hold(self, what: str) -> None:
        self.reached.clear()
        self._go_on.clear()
        self._held = what

    def open(self) -> None:
        """What was held back goes on, if anybody is still there."""
        self._held = ""
        self._go_on.set()

    def close(self) -> None:
        self.open()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(self._target)
                except OSError:  # the server is away
                    near.close()
                    continue
                state = {"write": False, "committing": False}
                threading.Thread(target=self._carry, args=[near, far, state, True], daemon=True).start()
                threading.Thread(target=self._carry, args=[far, near, state, False], daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, state: dict[str, bool], outward: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if outward:
                    state["write"] |= ABOUT_TO_COMMIT in data
                    state["committing"] |= state["write"] and b"COMMIT" in data
                if state["committing"] and self._held == ("commit" if outward else "answer"):
                    self.reached.set()
                    self._go_on.wait(60)
                    if self._gone(source if outward else sink):
                        break
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _gone(self, client: socket.socket) -> bool:
        """The process at the near end has died: what it had not sent yet by then was never sent."""
        client.setblocking(False)
        try:
            return client.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            client.setblocking(True)
