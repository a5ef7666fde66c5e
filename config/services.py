"""PostgreSQL and Redis for whoever has set none: started under `var/`, shared by the processes of this folder.

`ensure()` puts `DATABASE_URL` and `REDIS_URL` into the environment. Where both are there it does nothing; where one is
missing it starts that one. Whoever uses the embedded servers is counted, under a lock, by process id and start time;
the last one to leave stops them. A process that was killed is not counted any more, so nothing needs to be cleaned up
by hand: `docs/running.md` describes what is recovered from.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

import psutil

from config.embedded import folders, processes
from config.embedded.errors import ServiceFailed
from config.embedded.postgres import SUPERUSER, Postgres
from config.embedded.redis import Redis

__all__ = ["ServiceFailed", "ensure", "ensure_for", "stop", "superuser_url"]

# Commands that read no data; with `--help` none does, nor with a bare `--version`, which asks for Django's.
NEED_NOTHING = {
    "check",
    "collectstatic",
    "diffsettings",
    "findstatic",
    "help",
    "makemigrations",
    "spectacular",
    "startapp",
    "version",
}


@dataclass
class State:
    """What `var/run/services.json` holds. It is a memory, not the truth: every id and port in it is checked."""

    postgres_port: int | None = None
    redis_port: int | None = None
    # Who uses the servers: process id and start time.
    users: list[tuple[int, float]] = field(default_factory=list)

    @classmethod
    def read(cls, var: Path) -> State:
        try:
            stored = json.loads(_state_file(var).read_text())
            users = [(int(pid), float(created)) for pid, created in stored["users"]]
            return cls(stored["postgres_port"], stored["redis_port"], users)
        except (OSError, ValueError, KeyError, TypeError):
            # Missing or damaged: the servers are found by their directories, the ports are chosen anew.
            return cls()

    def write(self, var: Path) -> None:
        folders.write_private(_state_file(var), json.dumps(asdict(self)) + "\n")

    def add(self, user: tuple[int, float]) -> None:
        self.users = [other for other in self._living() if other[0] != user[0]] + [user]

    def remove(self, user: tuple[int, float]) -> None:
        self.users = [other for other in self._living() if other[0] != user[0]]

    def _living(self) -> list[tuple[int, float]]:
        return [(pid, created) for pid, created in self.users if processes.same_process(pid, created)]


def _state_file(var: Path) -> Path:
    return var / "run" / "services.json"


def ensure_for(arguments: Sequence[str]) -> None:
    """`ensure()` for `manage.py`: not for commands that need no data; a failure is a sentence, not a traceback."""
    if _needs_nothing(arguments):
        return
    try:
        ensure()
    except ServiceFailed as failure:
        sys.exit(f"countersign: {failure}")


def _needs_nothing(arguments: Sequence[str]) -> bool:
    words = set(arguments)
    if not arguments or arguments[0].startswith("-") or words & {"--help", "-h"} or arguments[-1] == "--version":
        return True
    if arguments[0] == "demo":
        return "--reset" in words
    return arguments[0] in NEED_NOTHING and "--database" not in words


def ensure() -> None:
    """Returns when `DATABASE_URL` and `REDIS_URL` are set to servers that answer, or are the operator's own."""
    wants_postgres, wants_redis = not _is_set("DATABASE_URL"), not _is_set("REDIS_URL")
    if not wants_postgres and not wants_redis:
        return
    var = folders.var_directory()
    folders.prepare(var)
    _leave_at_exit(var)
    account = folders.service_account()
    with folders.locked(var):
        state = State.read(var)
        state.add(_this_process())
        # Counted before anything starts: if this process is killed half-way, the next one sees that nobody is left.
        state.write(var)
        if wants_postgres:
            server = Postgres(var, account)
            state.postgres_port = _told("PostgreSQL", state.postgres_port, server.ensure(state.postgres_port))
            os.environ["DATABASE_URL"] = server.url(state.postgres_port)
            os.environ["COUNTERSIGN_EMBEDDED"] = "true"
        if wants_redis:
            broker = Redis(var, account)
            state.redis_port = _told("Redis", state.redis_port, broker.ensure(state.redis_port))
            os.environ["REDIS_URL"] = broker.url(state.redis_port)
        state.write(var)


def _is_set(variable: str) -> bool:
    return bool(os.environ.get(variable) or os.environ.get(f"{variable}_FILE"))


def _told(name: str, before: int | None, port: int) -> int:
    """Says so when a port is new: the first time, and when the one used so far was taken."""
    if port != before:
        print(f"{name} of this folder: 127.0.0.1:{port}", file=sys.stderr)  # noqa: T201  before Django and its logging
    return port


def superuser_url(database: str = "postgres") -> str:
    """The embedded PostgreSQL as its superuser: for making databases (demo, tests). The product never uses it."""
    var = folders.var_directory()
    port = State.read(var).postgres_port
    if port is None:
        raise ServiceFailed(f"No embedded PostgreSQL is known in {var}.")
    return Postgres(var, None).url(port, user=SUPERUSER, database=database)


def stop() -> None:
    """Stop the servers of this folder, whoever uses them."""
    var = folders.var_directory()
    folders.prepare(var)
    with folders.locked(var):
        _stop_servers(var)


def _stop_servers(var: Path) -> None:
    Redis(var, None).stop()
    Postgres(var, None).stop()


def _this_process() -> tuple[int, float]:
    return os.getpid(), psutil.Process().create_time()


def _leave_at_exit(var: Path) -> None:
    me = os.getpid()

    def leave() -> None:
        # A forked child runs this too; it was never counted.
        if os.getpid() != me or not var.exists():
            return
        with folders.locked(var):
            state = State.read(var)
            state.remove(_this_process())
            state.write(var)
            if not state.users:
                _stop_servers(var)

    def leave_on_termination(signal_number: int, frame: FrameType | None) -> None:
        sys.exit(128 + signal_number)

    atexit.register(leave)
    # By default SIGTERM ends a process without its exit handlers. Only the main thread may say otherwise.
    with suppress(ValueError):
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, leave_on_termination)
