"""Starting, finding and ending the server processes of one installation.

A process belongs to an installation when it runs in its directory or names it on its command line. A process id from
a file is never believed by itself: ids are reused, and files outlive the machine's restart.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from config.embedded.errors import ServiceFailed

PORTS_TRIED = 100
LARGEST_LOG = 5_000_000

# A handle that is forgotten while its process lives makes Python warn; these live as long as we do.
_started: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Account:
    """The system user that the servers run as: PostgreSQL refuses root."""

    name: str
    uid: int
    gid: int


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def same_process(pid: int, created: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - created) < 1 and alive(process)
    except psutil.NoSuchProcess:
        return False


def belonging_to(directory: Path, executable: str, *, title: str = "") -> list[psutil.Process]:
    """Live processes of `executable` that belong to `directory`; `title`: how those begin that rename themselves."""
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        words = process.info["cmdline"] or []
        if process.info["name"] != executable or not alive(process):
            continue
        titled = bool(title) and bool(words) and words[0].startswith(title)
        if titled or any(str(directory) in word for word in words[1:]) or _runs_in(process, directory):
            found.append(process)
    return found


def _runs_in(process: psutil.Process, directory: Path) -> bool:
    # Root without ptrace rights (a container) may not read this of another user; the command line then has to do.
    with suppress(psutil.Error, OSError):
        return process.cwd() in (str(directory), f"{directory} (deleted)")
    return False


def start(command: Sequence[str | Path], *, log: Path, cwd: Path, account: Account | None) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own: a Ctrl-C in the terminal is not for it."""
    _rotate(log)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  our own executables, no shell
            [str(word) for word in command],
            cwd=cwd,
            env=server_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
            **as_account(account),
        )
    _started.append(process)
    return process


def server_environment() -> dict[str, str]:
    """Nothing of the caller's: a stray PGPORT or PGDATA would reach the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def as_account(account: Account | None) -> dict[str, Any]:
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".old.log"))


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], *, seconds: float) -> bool:
    """True once `ready`; False when the process ended or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.02)
    return False


def end(found: Sequence[psutil.Process], signal_number: int, *, seconds: float) -> None:
    """Ask with `signal_number`, then kill what is left after `seconds`."""
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal_number)
    left = _left_after(found, seconds)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _left_after(left, 5)


def _left_after(found: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Not psutil's wait: that waits for zombies too, and where nothing reaps orphans (a container) those stay."""
    deadline = time.monotonic() + seconds
    left = [process for process in found if alive(process)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [process for process in left if alive(process)]
    for started in _started:
        started.poll()
    return left


def free_ports(variable: str, default: int, last_used: int | None) -> Iterator[int]:
    """Free loopback ports from the configured one upwards; the one used last comes first when none is configured."""
    first = _configured_port(variable) or last_used or default
    for port in range(first, min(first + PORTS_TRIED, 65_536)):
        if port_is_free(port):
            yield port
    raise ServiceFailed(
        f"No free port on 127.0.0.1 from {first} to {first + PORTS_TRIED - 1}."
        f" Set {variable} to the start of a free range."
    )


def _configured_port(variable: str) -> int | None:
    text = os.environ.get(variable, "")
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise ServiceFailed(f"{variable} must be a port between 1 and 65535, not {text!r}.")
    return int(text)


def port_is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def last_lines(log: Path, count: int = 12) -> str:
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
