"""The live feed: `python -m bench.feed [--entries 1000] [--listeners 50] [--seconds 10]`.

A process appends at a steady rate, a web process as in production serves `/ws/feed`, and listeners in processes of their
own take every entry and check that none is missing and none comes twice. Printed: how long an entry took from its time in
the log to each listener, how many arrived per second, and the processor time of the web process for each that arrived,
which does not depend on what else this machine does. Once as pages ask for entries, several in a message, once singly.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import selectors
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from bench.ground import ROOT, scratch_database

PATIENCE = 60


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--entries", type=int, default=1000, help="per second (default: 1000)")
    arguments.add_argument("--listeners", type=int, default=50)
    arguments.add_argument("--seconds", type=int, default=10)
    options = arguments.parse_args()
    print(f"{options.entries} entries/s, {options.listeners} listeners")
    print(f"{'messages':>10} {'p50 ms':>8} {'p99 ms':>8} {'delivered/s':>12} {'web µs/delivery':>16} {'web cores':>10}")
    with scratch_database():
        for many in (True, False):
            with web_process() as (url, process):
                measure(url, process, options, many=many)


def measure(url: str, process: subprocess.Popen[bytes], options: argparse.Namespace, *, many: bool) -> None:
    count = options.entries * options.seconds
    cookie = sign_in(url)
    first = log_size()
    context = multiprocessing.get_context("spawn")
    ready, heard = context.Event(), context.Queue()
    listening = context.Process(
        target=listen, args=(url, cookie, options.listeners, first, count, many, ready, heard), daemon=True
    )
    listening.start()
    if not ready.wait(PATIENCE):
        raise SystemExit("the listeners did not connect")
    used = cpu_seconds(process.pid)
    command = [sys.executable, "-m", "bench.feed_writer", str(options.entries), str(count)]
    subprocess.run(command, cwd=ROOT, check=True)
    delays, seconds, wrong = heard.get(timeout=PATIENCE + options.seconds)
    used = cpu_seconds(process.pid) - used
    if wrong or len(delays) != count * options.listeners:
        raise SystemExit(f"{len(delays)} of {count * options.listeners} arrived; out of order: {wrong}")
    delays.sort()
    print(
        f"{'several' if many else 'single':>10} {delays[len(delays) // 2]:>8.0f} {delays[len(delays) * 99 // 100]:>8.0f}"
        f" {len(delays) / seconds:>12,.0f} {1e6 * used / len(delays):>16.1f} {used / seconds:>10.2f}",
        flush=True,
    )


def log_size() -> int:
    from audit.models import Head

    return int(Head.objects.get(id=1).size)


def sign_in(url: str) -> str:
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from identity.models import User

    user, _ = User.objects.get_or_create(username="listener")
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"countersign_session_{urlsplit(url).port}={session.session_key}"


@contextmanager
def web_process() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """As production runs it; its process too, to ask for the processor time that it has used."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", f"--port={port}", "--no-access-log"]
    environment = {**os.environ, "COUNTERSIGN_PUBLIC_URL": url, "COUNTERSIGN_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen([*command, "--log-level=error"], cwd=ROOT, env=environment)
    try:
        yield url, process
    finally:
        process.terminate()
        process.wait(10)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- Listeners ----------------------------------------------------------------------------------------------------


@dataclass
class Listener:
    """A socket that speaks as little WebSocket as it takes: what listens must cost less than what is measured."""

    link: socket.socket
    expected: int
    held: bytearray = field(default_factory=bytearray)
    delays: list[float] = field(default_factory=list)
    wrong: int = 0

    def take(self) -> None:
        got = self.link.recv(1024 * 1024)
        if not got:
            raise SystemExit("the web process closed a feed")
        now = time.time()
        self.held += got
        while (frame := frame_of(self.held)) is not None:
            found = orjson.loads(frame)
            for entry in found if isinstance(found, list) else [found]:
                self.wrong += entry["index"] != self.expected
                self.expected = entry["index"] + 1
                self.delays.append(1000 * (now - datetime.fromisoformat(entry["time"]).timestamp()))


def frame_of(held: bytearray) -> bytes | None:
    """The next whole text frame, taken out of what was received; RFC 6455, section 5.2, as servers send it."""
    if len(held) < 2:
        return None
    kind, size, start = held[0] & 15, held[1] & 127, 2
    if size >= 126:
        start, form = (4, ">H") if size == 126 else (10, ">Q")
        if len(held) < start:
            return None
        size = struct.unpack_from(form, held, 2)[0]
    if len(held) < start + size:
        return None
    content = bytes(held[start : start + size])
    del held[: start + size]
    return content if kind == 1 else b"[]"


def open_feed(url: str, cookie: str, first: int, *, many: bool) -> Listener:
    address = urlsplit(url)
    link = socket.create_connection((str(address.hostname), address.port or 80), timeout=PATIENCE)
    link.sendall(
        f"GET /ws/feed HTTP/1.1\r\nHost: {address.netloc}\r\nOrigin: {url}\r\nCookie: {cookie}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += link.recv(1)
    if b" 101 " not in answer:
        raise SystemExit(f"no feed: {answer!r}")
    text = orjson.dumps({"after": first - 1, **({"many": True} if many else {})})
    # Clients mask; a mask of zeros leaves the text as it is.
    link.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
    return Listener(link, first)


def listen(url: str, cookie: str, count: int, first: int, entries: int, many: bool, ready: Any, heard: Any) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", urlsplit(url).port or 80)).close()
            break
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
    listeners = [open_feed(url, cookie, first, many=many) for _ in range(count)]
    selector = selectors.DefaultSelector()
    for one in listeners:
        selector.register(one.link, selectors.EVENT_READ, one)
    ready.set()
    selector.select(PATIENCE)
    begun = time.monotonic()
    while any(len(one.delays) < entries for one in listeners):
        for key, _ in selector.select(PATIENCE):
            key.data.take()
    delays = [delay for one in listeners for delay in one.delays]
    heard.put((delays, time.monotonic() - begun, sum(one.wrong for one in listeners)))


if __name__ == "__main__":
    main()
