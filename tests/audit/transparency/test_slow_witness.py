"""A witness that never comes to an end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from audit.transparency import checkpoints, cosigning
from audit.transparency.cosigning import cosign
from audit.transparency.stores import WitnessError
from tests.audit.transparency.witness_server import Cosigner

BEGINNINGS = {
    "headers": b"HTTP/1.1 200 OK\r\nX-Slow: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\n\r\n",
}


@pytest.fixture(params=BEGINNINGS)
def dripping(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that answers one byte at a time, for as long as somebody listens."""
    stop = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            link, _ = server.accept()
            with link:
                link.sendall(BEGINNINGS[request.param])
                while not stop.wait(0.05):
                    link.sendall(b"x")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    stop.set()
    server.close()
    thread.join(5)


def test_a_witness_that_answers_byte_by_byte_is_cut_off(
    control_db: str, dripping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosigning, "REQUEST_SECONDS", 0.3)
    with pytest.raises(WitnessError, match=r"took longer than 0\.3 seconds"):
        cosign(dripping, Cosigner().verifier_key, checkpoints.latest(), 0)
