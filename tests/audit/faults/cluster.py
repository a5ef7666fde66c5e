"""PostgreSQL servers of a test's own: to be killed, restarted, and to have disks that fail."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from config.embedded import folders, processes
from config.embedded.postgres import program_files
from tests.fixtures.servers import free_port

SHIM = Path(__file__).with_name("faulty_disk.c")
FAULTS = {
    "write error": "w",
    "log disk full": "n",
    "flush error": "s",
    "data disk full": "f",
}


class Cluster:
    """One server on a data directory of its own. Its port stays when it is started again."""

    def __init__(self, home: Path, *, faulty: bool) -> None:
        self.home = home
        self.data = home / "data"
        self.log = home / "log"
        self.port = free_port()
        self.account = folders.service_account()
        self._disk = home / "disk"
        self._disk.write_text("0")
        self._library = _compiled(home) if faulty else None
        self._process: subprocess.Popen[bytes] | None = None
        folders.let_run(program_files(), self.account)
        for path in (home, self._disk):
            self._give(path)
        self._run(
            "initdb", "--pgdata", self.data, "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8"
        )

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self, **settings: str) -> None:
        options = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "",
            "shared_buffers": "16MB", "max_connections": "60", "restart_after_crash": "on", **settings,
        }  # fmt: skip
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        environment = processes.server_environment()
        if self._library:
            environment |= {"LD_PRELOAD": str(self._library), "FAULTY_DISK": str(self._disk)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(program_files() / "bin" / "postgres"), "-D", str(self.data), *words],
                env=environment, cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **processes.as_account(self.account),
            )  # fmt: skip
        self.wait()

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=3).close()
                return
            except psycopg.OperationalError:
                ended = self._process is None or self._process.poll() is not None
                assert not ended, f"the server ended:\n{self.log.read_text()[-2000:]}"
                assert time.monotonic() < deadline, f"the server does not answer:\n{self.log.read_text()[-2000:]}"
                time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT ends it at once and leaves recovery to the next start; SIGKILL takes its children along."""
        if self._process is None:
            return
        children = psutil.Process(self._process.pid).children() if self._process.poll() is None else []
        self._process.send_signal(how)
        self._process.wait(30)
        for child in children:
            if child.is_running():
                child.kill()
        psutil.wait_procs(children, 10)

    def restart(self, **settings: str) -> None:
        self.stop()
        self.start(**settings)

    @contextmanager
    def failing(self, fault: str) -> Iterator[None]:
        """In place, without a new file: the server has this one mapped."""
        self._say(FAULTS[fault])
        try:
            yield
        finally:
            self._say("0")

    def _say(self, mode: str) -> None:
        with self._disk.open("r+") as disk:
            disk.write(mode)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(program_files() / "bin" / program), *map(str, arguments)]
        subprocess.run(
            command, env=processes.server_environment(), cwd=self.home, check=True, capture_output=True,
            **processes.as_account(self.account),
        )  # fmt: skip

    def _give(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)


def _compiled(home: Path) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler, "A C compiler is needed for disks that fail: apt-get install gcc libc6-dev"
    library = home / "faulty_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"], check=True)
    library.chmod(0o755)
    return library


@contextmanager
def cluster(*, faulty: bool = False, **settings: str) -> Iterator[Cluster]:
    home = Path(tempfile.mkdtemp(prefix="countersign-cluster-"))
    home.chmod(0o755)
    made = Cluster(home, faulty=faulty)
    try:
        made.start(**settings)
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)
