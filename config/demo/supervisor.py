"""The demo's processes: started together, watched together, ended together."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
from honcho.manager import Manager

from config.celery import app
from config.embedded import folders, processes

READY_SECONDS = 120
# Marks every process of a demo with its folder, so that those of a demo that was killed are found.
MARK = "COUNTERSIGN_DEMO"


class _Leaders:
    """Ends the process that we started and lets it end its own: a worker finishes what its children do."""

    def terminate(self, pid: int) -> None:
        _send(pid, signal.SIGTERM)

    def kill(self, pid: int) -> None:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


class Supervisor(Manager):  # type: ignore[misc]  # the package has no types
    """Runs until somebody asks to stop, or a process is given up (config/demo/keep.py); then all end."""

    def __init__(self, url: str, on_ready: Callable[[], None]) -> None:
        super().__init__()
        self.url = url
        self.on_ready = on_ready
        self.failure = ""
        self._procmgr = _Leaders()

    def loop(self) -> None:
        # A closed terminal asks to stop too.
        signal.signal(signal.SIGHUP, lambda *_: _send(os.getpid(), signal.SIGTERM))
        super().loop()

    def _start(self) -> None:
        super()._start()
        # After the start: what is forked must not inherit a running thread.
        threading.Thread(target=self._watch_for_ready, name="ready", daemon=True).start()

    def _watch_for_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if web_answers(self.url) and worker_answers():
                self.on_ready()
                return
            time.sleep(0.2)
        self.failure = f"Web and worker did not answer within {READY_SECONDS} seconds; their output is above."
        _send(os.getpid(), signal.SIGTERM)

    def exit_code(self) -> int:
        """Nought when somebody asked to stop; otherwise a process could not be kept running, and that is a failure."""
        asked = self.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
        if self.failure or not asked:
            return 1
        return 0


def web_answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=3) as response:  # noqa: S310  our own address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def worker_answers() -> bool:
    return bool(app.control.ping(timeout=1.0))


def supervise(port: int, handover: Path, *, with_agent: bool, on_ready: Callable[[], None]) -> int:
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "COUNTERSIGN_PUBLIC_URL": url,
        "PYTHONUNBUFFERED": "1",
        MARK: str(folders.var_directory()),
    }
    supervisor = Supervisor(url, on_ready)
    for name, words in commands(port, handover, with_agent=with_agent).items():
        keeper = [sys.executable, "-m", "config.demo.keep", name]
        command = "exec " + shlex.join([*keeper, sys.executable, *words])
        supervisor.add_process(name, command, env=environment, cwd=str(folders.REPOSITORY))
    supervisor.loop()
    if supervisor.exit_code() != 0:
        sys.stderr.write(f"{supervisor.failure or 'A process could not be kept running; its last lines are above.'}\n")
    return supervisor.exit_code()


def commands(port: int, handover: Path, *, with_agent: bool) -> dict[str, list[str]]:
    schedule = str(folders.var_directory() / "run" / "celerybeat-schedule")
    web = ["-m", "uvicorn", "config.asgi:application", "--host=127.0.0.1", f"--port={port}"]
    # The demo may run as root, in a container; Celery's paragraph about that would hide the summary.
    celery = ["-W", "ignore:You're running the worker with superuser", "-m", "celery", "--quiet", "-A", "config.celery"]
    queues = "--queues=parked,execute,notify,maintenance"
    found = {
        "web": [*web, "--no-access-log", "--log-level=warning", "--timeout-graceful-shutdown=3"],
        "worker": [
            *celery,
            "worker",
            queues,
            "--concurrency=2",
            "--loglevel=WARNING",
            "--without-gossip",
            "--without-mingle",
        ],
        # No pid file: one left by a killed scheduler would keep the next from starting.
        "scheduler": [*celery, "beat", f"--schedule={schedule}", "--pidfile=", "--loglevel=WARNING"],
    }
    if with_agent:
        found["agent"] = ["-m", "config.demo.agent", str(handover)]
    return found


def end_leftovers() -> int:
    """End the processes of a demo of this folder that was killed; how many there were."""
    mark = str(folders.var_directory())
    found = [process for process in psutil.process_iter() if _environment(process).get(MARK) == mark]
    processes.end(found, signal.SIGTERM, seconds=5)
    return len(found)


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ() if process.pid != os.getpid() else {}
    except (psutil.Error, OSError):
        return {}
