from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from config import services
from config.demo import shop, supervisor
from config.embedded import folders, processes

WEB_PORT_VARIABLE = "COUNTERSIGN_WEB_PORT"
WEB_PORT = 8000
OURS = ("postgres", "redis", "run", "log", "secrets", "static", "demo.json")


class Command(BaseCommand):
    help = (
        "Runs the whole product with an invented shop, people and two agents, until Ctrl-C. "
        "Addresses, passwords and tokens are printed and written to var/demo.json. A second start keeps everything."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-agent", action="store_true", help="leave the scripted agents out: nobody asks anything"
        )
        parser.add_argument(
            "--reset", action="store_true", help="stop what is left over, delete the demo's data, and end"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        var = folders.var_directory()
        folders.prepare(var)
        if options["reset"]:
            self._reset(var)
            return
        if os.environ.get("COUNTERSIGN_EMBEDDED") != "true":
            raise CommandError("The demo brings its own PostgreSQL: unset DATABASE_URL and start it again.")
        with (var / "run" / "demo").open("a+") as lock:
            self._claim(lock)
            try:
                code = self._run(var, with_agent=not options["no_agent"])
            except KeyboardInterrupt:
                # While it was still preparing; afterwards the supervisor hears it.
                code = 0
            sys.exit(code)

    def _claim(self, lock: IO[str]) -> None:
        """One demo a folder. The lock ends with this process, however it ends; forked children do not share it."""
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(
                f"The demo of this folder already runs (process {_holder(lock)}): end it first."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()

    def _run(self, var: Path, *, with_agent: bool) -> int:
        handover = var / "demo.json"
        handover.unlink(missing_ok=True)
        supervisor.end_leftovers()
        told = self._prepare()
        port = next(processes.free_ports(WEB_PORT_VARIABLE, WEB_PORT, None))
        content = {"web": f"http://127.0.0.1:{port}", **told}

        def on_ready() -> None:
            folders.write_private(handover, json.dumps(content, indent=1) + "\n")
            self.stdout.write(summary(content, handover))
            self.stdout.flush()

        return supervisor.supervise(port, handover, with_agent=with_agent, on_ready=on_ready)

    def _prepare(self) -> dict[str, Any]:
        """Tables, static files, the shop, the people: each made only where it is missing."""
        self.stdout.write("Preparing the control database …")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        self.stdout.write("Preparing the shop, its people and agents …")
        # Not before: their modules need the tables' models.
        from config.demo.people import ensure_people

        told = ensure_people(shop.ensure_shop())
        connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL has one
        return told

    def _reset(self, var: Path) -> None:
        with (var / "run" / "demo").open("a+") as lock:
            self._stop_running(lock)
            supervisor.end_leftovers()
            services.stop()
            for name in OURS:
                path = var / name
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
        self.stdout.write(f"The demo's data in {var} is gone. `make demo` starts afresh.")

    def _stop_running(self, lock: IO[str]) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                _ask_to_end(_holder(lock))
                time.sleep(0.5)
            else:
                return
        raise CommandError(f"The running demo (process {_holder(lock)}) does not end. Kill it and try again.")


def _holder(lock: IO[str]) -> str:
    """The process id that the holder wrote down; empty for a moment while it takes the lock."""
    lock.seek(0)
    return lock.read().strip()


def _ask_to_end(pid: str) -> None:
    if pid.isdecimal() and int(pid) > 1:
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGTERM)


def summary(content: dict[str, Any], handover: Path) -> str:
    lines = ["", f"Countersign is ready: {content['web']}", "", "Sign in as"]
    roles = {
        "ada": "owns the agents",
        "rita": "reviewer (dba)",
        "dora": "reviewer (dba)",
        "olaf": "auditor",
        "root": "administrator",
    }
    lines += [f"  {user['name']:<6}{user['password']:<20}{roles.get(user['name'], '')}" for user in content["users"]]
    agents = ", ".join(agent["name"] for agent in content["agents"])
    lines += ["", f"Agents: {agents}. Their tokens, and all of this: {handover}", "Ctrl-C ends everything.", ""]
    return "\n".join(lines)
